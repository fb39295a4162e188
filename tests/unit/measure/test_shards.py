from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import shards as made
from fakes.challenges import write_challenge
from schemas import faults

from harness.core.outcome import BadInput
from harness.measure import shards
from harness.measure.shards import Shard, plan


@pytest.fixture
def shard(tmp_path: Path) -> Shard:
    return made.shard(write_challenge(tmp_path / "tiny.toml"), "acme", "other")


def test_a_shard_is_read_as_it_was_written_and_is_as_its_schema_says(
    shard: Shard, tmp_path: Path
) -> None:
    counted = made.record(shard, shard.jobs[0], made.environment())
    shard = replace(shard, counted=(counted,))
    path = shards.write(shard, tmp_path / "shards" / "x")
    assert shards.read(path) == shard
    assert faults("shard", json.loads(path.read_bytes())) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": "0"}, "of version 0"),
        ({"more": 1}, "more: is no known field"),
        ({"jobs": None}, "jobs"),
        ({"data": 7}, "data"),
    ],
)
def test_a_document_that_is_no_shard_says_why(
    shard: Shard, tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    path = shards.write(shard, tmp_path)
    document = json.loads(path.read_bytes())
    path.write_text(json.dumps(document | change), encoding="utf-8")
    with pytest.raises(BadInput, match=told):
        shards.read(path)


def test_a_field_that_a_job_does_not_have_is_refused_too(shard: Shard, tmp_path: Path) -> None:
    path = shards.write(shard, tmp_path)
    document = json.loads(path.read_bytes())
    for place in (document["jobs"][0], document["jobs"][0]["load"]):
        place["strange"] = 1
        path.write_text(json.dumps(document), encoding="utf-8")
        with pytest.raises(BadInput, match="strange: is no known field"):
            shards.read(path)
        del place["strange"]


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '"shard"'])
def test_what_is_no_document_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "shard.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match="is no shard"):
        shards.read(path)
    with pytest.raises(BadInput, match="can't be read"):
        shards.read(tmp_path / "absent.json")


def test_rounds_without_their_counts_or_of_strange_entries_make_no_shard(shard: Shard) -> None:
    assert shard.kind == "timed"
    assert replace(shard, jobs=()).kind == "probe"
    assert replace(shard, jobs=shard.jobs[:1]).kind == "count"
    with pytest.raises(ValueError, match="counts, or scores, or counts and rounds"):
        replace(shard, jobs=shard.jobs[1:2])
    with pytest.raises(ValueError, match="does not list: other"):
        replace(shard, run=replace(shard.run, entries=shard.run.entries[:1]))


def test_the_same_work_has_one_id_whoever_asks_and_wherever_logs_lie(
    shard: Shard, tmp_path: Path
) -> None:
    asked_again = replace(shard, run=replace(shard.run, session="s2")).logging_to(tmp_path)
    assert asked_again.id == shard.id
    assert asked_again.jobs[0].log == tmp_path / "acme" / "count-0.log"
    assert replace(shard, jobs=shard.jobs[:3]).id != shard.id
    assert replace(shard, data="other").id != shard.id


def test_a_plan_holds_each_entry_once_large_shards_first() -> None:
    found = plan({f"e{number}": 1.0 for number in range(100)}, nodes=2, base=2.0)
    sizes = [len(it.entries) for it in found]
    assert sum(sizes) == len({name for it in found for name in it.entries}) == 100
    assert sizes[0] == 25  # half of a node's share
    assert sizes == sorted(sizes, reverse=True)
    assert [it.second for it in found[:5]] == [True] * 4 + [False]


def test_dear_entries_come_first_and_fill_a_shard_by_their_cost() -> None:
    found = plan({"dear": 50.0} | {f"e{number}": 1.0 for number in range(50)}, nodes=1, base=2.0)
    sizes = [len(it.entries) for it in found]
    assert found[0].entries == ("dear",)  # half of all
    assert sizes[1:] == [
        25,
        13,
        6,
        6,
    ]  # half of what is left, and three times the baseline at least
    assert plan({}, nodes=3, base=2.0) == []


def test_entries_that_cost_little_beside_the_baseline_are_shared_by_all_nodes() -> None:
    found = plan({f"e{number}": 1.0 for number in range(24)}, nodes=2, base=10.0)
    assert [len(it.entries) for it in found] == [12, 12]


def test_without_a_baseline_a_shard_holds_one_entry_at_least() -> None:
    found = plan({f"e{number}": 1.0 for number in range(10)}, nodes=5, base=0.0)
    assert [len(it.entries) for it in found] == [1] * 10
