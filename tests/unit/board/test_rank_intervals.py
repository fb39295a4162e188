from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from fakes import boards

from harness.board.rank_intervals import Runtimes, interval, with_spans
from harness.core.leaderboard import Leaderboard, RankRange, Row
from harness.core.record import RoundFigures, Sample, TimedBeside
from harness.stats.incomplete_blocks import fitted

DATASETS = (boards.VALID, boards.TEST)


def _figures(seconds: float) -> RoundFigures:
    samples = tuple(Sample(name, "a", 0, 10, 10, seconds, seconds) for name in DATASETS)
    return replace(boards.round_figures(1), samples=samples)


def _row(name: str, *rounds: float, session: str = "s1", place: int = 1) -> Row:
    records = tuple(
        boards.record(name, _figures(seconds), number, session=session)
        for number, seconds in enumerate(rounds, start=1)
    )
    return boards.ranked(place, id=name, records=records)


def _in_blocks(row: Row) -> Row:
    """Its rounds as a run stores them now."""
    records = tuple(
        replace(it, outcome=replace(it.outcome, block=f"{it.session}/{it.round}"))
        for it in row.entry.records
        if isinstance(it.outcome, RoundFigures)
    )
    return replace(row, entry=replace(row.entry, records=records))


def _spans(*rows: Row) -> list[tuple[int, int] | None]:
    board: Leaderboard = with_spans(boards.board(*rows))
    spans = [row.runtime_span for row in board.rows]
    return [None if it is None else (it.first, it.last) for it in spans]


def test_ranks_that_the_rounds_separate_are_single_and_the_others_ranges() -> None:
    rows = (
        _row("fast", 0.010, 0.0101, 0.0099),
        _row("one", 0.0200, 0.0210, 0.0190),
        _row("two", 0.0205, 0.0205, 0.0195),
        _row("slow", 0.050, 0.0501, 0.0502),
    )
    assert _spans(*rows) == [(1, 1), (2, 3), (2, 3), (4, 4)]


def test_rounds_side_by_side_are_compared_pair_by_pair() -> None:
    # the machine halves its speed from round to round; the ratio stays 1.1
    one = _row("one", 0.01, 0.02, 0.04)
    two = _row("two", 0.0111, 0.022, 0.0438)
    assert _spans(one, two) == [(1, 1), (2, 2)]
    elsewhere = _row("two", 0.0111, 0.022, 0.0438, session="another")
    assert _spans(one, elsewhere) == [(1, 2), (1, 2)]


def test_one_round_can_tell_nothing() -> None:
    assert _spans(_row("one", 0.01), _row("two", 0.02)) == [None, None]
    assert _spans(_row("one", 0.01, 0.011), _row("two", 0.02)) == [None, None]


def test_rows_that_are_not_ranked_or_not_timed_have_no_range_and_count_for_nothing() -> None:
    out = replace(_row("out", 0.001, 0.001), ranked=False)
    rows = (_row("one", 0.01, 0.0101), out, boards.failed_row(), boards.floor_row())
    assert _spans(*rows) == [(1, 1), None, None, None]


def test_the_interval_of_rounds_without_blocks_is_students() -> None:
    one = {f"s/{n}": it for n, it in enumerate((1.0, 2.0, 3.0))}
    zero = {f"s/{n}": 0.0 for n in range(3)}
    # mean 2, standard deviation 1, t of 2 degrees of freedom 4.303
    ends = pytest.approx((2.0, 2.0 - 2.4843, 2.0 + 2.4843), abs=1e-3)
    found = interval(one, zero, 0.95)
    assert (found.point, found.low, found.high) == ends
    apart = {f"other/{n}": 0.0 for n in range(3)}
    # Welch: all spread is of one sample, so its 2 degrees of freedom
    found = interval(one, apart, 0.95)
    assert (found.point, found.low, found.high) == ends
    alone = interval({"s/0": 0.5}, {"s/0": 0.5}, 0.95)
    assert (alone.point, alone.low, alone.high) == (0.0, -math.inf, math.inf)


def test_blocks_pool_what_noise_there_is_and_hold_for_all_pairs() -> None:
    seconds = {
        "fast": (0.0100, 0.0202, 0.0398),
        "one": (0.0200, 0.0404, 0.0804),
        "two": (0.0205, 0.0402, 0.0805),
        "slow": (0.0300, 0.0606, 0.1206),
    }
    named = [_in_blocks(_row(name, *its)) for name, its in seconds.items()]
    assert _spans(*named) == [(1, 1), (2, 3), (2, 3), (4, 4)]
    # four rows of one run, of which one has been measured once until now
    named[3] = _in_blocks(_row("slow", 0.030))
    assert _spans(*named[:3]) == [(1, 1), (2, 3), (2, 3)]
    assert _spans(*named) == [None] * 4


def test_a_newcomer_is_compared_with_the_base_that_was_timed_beside_it() -> None:
    rfdn = _in_blocks(_row("rfdn", 0.0100, 0.0101, 0.0099))
    old = _in_blocks(_row("old", 0.0150, 0.0153, 0.0147))
    # on another day the machine takes twice as long
    new = _in_blocks(_row("new", 0.0400, 0.0404, 0.0396, session="another"))
    assert with_spans(boards.board(rfdn, old, new)).rows[2].runtime_ratio is not None
    records = tuple(
        replace(
            it,
            outcome=replace(
                it.outcome, beside=TimedBeside("rfdn", _figures(0.5 * seconds).samples)
            ),
        )
        for it, seconds in zip(new.entry.records, (0.0400, 0.0404, 0.0396), strict=True)
        if isinstance(it.outcome, RoundFigures)
    )
    new = replace(new, entry=replace(new.entry, records=records))
    rows = with_spans(boards.board(rfdn, old, new)).rows
    ratio = rows[2].runtime_ratio
    assert ratio is not None
    assert ratio.point == pytest.approx(2.0)
    assert ratio.high < 2.05
    assert [row.runtime_span for row in rows] == [RankRange(it, it) for it in (1, 2, 3)]


