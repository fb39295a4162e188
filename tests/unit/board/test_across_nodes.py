from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from fakes import boards

from harness.board.across_nodes import NodeRatio, disagreeing, nodes_of, rank_across_nodes
from harness.core.challenge import Challenge, Limit
from harness.core.leaderboard import BoardEntry, Leaderboard, Row
from harness.core.record import Record, RoundFigures, Sample, TimedBeside
from harness.render.as_image_csv import to_image_csv
from harness.render.legend import legend
from harness.render.table import table

DATASETS = (boards.VALID, boards.TEST)
BASE, OTHER = "rfdn", "imdn"


def _figures(seconds: float, block: str, base_s: float | None) -> RoundFigures:
    def samples(of: float) -> tuple[Sample, ...]:
        return tuple(Sample(name, "a", 0, 10, 10, of, of) for name in DATASETS)

    beside = None if base_s is None else TimedBeside(BASE, samples(base_s))
    figures = boards.round_figures(1)
    return replace(figures, samples=samples(seconds), block=block, beside=beside)


def _rounds(
    name: str, node: str, seconds: float, *, base_s: float = 0.1, beside: bool = True
) -> tuple[Record, ...]:
    """Three rounds of a node, that scatter by 0.2 %; each entry a little in its own way."""
    made = []
    for number in range(1, 4):
        noise = 1.0 + 0.001 * ((number + len(name)) % 3)
        told = base_s if beside and name != BASE else None
        figures = _figures(seconds * noise, f"{node}/{number}", told)
        record = boards.record(name, figures, number)
        made.append(replace(record, environment=replace(record.environment, node=node)))
    return tuple(made)


def _entry(name: str, *records: Record, elsewhere: tuple[Record, ...] = ()) -> BoardEntry:
    role: Any = "reference" if name in {BASE, OTHER} else "entry"
    found = boards.entry(id=name, role=role, records=records, elsewhere=elsewhere)
    return replace(found, values={**found.values, "runtime": 99.0, f"runtime:{boards.VALID}": 9.0})


def _entries(*, imdn_there: float = 0.3) -> list[BoardEntry]:
    """Node b takes twice as long as node a: `quick` (of b) beats `slow` (of a) by its ratio."""
    return [
        _entry(BASE, *_rounds(BASE, "a", 0.1), elsewhere=_rounds(BASE, "b", 0.2)),
        _entry(
            OTHER,
            *_rounds(OTHER, "a", 0.15),
            elsewhere=_rounds(OTHER, "b", imdn_there, base_s=0.2),
        ),
        _entry("slow", *_rounds("slow", "a", 0.08)),
        _entry("quick", *_rounds("quick", "b", 0.12, base_s=0.2)),
    ]


def _board(entries: list[BoardEntry], **changes: Any) -> Leaderboard:
    rules: Challenge = boards.challenge(**changes)
    return rank_across_nodes(rules, entries, environment=boards.ENVIRONMENT, notes=())


def _row(board: Leaderboard, name: str) -> Row:
    return next(row for row in board.rows if row.entry.id == name)


def test_rows_of_two_nodes_are_ranked_by_the_ratio_on_their_own_node() -> None:
    board = _board(_entries())
    ranks = {row.entry.id: row.ranks["runtime"] for row in board.rows}
    assert ranks == {"quick": 1, "slow": 2, BASE: 3, OTHER: 4}
    ratios = {row.entry.id: row.runtime_ratio for row in board.rows}
    assert ratios["quick"] is not None
    assert ratios["slow"] is not None
    assert ratios["quick"].point == pytest.approx(0.6, rel=0.005)
    assert ratios["slow"].point == pytest.approx(0.8, rel=0.005)
    # the weighted score is of the ratio too: 0.7 * exp(2 * 0.6) + 0.3 * exp(2)
    score = _row(board, "quick").standings["score"].score
    assert score == pytest.approx(0.7 * math.exp(1.2) + 0.3 * math.exp(2.0), rel=0.01)


