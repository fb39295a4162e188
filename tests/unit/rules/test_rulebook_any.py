"""Whatever an organiser writes: a rulebook is refused with every fault named, or it ranks."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.board.rank import rank
from harness.core.leaderboard import BoardEntry
from harness.core.outcome import BadInput
from harness.rules import rulebook

KEYS = (
    *("runtime", "params", "macs", "memory", "energy"),
    *("psnr:Set5", "ssim:Set5", "runtime:Set5"),
)
GOOD: dict[str, Any] = {
    "id": "any",
    "title": "Any",
    "scale": 4,
    "quality_profile": "ntire",
    "datasets": [{"name": "Set5", "split": "test"}],
    "columns": [{"metric": "runtime", "title": "Runtime"}],
    "references": ["base"],
    "baseline": "base",
    "limits": [{"metric": "params", "at_most": 9.0}, {"metric": "macs", "at_most": 9.0}],
    "tracks": [
        {"id": "t", "title": "T", "kind": "weighted_exp", "terms": [{"metric": "runtime"}]},
        {"id": "s", "title": "S", "kind": "rank_sum", "terms": [{"metric": "params"}]},
        {"id": "u", "title": "U", "kind": "order", "terms": [{"metric": "params"}]},
    ],
}
Change = Callable[[dict[str, Any]], object]
# A slip in one place, and what the message says of it. Any of them may come together. What a value
# says of its fields together is told once they are right: first of those within, last of the whole.
SLIPS: dict[str, tuple[Change, str]] = {
    "title": (lambda it: it.update(title=3), "title: Input should be a valid string"),
    "profile": (lambda it: it.update(quality_profile="best"), "quality_profile: Input should be"),
    "stranger": (lambda it: it.update(colour="red"), "colour: is no known field"),
    "limit": (lambda it: it["limits"][0].pop("at_most"), "limits.0: a limit has either"),
    "column": (lambda it: it["columns"][0].update(unit="MB"), "columns.0: runtime can't be shown"),
    "term": (
        lambda it: it["tracks"][0]["terms"][0].update(weight=0.0),
        "tracks.0.terms.0: weight must be above 0",
    ),
    "bounds": (
        lambda it: it["limits"][0].update(decimals=13),
        "decimals of the limit of params must be 0 to 12, got 13",
    ),
    "unknown": (
        lambda it: it["limits"][1].update(metric="psnr:Set14"),
        "psnr:Set14 speaks of a dataset that the challenge does not have",
    ),
    "split": (lambda it: it["datasets"][0].update(split="best"), "datasets.0.split: Input should"),
    "over": (
        lambda it: it.update(runtime_over=["B100"]),
        "runtime_over names 'B100', which is no dataset of the challenge",
    ),
    "tracks": (
        lambda it: [track.update(id="t") for track in it["tracks"]],
        "track 't' stands twice",
    ),
    "kind": (lambda it: it["tracks"][1].update(kind="best"), "tracks.1.kind: Input should be"),
    "per": (
        lambda it: it["tracks"][2]["terms"][0].update(per=1.0),
        "per of params means something in a weighted_exp alone",
    ),
    "optional": (
        lambda it: it["tracks"][2]["terms"][0].update(optional=True),
        "a track needs at least one term that is not optional",
    ),
    "twice": (
        lambda it: it["columns"].extend([{"metric": "params", "title": "P"}] * 2),
        "column 'params' stands twice",
    ),
    "figures": (
        lambda it: it.update(baseline_figures={"source": "x", "runtime_ms": "fast"}),
        "baseline_figures.runtime_ms: Input should be a valid number",
    ),
    "protocol": (
        lambda it: it.setdefault("protocol", {}).update(rounds=0),
        "rounds must be at least 1, got 0",
    ),
    "deadline": (
        lambda it: it.setdefault("protocol", {}).update(load_deadline_s=0.0),
        "load_deadline_s must be above 0, got 0",
    ),
    "id": (lambda it: it.update(id="Not An Id"), "id must be 1 to 64 of"),
    "scale": (lambda it: it.update(scale=7), "scale must be 2, 3, 4 or 8, got 7"),
    "input": (lambda it: it.update(complexity_input=[0, 8]), "complexity_input must be at least 1"),
}


@settings(deadline=None)  # the first document also builds pydantic's reader
@given(st.sets(st.sampled_from(sorted(SLIPS)), min_size=1))
def test_every_slip_is_named_whichever_come_together(names: set[str]) -> None:
    left = names
    for _ in ("fields, and values of readable ones", "of tracks", "of the whole"):
        message = _refusal(left)
        named = {name for name in left if SLIPS[name][1] in message}
        assert named
        assert len(message.splitlines()) <= len(named)  # nothing is told but what is wrong
        left = left - named
        if not left:
            break
    assert not left


FIELDS = {"title", "profile", "stranger", "split", "kind", "figures"}
ALONE = {"limit", "column", "term", "bounds", "protocol", "deadline"}


@settings(deadline=None)
@given(st.sets(st.sampled_from(sorted(SLIPS)), min_size=1))
def test_every_fault_of_a_field_is_named_at_once_and_those_of_values_without_one_with_it(
    names: set[str],
) -> None:
    told = names & (FIELDS | ALONE)
    if told or not names:
        message = _refusal(names)
        assert [name for name in told if SLIPS[name][1] not in message] == []


def _refusal(names: set[str]) -> str:
    document = copy.deepcopy(GOOD)
    for name in sorted(names):
        SLIPS[name][0](document)
    with pytest.raises(BadInput) as caught:
        rulebook.parse(document, where="any.toml")
    message = str(caught.value)
    assert all(line.startswith("any.toml: ") for line in message.splitlines())
    return message


def test_without_a_slip_the_document_is_a_challenge() -> None:
    assert rulebook.parse(copy.deepcopy(GOOD), where="any.toml").id == "any"


figure = st.floats(-10, 10, allow_nan=False) | st.integers(-3, 3)
limit = st.fixed_dictionaries(
    {"metric": st.sampled_from(KEYS)},
    optional={"at_least": figure, "at_most": figure, "decimals": st.integers(-1, 13)},
)
column = st.fixed_dictionaries(
    {"metric": st.sampled_from((*KEYS, "beauty")), "title": st.text(max_size=3)},
    optional={"ranked": st.booleans(), "unit": st.sampled_from(("", "ms", "M", "furlong"))},
)
term = st.fixed_dictionaries(
    {"metric": st.sampled_from(KEYS)},
    optional={
        "weight": st.floats(0.01, 9) | st.floats(-1, 9),
        "per": st.floats(0.01, 9) | st.floats(-1, 9),
        "optional": st.booleans(),
    },
)
track = st.fixed_dictionaries(
    {
        "id": st.sampled_from(("a", "b", "c")),
        "title": st.just("T"),
        "kind": st.sampled_from(("order", "rank_sum", "weighted_exp", "lottery")),
        "terms": st.lists(term, max_size=3),
    },
    optional={"ties": st.sampled_from(("shared", "ordinal"))},
)
documents = st.fixed_dictionaries(
    {
        **{name: st.just(GOOD[name]) for name in ("id", "title", "quality_profile", "datasets")},
        "scale": st.sampled_from((4, 4, 4, 5)),
        "columns": st.lists(column, min_size=1, max_size=3),
        "tracks": st.lists(track, max_size=2),
        "limits": st.lists(limit, max_size=2),
    },
    optional={
        "references": st.just(["base"]),
        "baseline": st.sampled_from(("base", "other")),
        "rank_ties": st.sampled_from(("shared", "ordinal")),
        "baseline_figures": st.just({"source": "x", "runtime_ms": 5.0, "params_m": 1.0}),
    },
)
entries = st.lists(
    st.dictionaries(st.sampled_from(KEYS), st.integers(0, 3).map(float)), max_size=4
).map(
    lambda values: [
        BoardEntry(f"e{at}", "", "", "entry", values=it) for at, it in enumerate(values)
    ]
)


@settings(deadline=None)
@given(documents, entries)
def test_any_rulebook_is_refused_with_its_place_or_ranks(
    document: dict[str, Any], rows: list[BoardEntry]
) -> None:
    try:
        challenge = rulebook.parse(document, where="any.toml")
    except BadInput as error:
        lines = str(error).splitlines()
        assert lines
        assert all(line.startswith("any.toml: ") for line in lines)
        return
    figures = challenge.baseline_figures
    board = rank(challenge, rows, baseline_figures=figures.figures() if figures else None)
    assert sorted(row.entry.id for row in board.rows) == [entry.id for entry in rows]
    for row in board.rows:
        assert row.ranked is (row.reason == "")
        assert row.ranked or not row.standings
        assert all(1 <= it.rank <= len(rows) for it in row.standings.values())
        assert all(math.isfinite(it.score) for it in row.standings.values())
