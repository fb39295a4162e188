from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import shards as made
from fakes.challenges import write_challenge

from harness.board.store import Store
from harness.core.record import Environment, ImageScore, Record, RoundFigures, Sample
from harness.measure.shards import Shard
from harness.usecases.shard_results import ShardResults, shard_results

HERE = made.environment()


def timed(seconds: float) -> RoundFigures:
    return replace(made.ROUND, samples=(Sample("Set5", "baby", 0, 8, 8, seconds, 1.0),))


def scored(**figures: float) -> RoundFigures:
    return replace(made.ROUND, scores=(ImageScore("Set5", "baby", "", **figures),))


@pytest.fixture
def shard(tmp_path: Path) -> Shard:
    return made.shard(write_challenge(tmp_path / "tiny.toml"), "acme", "other")


def _only(shard: Shard, folder: Path, record: Record) -> ShardResults:
    Store(folder).save(record)
    return shard_results(shard, folder, HERE)


def test_what_was_asked_for_is_taken(shard: Shard, tmp_path: Path) -> None:
    made.measured(shard, tmp_path / "r")
    found = shard_results(shard, tmp_path / "r", HERE)
    assert len(found.records) == 6
    assert found.refused == ()
    assert found.complete(shard)


def test_another_node_of_the_same_kind_has_the_same_keys(shard: Shard, tmp_path: Path) -> None:
    made.measured(shard, tmp_path / "a")
    made.measured(shard, tmp_path / "b", made.environment("b" * 12))
    a, b = (shard_results(shard, tmp_path / it, HERE).records for it in "ab")
    assert [it.key for it in a] == [it.key for it in b]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"key": "0" * 64}, "sealed for another key"),
        ({"round": 7}, "of no job of its shard"),
        ({"entry": "stranger"}, "of no job of its shard"),
        ({"session": "s2"}, "of another run"),
        ({"weights": "official"}, "of another run"),
        ({"challenge": "other"}, "of another run"),
        ({"outcome": made.COUNT}, "another outcome"),
        ({"outcome": timed(-1.0)}, "times or scores that nothing comes to"),
        ({"outcome": timed(1e300)}, "times or scores that nothing comes to"),
        ({"outcome": scored(psnr_db=101.0)}, "times or scores that nothing comes to"),
        ({"outcome": scored(ssim=1.5)}, "times or scores that nothing comes to"),
        ({"environment": replace(HERE, node="../../x")}, "names no node"),
        ({"environment": Environment("f" * 16, HERE.stable, node="a" * 12)}, "another fingerprint"),
    ],
)
def test_what_is_no_record_of_the_shard_is_refused_with_the_reason(
    shard: Shard, tmp_path: Path, changes: dict[str, object], why: str
) -> None:
    record = replace(made.record(shard, shard.jobs[1], HERE), **changes)  # type: ignore[arg-type]
    found = _only(shard, tmp_path, record)
    assert found.records == ()
    assert why in found.refused[0]
    assert not found.complete(shard)


def test_rounds_of_another_kind_of_machine_are_refused_and_counts_are_not(
    shard: Shard, tmp_path: Path
) -> None:
    made.measured(shard, tmp_path, made.environment("b" * 12, cpu="slow"))
    found = shard_results(shard, tmp_path, HERE)
    assert {it.job for it in found.records} == {"count"}
    assert all("another kind of machine: cpu slow and not fast" in it for it in found.refused)


def test_counts_of_other_libraries_or_isolation_are_refused(shard: Shard, tmp_path: Path) -> None:
    there = made.environment(isolation="bubblewrap")
    found = _only(shard, tmp_path, made.record(shard, shard.jobs[0], there))
    assert "made otherwise than this run makes it: isolation bubblewrap" in found.refused[0]


def test_rounds_of_two_nodes_in_one_folder_are_all_refused(shard: Shard, tmp_path: Path) -> None:
    made.measured(shard, tmp_path)
    Store(tmp_path).save(made.record(shard, shard.jobs[1], made.environment("b" * 12)))
    found = shard_results(shard, tmp_path, HERE)
    assert found.records == ()
    assert "rounds of 2 nodes" in found.refused[-1]


def test_torn_files_links_and_pipes_are_refused_and_nothing_waits(
    shard: Shard, tmp_path: Path
) -> None:
    store = made.measured(shard, tmp_path / "r")
    job, other = shard.jobs[1], shard.jobs[2]
    torn = store.path(job.entry, job.kind, job.round, job.key(HERE).key)
    torn.write_bytes(torn.read_bytes().replace(b'"params": 7', b'"params": 8'))
    linked = store.path(other.entry, other.kind, other.round, other.key(HERE).key)
    linked.rename(tmp_path / "elsewhere.json")
    linked.symlink_to(tmp_path / "elsewhere.json")
    os.mkfifo(linked.parent / "pipe.json")
    (tmp_path / "r" / "also").symlink_to(linked.parent)
    found = shard_results(shard, tmp_path / "r", HERE)
    assert len(found.records) == 4
    assert sorted(it.split(" ", 1)[1] for it in found.refused) == [
        "is a link, not a plain file",
        "is a pipe, not a plain file",
        "is torn, or of another version",
    ]
    assert not found.complete(shard)


def test_a_flood_of_files_is_not_read_to_its_end(shard: Shard, tmp_path: Path) -> None:
    folder = tmp_path / "acme"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number}.json").write_text("{}", encoding="utf-8")
    assert len(shard_results(shard, tmp_path, HERE).refused) == 20 * 6


def test_an_entry_that_failed_needs_no_more_rounds(shard: Shard, tmp_path: Path) -> None:
    store = Store(tmp_path)
    for job in shard.jobs:
        if job.entry == "other":
            store.save(made.record(shard, job, HERE))
    store.save(made.record(shard, shard.jobs[0], HERE, made.CRASH))
    assert not shard_results(shard, tmp_path, HERE).complete(shard)
    store.save(made.record(shard, shard.jobs[1], HERE, made.CRASH))
    assert shard_results(shard, tmp_path, HERE).complete(shard)


def test_scores_are_complete_when_each_entry_has_its_own(tmp_path: Path) -> None:
    counts = made.shard(write_challenge(tmp_path / "tiny.toml"), "acme", "other", rounds=0)
    jobs = tuple(replace(job, kind="quality") for job in counts.jobs)
    shard = replace(counts, jobs=jobs)
    assert shard.kind == "quality"
    store, there = Store(tmp_path / "r"), made.environment("b" * 12, cpu="slow")
    store.save(made.record(shard, jobs[0], there))
    found = shard_results(shard, tmp_path / "r", HERE)
    assert (len(found.records), found.refused) == (1, ())  # of another kind of machine
    assert not found.complete(shard)
    store.save(made.record(shard, jobs[1], there, made.CRASH))
    assert shard_results(shard, tmp_path / "r", HERE).complete(shard)


def test_a_folder_that_is_not_there_holds_nothing(shard: Shard, tmp_path: Path) -> None:
    assert shard_results(shard, tmp_path / "absent", HERE) == ShardResults((), ())