def test_no_time_of_several_nodes_is_shown() -> None:
    board = _board(_entries())
    for row in board.rows:
        assert not {"runtime", f"runtime:{boards.VALID}", "first_call"} & row.entry.values.keys()
        assert row.entry.intervals == {}
        assert row.entry.values["memory"] > 0
    assert board.nodes == ("a", "b")
    told = " ".join(board.notes)
    assert "nodes a (3 rows), b (1 row)" in told
    assert to_image_csv(board).count('""') >= 4
    drawn = table(board)
    at = [heading.key for heading in drawn.headings].index("runtime_ratio")
    assert [line.cells[at].rank for line in drawn.lines[:4]] == [1, 2, 3, 4]
    text = dict(legend(board.challenge, in_blocks=True, several_nodes=True))["Runtime"]
    assert "one machine" not in text


def test_nodes_that_disagree_on_a_common_reference_are_named_and_not_ranked() -> None:
    # imdn takes 1.5 times the baseline on node a, 1.8 times on node b: of two nobody knows which
    board = _board(_entries(imdn_there=0.36))
    assert not any(row.ranked for row in board.rows)
    assert "its node disagrees with others: imdn over rfdn is 1.8" in _row(board, "quick").reason
    assert any("node b" in note and "not ranked" in note for note in board.notes)


def test_of_three_nodes_the_odd_one_is_named_and_the_others_stand() -> None:
    entries = _entries(imdn_there=0.36)
    for at, name, seconds in ((0, BASE, 0.1), (1, OTHER, 0.15)):
        more = (*entries[at].elsewhere, *_rounds(name, "c", seconds))
        entries[at] = replace(entries[at], elsewhere=more)
    entries.append(_entry("third", *_rounds("third", "c", 0.09)))
    board = _board(entries)
    assert [row.entry.id for row in board.rows if row.ranked] == ["slow", "third", BASE, OTHER]
    assert "node b" in _row(board, "quick").reason


def test_references_whose_own_rows_are_of_the_odd_node_are_ranked_by_another_one() -> None:
    entries = _entries(imdn_there=0.36)
    for at, name, seconds in ((0, BASE, 0.1), (1, OTHER, 0.15)):
        rounds = (*entries[at].timed, *_rounds(name, "c", seconds))
        entries[at] = _entry(name, *entries[at].elsewhere, elsewhere=rounds)
    board = _board(entries)
    assert [row.entry.id for row in board.rows if row.ranked] == ["slow", BASE, OTHER]


def test_nodes_that_differ_within_their_intervals_agree() -> None:
    rules = boards.challenge()
    assert disagreeing(rules, _entries()) == {}
    # beyond the intervals (0.2 % of noise), but by less than one per cent
    assert disagreeing(rules, _entries(imdn_there=0.3 * 1.008)) == {}
    assert set(disagreeing(rules, _entries(imdn_there=0.3 * 1.02))) == {"a", "b"}


def test_two_ratios_are_apart_when_their_intervals_do_not_meet() -> None:
    one = NodeRatio("a", 0.0, 0.05)
    assert not one.apart(NodeRatio("b", 0.1, 0.05))
    assert one.apart(NodeRatio("b", 0.1, 0.04))


def test_rounds_that_were_timed_beside_no_baseline_are_not_ranked() -> None:
    alone = _entry("alone", *_rounds("alone", "c", 0.05, beside=False))
    board = _board([*_entries(), alone])
    assert "not timed beside rfdn" in _row(board, "alone").reason
    assert _row(board, "quick").ranked


def test_older_rounds_without_a_node_or_a_block_are_of_a_node_of_their_own() -> None:
    old = tuple(
        replace(it, outcome=replace(it.outcome, block="", beside=None))
        for it in _rounds("old", "", 0.01)
        if isinstance(it.outcome, RoundFigures)
    )
    entries = [*_entries(), _entry("old", *old)]
    assert nodes_of(entries) == ("", "a", "b")
    board = _board(entries)
    assert not _row(board, "old").ranked
    assert _row(board, "quick").ranked
    assert any("without a name (1 row)" in note for note in board.notes)


def test_a_limit_on_seconds_ranks_no_ratio() -> None:
    board = _board(_entries(), limits=(Limit("runtime", at_most=0.1),))
    assert not any(row.ranked for row in board.rows)
    assert any("can't be held to a limit on Runtime" in note for note in board.notes)


def test_without_a_second_reference_the_board_says_that_nodes_were_not_compared() -> None:
    entries = _entries()
    entries[1] = replace(entries[1], elsewhere=())
    board = _board(entries)
    assert any("Not every node has timed a second reference" in note for note in board.notes)