def test_blocks_of_runs_that_share_no_entry_are_two_samples() -> None:
    one = {f"s/{n}": it for n, it in enumerate((1.0, 2.0, 3.0))}
    apart = {f"other/{n}": 0.0 for n in range(3)}
    timed = {"one": one, "apart": apart, "alone": {"again/0": 0.5}}
    runtimes = Runtimes(timed, fitted(timed, confidence=0.95))
    found = runtimes.difference("one", "apart")
    # all spread is of one sample, so its 2 degrees of freedom; of three pairs 98.33 % each: t 7.649
    assert found.high - found.point == pytest.approx(7.649 / math.sqrt(3.0), abs=1e-3)
    assert runtimes.difference("one", "alone").high == math.inf


def test_a_round_that_names_no_block_has_the_board_judged_as_older_ones_are() -> None:
    seconds = {"one": (0.0100, 0.0202, 0.0398), "two": (0.0110, 0.0218, 0.0449)}
    rows = [_row(name, *its) for name, its in seconds.items()]
    older = with_spans(boards.board(*rows))
    assert with_spans(boards.board(_in_blocks(rows[0]), rows[1])).rows[1].runtime_span == (
        older.rows[1].runtime_span
    )


def test_the_ratio_is_to_the_challenges_baseline_with_its_interval() -> None:
    rows = (_row("acme", 0.020, 0.0202), _row("rfdn", 0.010, 0.010))
    acme, rfdn = with_spans(boards.board(*rows)).rows
    ratio = acme.runtime_ratio
    assert ratio is not None
    assert (ratio.to, ratio.point) == ("rfdn", pytest.approx(2.01, abs=1e-3))
    assert ratio.low < 2.01 < ratio.high
    assert rfdn.runtime_ratio is None
    assert acme.runtime_span == RankRange(2, 2)


@pytest.mark.parametrize(
    ("rules", "places"),
    [
        ({}, (2, 1)),
        ({"runtime_over": (boards.VALID,)}, (1, 2)),
        ({"runtime_mean": "images"}, (1, 2)),
    ],
)
def test_ranges_are_of_the_runtime_that_is_ranked(
    rules: dict[str, Any], places: tuple[int, int]
) -> None:
    def row(name: str, valid_s: float, test_s: float) -> Row:
        # three images to validate on, one to test on
        of_valid = tuple(Sample(boards.VALID, it, 0, 10, 10, valid_s, valid_s) for it in "abc")
        samples = (*of_valid, Sample(boards.TEST, "a", 0, 10, 10, test_s, test_s))
        figures = replace(boards.round_figures(1), samples=samples)
        records = tuple(boards.record(name, figures, n, session="s1") for n in (1, 2, 3))
        return boards.ranked(1, id=name, records=records)

    board = boards.board(row("one", 0.010, 0.030), row("two", 0.013, 0.022))
    board = replace(board, challenge=replace(board.challenge, **rules))
    spans = [row.runtime_span for row in with_spans(board).rows]
    assert spans == [RankRange(place, place) for place in places]


def test_pairs_that_are_not_told_apart_are_noted_with_what_it_would_take() -> None:
    seconds = {
        "fast": (0.0100, 0.0202, 0.0398),
        "one": (0.0200, 0.0404, 0.0804),
        "two": (0.0205, 0.0402, 0.0805),
        "slow": (0.0300, 0.0606, 0.1206),
    }
    rows = [_in_blocks(_row(name, *its)) for name, its in seconds.items()]
    (note,) = with_spans(boards.board(*rows)).notes[1:]
    assert note.startswith(
        "Runtimes that 3 rounds can't tell apart, of 6 pairs of ranked rows: one and two (about "
    )
    assert note.endswith(" min).")
    apart = with_spans(boards.board(rows[0], rows[3]))
    assert apart.in_blocks
    assert len(apart.notes) == 1
    older = with_spans(boards.board(*(_row(name, *its) for name, its in seconds.items())))
    assert not older.in_blocks
    assert len(older.notes) == 1


def test_more_rounds_than_are_worth_it_are_not_counted() -> None:
    rows = [
        _in_blocks(_row(name, *its))
        for name, its in {
            "one": (0.0200, 0.0404, 0.0804),
            "two": (0.0204, 0.0400, 0.0804),
        }.items()
    ]
    (note,) = with_spans(boards.board(*rows)).notes[1:]
    assert "one and two (more rounds than are worth it)" in note


def test_rows_of_one_graph_are_one_entry_to_the_blocks_and_share_their_ranks() -> None:
    seconds = {
        "fast": (0.0100, 0.0202, 0.0398),
        "slow": (0.0300, 0.0606, 0.1206),
        "other": (0.0200, 0.0404, 0.0806),
    }
    rows = [_in_blocks(_row(name, *its)) for name, its in seconds.items()]
    copy = _in_blocks(_row("copy", *seconds["fast"]))
    spans = _spans(*rows, copy)
    assert spans == [(1, 2), (4, 4), (3, 3), (1, 2)]
    alone, beside = (
        with_spans(boards.board(*its, baseline="fast", references=("fast",))).rows[1].runtime_ratio
        for its in (rows, [*rows, copy])
    )
    assert alone == beside
