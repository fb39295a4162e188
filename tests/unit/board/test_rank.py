from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.board.rank import rank, rounded
from harness.core.audit import Audit
from harness.core.challenge import Challenge, Column, DatasetUse, Limit, Term, Track
from harness.core.leaderboard import BoardEntry, Leaderboard, Row
from harness.core.outcome import Failed

PSNR = "psnr:Set5"
BY_RUNTIME = Track("main", "Runtime", "order", (Term("runtime"),))
CRASH = Failed("load", "crash", "RuntimeError")
BY_SUM = Track("sum", "Complexity", "rank_sum", (Term("params"), Term("macs")))
BY_SCORE = Track("score", "Overall", "weighted_exp", (Term("runtime", 0.75), Term("params", 0.25)))


def a_challenge(
    *tracks: Track, limits: tuple[Limit, ...] = (), ranked: Sequence[str] = (), **others: object
) -> Challenge:
    columns = tuple(Column(key, key, ranked=True) for key in ranked) or (Column(PSNR, "PSNR"),)
    plain = Challenge(
        id="c",
        title="C",
        scale=4,
        quality_profile="ntire",
        datasets=(DatasetUse("Set5", "benchmark"),),
        columns=columns,
        references=("base",),
        baseline="base",
    )
    return replace(plain, tracks=tracks, limits=limits, **others)  # type: ignore[arg-type]


def an_entry(id_: str, values: Mapping[str, float] | None = None, **others: object) -> BoardEntry:
    plain = BoardEntry(id_, "team", id_, "entry", values=values or {})
    return replace(plain, **others)  # type: ignore[arg-type]


def runs(**runtimes: float) -> list[BoardEntry]:
    return [an_entry(id_, {"runtime": seconds}) for id_, seconds in runtimes.items()]


def row(board: Leaderboard, id_: str) -> Row:
    return next(row for row in board.rows if row.entry.id == id_)


def order(board: Leaderboard) -> list[str]:
    return [row.entry.id for row in board.rows]


def places(board: Leaderboard, track: str) -> dict[str, int]:
    return {row.entry.id: row.standings[track].rank for row in board.rows if row.standings}


def scores(board: Leaderboard, track: str) -> dict[str, float]:
    return {row.entry.id: row.standings[track].score for row in board.rows if row.standings}


# Who is ranked


def psnr_row(value: float, limit: Limit) -> Row:
    return rank(a_challenge(limits=(limit,)), [an_entry("a", {PSNR: value})]).rows[0]


def test_a_psnr_below_the_limit_is_named_with_both_figures() -> None:
    got = psnr_row(28.92, Limit(PSNR, at_least=28.95, decimals=2))
    assert not got.ranked
    assert got.reason == "PSNR on Set5 28.92 dB is below 28.95 dB"


@pytest.mark.parametrize(
    ("psnr_db", "kept"),
    [
        (26.896448047711953, True),  # the winner of 2026 but for the rounding
        (26.895, True),
        (26.894999, False),
        (26.9, True),
        (math.inf, True),
    ],
)
def test_a_limit_with_decimals_judges_the_printed_figure(psnr_db: float, kept: bool) -> None:
    assert psnr_row(psnr_db, Limit(PSNR, at_least=26.9, decimals=2)).ranked is kept


def test_a_limit_without_decimals_judges_the_figure_as_measured() -> None:
    got = psnr_row(26.896448047711953, Limit(PSNR, at_least=26.9))
    assert got.reason == "PSNR on Set5 26.8964 dB is below 26.9 dB"
    assert psnr_row(26.9, Limit(PSNR, at_least=26.9)).ranked


def test_an_upper_limit_is_kept_up_to_the_bound() -> None:
    challenge = a_challenge(limits=(Limit("params", at_most=300_000),))
    board = rank(
        challenge, [an_entry("a", {"params": 300_000}), an_entry("b", {"params": 300_001})]
    )
    assert row(board, "a").ranked
    assert row(board, "b").reason == "Params 300,001 is above 300,000"


def test_the_margin_is_the_unrounded_room_to_the_limit() -> None:
    got = psnr_row(26.896, Limit(PSNR, at_least=26.9, decimals=2))
    assert got.ranked
    assert got.margins == {PSNR: pytest.approx(-0.004)}
    challenge = a_challenge(limits=(Limit("params", at_most=300),))
    assert rank(challenge, [an_entry("a", {"params": 280})]).rows[0].margins == {"params": 20}


def test_every_limit_that_is_not_kept_is_listed() -> None:
    limits = (Limit(PSNR, at_least=30.0, decimals=1), Limit("params", at_most=9))
    board = rank(a_challenge(limits=limits), [an_entry("a", {PSNR: 29.0, "params": 10})])
    assert board.rows[0].reason == ("PSNR on Set5 29.0 dB is below 30.0 dB; Params 10 is above 9")


def test_a_figure_that_a_track_or_limit_needs_must_be_there() -> None:
    challenge = a_challenge(BY_RUNTIME, BY_SUM, limits=(Limit(PSNR, at_least=1.0),))
    board = rank(challenge, [an_entry("a", {"macs": 1.0})])
    assert board.rows[0].reason == ("not measured: PSNR on Set5, Runtime, Params")


def test_a_figure_that_only_a_column_shows_may_be_absent() -> None:
    challenge = a_challenge(BY_RUNTIME, ranked=["runtime", "memory"])
    entries = [an_entry("a", {"runtime": 1.0}), an_entry("b", {"runtime": 2.0, "memory": 5})]
    board = rank(challenge, entries)
    assert row(board, "a").ranks == {"runtime": 1}
    assert row(board, "b").ranks == {"runtime": 2, "memory": 1}


def test_an_untrained_model_is_not_ranked_unless_the_challenge_says_so() -> None:
    entry = an_entry("a", {"runtime": 1.0}, untrained=True, rankable=False)
    board = rank(a_challenge(BY_RUNTIME), [entry])
    assert (board.rows[0].ranked, board.rows[0].reason) == (False, "untrained")
    assert rank(a_challenge(BY_RUNTIME, rank_untrained=True), [entry]).rows[0].ranked


def test_a_reference_without_weights_lacks_the_quality_that_untrained_rows_are_ranked_by() -> None:
    entry = an_entry(
        "a", {"runtime": 1.0}, role="reference", untrained=True, remedy="fetch its weights"
    )
    rules = a_challenge(BY_RUNTIME, limits=(Limit(PSNR, at_least=1.0),))
    without = rank(replace(rules, rank_untrained=True), [entry]).rows[0]
    assert (without.ranked, without.reason) == (False, "not measured: PSNR on Set5")
    assert rank(rules, [entry]).rows[0].reason == "untrained: fetch its weights"


def test_an_entry_outside_the_competition_says_so() -> None:
    board = rank(a_challenge(BY_RUNTIME), [an_entry("a", {"runtime": 1.0}, rankable=False)])
    assert board.rows[0].reason == "not entered for ranking"


def test_a_floor_is_never_ranked_whatever_figures_it_has_and_that_is_no_fault() -> None:
    floor = an_entry("bicubic", {"runtime": 0.1}, role="floor")
    got = rank(a_challenge(BY_RUNTIME), [floor]).rows[0]
    assert (got.ranked, got.reason, got.standings) == (False, "", {})


def test_a_failure_keeps_its_reason() -> None:
    failure = Failed("forward", "timeout", "no answer in 300 s")
    board = rank(a_challenge(BY_RUNTIME), [an_entry("a", {"runtime": 1.0}, failure=failure)])
    assert (board.rows[0].ranked, board.rows[0].reason) == (False, "forward: no answer in 300 s")


def test_a_reference_is_ranked_like_anyone() -> None:
    base = an_entry("base", {"runtime": 1.0}, role="reference")
    board = rank(a_challenge(BY_RUNTIME), [*runs(a=2.0), base])
    assert places(board, "main") == {"base": 1, "a": 2}


# Metric ranks


def test_equal_figures_share_the_smaller_rank() -> None:
    board = rank(a_challenge(BY_RUNTIME, ranked=["runtime"]), runs(a=3.0, b=2.0, c=2.0, d=1.0))
    assert {row.entry.id: row.ranks["runtime"] for row in board.rows} == {
        "d": 1,
        "b": 2,
        "c": 2,
        "a": 4,
    }


def test_ordinal_ranks_of_equal_figures_follow_runtime_then_id() -> None:
    challenge = a_challenge(BY_RUNTIME, ranked=["params"], rank_ties="ordinal")
    entries = [
        an_entry("a", {"runtime": 9.0, "params": 5}),
        an_entry("c", {"runtime": 1.0, "params": 5}),
        an_entry("b", {"runtime": 1.0, "params": 5}),
    ]
    board = rank(challenge, entries)
    assert [row(board, id_).ranks["params"] for id_ in "bca"] == [1, 2, 3]


def test_a_stated_order_settles_ordinal_ties_and_nothing_else() -> None:
    challenge = a_challenge(BY_RUNTIME, ranked=["params", "runtime"], rank_ties="ordinal")
    entries = [
        an_entry("a", {"runtime": 1.0, "params": 5}),
        an_entry("b", {"runtime": 2.0, "params": 5}),
        an_entry("c", {"runtime": 3.0, "params": 4}),
    ]
    board = rank(challenge, entries, tie_order={"params": ["b", "a", "c"]})
    assert [row(board, id_).ranks["params"] for id_ in "cba"] == [1, 2, 3]
    assert [row(board, id_).ranks["runtime"] for id_ in "abc"] == [1, 2, 3]


def test_a_stated_order_of_a_track_settles_its_ordinal_ties_alone() -> None:
    # params 1, 2 and macs 2, 1: equal sums, which runtime order would give to a
    entries = [
        an_entry("a", {"runtime": 1.0, "params": 1, "macs": 20}),
        an_entry("b", {"runtime": 2.0, "params": 2, "macs": 10}),
    ]
    challenge = a_challenge(replace(BY_SUM, ties="ordinal"), BY_RUNTIME)
    assert places(rank(challenge, entries), "sum") == {"a": 1, "b": 2}
    stated = rank(challenge, entries, tie_order={"track:sum": ["b", "a"]})
    assert places(stated, "sum") == {"b": 1, "a": 2}
    assert places(stated, "main") == {"a": 1, "b": 2}


def test_more_psnr_ranks_higher_and_fewer_params_do() -> None:
    challenge = a_challenge(ranked=[PSNR, "params"])
    board = rank(challenge, [an_entry("a", {PSNR: 30, "params": 9}), an_entry("b", {PSNR: 31})])
    assert row(board, "a").ranks == {PSNR: 2, "params": 1}
    assert row(board, "b").ranks == {PSNR: 1}


# Tracks


def test_an_order_is_settled_by_its_later_terms() -> None:
    track = Track("main", "Main", "order", (Term("runtime"), Term(PSNR)))
    entries = [
        an_entry("a", {"runtime": 1.0, PSNR: 30.0}),
        an_entry("b", {"runtime": 1.0, PSNR: 31.0}),
        an_entry("c", {"runtime": 0.5, PSNR: 29.0}),
    ]
    board = rank(a_challenge(track), entries)
    assert places(board, "main") == {"c": 1, "b": 2, "a": 3}
    assert scores(board, "main")["b"] == 1.0


def test_a_rank_sum_adds_metric_ranks_and_equal_sums_share_a_place() -> None:
    # params 1, 2, 3, 4 and macs 3, 2, 1, 4: sums 4, 4, 4, 8
    figures = {"a": (1, 30), "b": (2, 20), "c": (3, 10), "d": (4, 40)}
    entries = [an_entry(id_, {"params": p, "macs": m}) for id_, (p, m) in figures.items()]
    board = rank(a_challenge(BY_SUM), entries)
    assert scores(board, "sum") == {"a": 4, "b": 4, "c": 4, "d": 8}
    assert places(board, "sum") == {"a": 1, "b": 1, "c": 1, "d": 4}
    ordinal = rank(a_challenge(replace(BY_SUM, ties="ordinal")), entries)
    assert places(ordinal, "sum") == {"a": 1, "b": 2, "c": 3, "d": 4}


def test_a_weighted_score_is_a_sum_of_exponentials_of_ratios_to_the_baseline() -> None:
    entries = [
        an_entry("base", {"runtime": 2.0, "params": 100}, role="reference"),
        an_entry("a", {"runtime": 1.0, "params": 200}),
    ]
    board = rank(a_challenge(BY_SCORE), entries)
    assert scores(board, "score") == {
        "base": pytest.approx(math.e**2),
        "a": pytest.approx(0.75 * math.e + 0.25 * math.e**4),
    }
    assert places(board, "score") == {"base": 1, "a": 2}


def test_an_untrained_baseline_still_gives_the_ratios() -> None:
    entries = [
        an_entry("base", {"runtime": 2.0, "params": 100}, untrained=True, rankable=False),
        an_entry("a", {"runtime": 2.0, "params": 100}),
    ]
    board = rank(a_challenge(BY_SCORE), entries)
    assert scores(board, "score") == {"a": pytest.approx(math.e**2)}


def test_printed_figures_stand_in_for_a_baseline_without_a_row_and_for_no_other() -> None:
    printed = {"runtime": 1.0, "params": 100.0}
    entry = an_entry("a", {"runtime": 2.0, "params": 100})
    alone = rank(a_challenge(BY_SCORE), [entry], baseline_figures=printed)
    assert scores(alone, "score") == {"a": pytest.approx(0.75 * math.e**4 + 0.25 * math.e**2)}
    assert order(alone) == ["a"]
    base = an_entry("base", {"runtime": 2.0, "params": 100}, rankable=False)
    beside = rank(a_challenge(BY_SCORE), [entry, base], baseline_figures=printed)
    assert scores(beside, "score") == {"a": pytest.approx(math.e**2)}


def test_a_term_of_differences_costs_one_at_the_baseline_and_two_at_a_loss_of_per() -> None:
    track = Track("score", "Overall", "weighted_exp", (Term(PSNR, 0.5, per=0.2),))
    figures = {"base": 29.0, "equal": 29.0, "better": 29.25, "worse": 28.75}
    entries = [an_entry(id_, {PSNR: psnr_db}) for id_, psnr_db in figures.items()]
    board = rank(a_challenge(track), entries)
    assert scores(board, "score") == {
        "base": pytest.approx(0.5 * math.e**2),
        "equal": pytest.approx(0.5 * math.e**2),
        "better": pytest.approx(0.5 * math.exp(2 * (1 - 0.25 / 0.2))),
        "worse": pytest.approx(0.5 * math.exp(2 * (1 + 0.25 / 0.2))),
    }
    assert places(board, "score") == {"better": 1, "base": 2, "equal": 2, "worse": 4}


def test_a_term_of_differences_takes_less_of_a_cost_as_better() -> None:
    track = Track("score", "Overall", "weighted_exp", (Term("runtime", per=2.0),))
    board = rank(a_challenge(track), runs(base=0.0, slow=2.0))
    assert scores(board, "score") == {
        "base": pytest.approx(math.e**2),
        "slow": pytest.approx(math.e**4),
    }


ENERGY = Term("energy", 0.5, optional=True)


@pytest.mark.parametrize(
    ("kind", "full", "short"),
    [
        # energy 2 and 1 of the baseline's 1; runtime 1 and 2 of 1
        (
            "weighted_exp",
            {"a": math.e**2 + 0.5 * math.e**4, "b": math.e**4 + 0.5 * math.e**2},
            {"a": math.e**2, "b": math.e**4},
        ),
        ("rank_sum", {"a": 1 + 0.5 * 2, "b": 2 + 0.5 * 1}, {"a": 1.0, "b": 2.0}),
        ("order", {"a": 1.0, "b": 2.0}, {"a": 1.0, "b": 2.0}),
    ],
)
def test_an_optional_term_counts_for_all_or_for_nobody(
    kind: Literal["order", "rank_sum", "weighted_exp"],
    full: dict[str, float],
    short: dict[str, float],
) -> None:
    challenge = a_challenge(Track("t", "Green", kind, (Term("runtime"), ENERGY)))
    base = an_entry("base", {"runtime": 1.0, "energy": 1.0}, rankable=False)
    drawn = {"a": {"runtime": 1.0, "energy": 2.0}, "b": {"runtime": 2.0, "energy": 1.0}}
    entries = [base, *(an_entry(id_, values) for id_, values in drawn.items())]
    board = rank(challenge, entries)
    assert scores(board, "t") == pytest.approx(full)
    assert board.notes == ()
    unread = replace(entries[1], values={"runtime": 1.0})
    board = rank(challenge, [base, unread, entries[2]])
    assert scores(board, "t") == pytest.approx(short)
    assert board.notes == (
        "Green: without what the rules call optional: Energy, not measured of a",
    )
    # a row that is not ranked has no say in it
    board = rank(challenge, [*entries, replace(unread, id="c", untrained=True)])
    assert scores(board, "t") == pytest.approx(full)


def test_a_baseline_without_the_figure_drops_an_optional_term_of_relative_scores() -> None:
    track = Track("t", "Green", "weighted_exp", (Term("runtime"), ENERGY))
    entries = [an_entry("base", {"runtime": 1.0}), an_entry("a", {"runtime": 2.0, "energy": 2.0})]
    board = rank(a_challenge(track), entries)
    assert scores(board, "t")["a"] == pytest.approx(math.e**4)
    assert "not measured of base" in board.notes[0]


def test_who_lacks_an_optional_figure_is_told_in_one_order() -> None:
    challenge = a_challenge(Track("t", "Green", "order", (Term("runtime"), ENERGY)))
    entries = [an_entry(id_, {"runtime": 1.0}) for id_ in "ba"]
    full = an_entry("c", {"runtime": 1.0, "energy": 1.0})
    notes = {rank(challenge, [*some, full]).notes for some in (entries, entries[::-1])}
    assert notes == {("Green: without what the rules call optional: Energy, not measured of a, b",)}


def test_what_an_optional_term_lacks_is_no_reason_and_what_no_row_has_is_told_once() -> None:
    needed = Track("t", "Green", "rank_sum", (Term("runtime"), Term("energy")))
    board = rank(a_challenge(needed), runs(a=1.0, b=2.0))
    assert {it.reason for it in board.rows} == {"not measured: Energy"}
    assert board.notes == ("No row is ranked, since none has Energy, which the rules need.",)


@pytest.mark.parametrize(
    ("baseline", "note"),
    [
        ([], "Overall: no scores, since the baseline base was not run"),
        (
            [an_entry("base", failure=CRASH)],
            "Overall: no scores, since the baseline base failed",
        ),
        (
            [an_entry("base", {"runtime": 1.0})],
            "Overall: no scores, since the baseline base has no Params",
        ),
        (
            [an_entry("base", {"runtime": 0.0, "params": 1})],
            "Overall: no scores, since the baseline base has no Runtime",
        ),
    ],
)
def test_without_the_baseline_s_figures_a_track_has_no_standings(
    baseline: list[BoardEntry], note: str
) -> None:
    entries = [an_entry("a", {"runtime": 1.0, "params": 2}), *baseline]
    board = rank(a_challenge(BY_RUNTIME, BY_SCORE), entries, notes=["as given"])
    assert board.notes == ("as given", note)
    assert list(row(board, "a").standings) == ["main"]


def test_a_row_too_slow_for_a_float_still_has_a_finite_score() -> None:
    entries = [an_entry("base", {"runtime": 1e-3, "params": 1})]
    entries += [an_entry("slow", {"runtime": 1e3, "params": 1})]
    board = rank(a_challenge(BY_SCORE), entries)
    assert math.isfinite(scores(board, "score")["slow"])
    assert places(board, "score") == {"base": 1, "slow": 2}


# The board


def test_ranked_rows_lead_then_unranked_then_the_floor_then_failures() -> None:
    entries = [
        an_entry("z_failed", failure=CRASH),
        an_entry("a_failed", failure=CRASH),
        an_entry("floor", role="floor", rankable=False),
        an_entry("slow_untrained", {"runtime": 0.2}, untrained=True),
        an_entry("fast_untrained", {"runtime": 0.1}, untrained=True),
        *runs(slow=3.0, fast=2.0),
    ]
    assert order(rank(a_challenge(BY_RUNTIME), entries)) == [
        *("fast", "slow", "fast_untrained", "slow_untrained", "floor", "a_failed", "z_failed"),
    ]


def test_the_first_track_orders_the_rows_and_runtime_settles_its_ties() -> None:
    figures = {"a": (1, 30, 0.3), "b": (2, 20, 0.1), "c": (3, 10, 0.2)}
    entries = [
        an_entry(id_, {"params": p, "macs": m, "runtime": s}) for id_, (p, m, s) in figures.items()
    ]
    assert order(rank(a_challenge(BY_SUM, BY_RUNTIME), entries)) == ["b", "c", "a"]


def test_without_tracks_the_references_lead() -> None:
    entries = [*runs(b=1.0, a=2.0), an_entry("base", {"runtime": 9.0}, role="reference")]
    assert order(rank(a_challenge(), entries)) == ["base", "b", "a"]


def test_an_id_that_stands_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="entries stand twice: a"):
        rank(a_challenge(), [an_entry("a"), an_entry("a"), an_entry("b")])


def test_a_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="a: runtime is NaN"):
        rank(a_challenge(), runs(a=math.nan))


@pytest.mark.parametrize(
    ("value", "decimals", "printed"),
    [
        (28.945, 2, "28.95"),  # the float lies below: round() gives 28.94
        (2.675, 2, "2.68"),
        (0.5, 0, "1"),
        (1.5, 0, "2"),
        (-0.125, 2, "-0.13"),
        (1e-9, 2, "0.00"),
        (math.inf, 2, "Infinity"),
    ],
)
def test_rounding_is_half_up_of_the_shortest_decimal(
    value: float, decimals: int, printed: str
) -> None:
    assert str(rounded(value, decimals)) == printed


@given(st.integers(-(10**6), 10**6), st.integers(0, 3))
def test_a_figure_that_is_printed_in_full_is_judged_as_it_stands(units: int, decimals: int) -> None:
    value = units / 10**decimals
    assert rounded(value, decimals) == Decimal(repr(value))


# Properties. Few distinct figures, so that ties are common.

KEYS = ("runtime", "params", "macs", PSNR)
FULL = a_challenge(
    BY_SUM,
    BY_SCORE,
    BY_RUNTIME,
    Track("loss", "Loss", "weighted_exp", (Term(PSNR, per=2.0), Term("runtime", 0.5))),
    Track("green", "Green", "rank_sum", (Term("params"), Term("energy", optional=True))),
    Track("ordinal", "Ordinal", "order", (Term(PSNR), Term("macs")), ties="ordinal"),
    limits=(Limit(PSNR, at_least=2.0),),
    ranked=KEYS,
)
ORDINAL = replace(FULL, rank_ties="ordinal")
figure = st.integers(1, 4).map(float)
challenges = st.sampled_from([FULL, ORDINAL])


@st.composite
def fields(draw: st.DrawFn) -> list[BoardEntry]:
    count = draw(st.integers(1, 6))
    entries = []
    for id_ in ["base", "a", "b", "c", "d", "e"][:count]:
        keys = KEYS if draw(st.integers(0, 7)) else KEYS[1:]
        keys += ("energy",) if draw(st.integers(0, 5)) else ()
        entries.append(
            an_entry(
                id_,
                {key: draw(figure) for key in keys},
                failure=None if draw(st.integers(0, 7)) else CRASH,
                untrained=not draw(st.integers(0, 7)),
            )
        )
    return entries


@given(challenges, fields(), st.data())
def test_the_order_of_entries_never_matters(
    challenge: Challenge, entries: list[BoardEntry], data: st.DataObject
) -> None:
    assert rank(challenge, entries) == rank(challenge, data.draw(st.permutations(entries)))


@given(challenges, fields(), st.data())
def test_a_worse_figure_never_helps(
    challenge: Challenge, entries: list[BoardEntry], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(entries) - 1))
    key = data.draw(st.sampled_from(sorted(entries[at].values)))
    by = data.draw(st.integers(1, 3))
    worse = entries[at].values[key] + (-by if key == PSNR else by)
    weakened = replace(entries[at], values={**entries[at].values, key: worse})
    before = row(rank(challenge, entries), weakened.id)
    after = row(rank(challenge, [*entries[:at], weakened, *entries[at + 1 :]]), weakened.id)
    assert before.ranked or not after.ranked
    for track, standing in after.standings.items():
        assert standing.rank >= before.standings[track].rank
    for metric_key, place in after.ranks.items():
        assert place >= before.ranks[metric_key]


@given(challenges, fields(), st.data())
def test_a_row_that_is_not_ranked_moves_no_other(
    challenge: Challenge, entries: list[BoardEntry], data: st.DataObject
) -> None:
    board = rank(challenge, entries)
    unranked = [row.entry.id for row in board.rows if not row.ranked and row.entry.id != "base"]
    assume(unranked)
    out = data.draw(st.sampled_from(unranked))
    without = rank(challenge, [entry for entry in entries if entry.id != out])
    assert without.rows == tuple(row for row in board.rows if row.entry.id != out)


@given(challenges, fields())
def test_equal_scores_share_a_place_and_places_start_at_one(
    challenge: Challenge, entries: list[BoardEntry]
) -> None:
    ranked = [row for row in rank(challenge, entries).rows if row.ranked]
    assume(ranked)
    for track in ranked[0].standings:
        got = [row.standings[track] for row in ranked]
        if track == "ordinal":
            assert sorted(standing.rank for standing in got) == list(range(1, len(ranked) + 1))
        else:
            smaller = [sum(other.score < it.score for other in got) for it in got]
            assert [standing.rank - 1 for standing in got] == smaller


@given(challenges, fields())
def test_metric_ranks_count_who_is_better_or_run_from_one_without_gaps(
    challenge: Challenge, entries: list[BoardEntry]
) -> None:
    ranked = [row for row in rank(challenge, entries).rows if row.ranked]
    for key in KEYS:
        got = {row.entry.id: row.ranks[key] for row in ranked}
        if challenge.rank_ties == "ordinal":
            assert sorted(got.values()) == list(range(1, len(ranked) + 1))
        else:
            sign = -1 if key == PSNR else 1
            for it in ranked:
                value = sign * it.entry.values[key]
                better = sum(sign * other.entry.values[key] < value for other in ranked)
                assert got[it.entry.id] == better + 1


def below_the_floor(**rules: bool) -> Leaderboard:
    return rank(
        a_challenge(BY_RUNTIME, **rules),
        [
            an_entry("bicubic", {PSNR: 28.4}, role="floor"),
            an_entry("poor", {PSNR: 28.3, "runtime": 1.0}),
            an_entry("good", {PSNR: 28.4, "runtime": 2.0}),
            an_entry("seeded", {PSNR: 6.0, "runtime": 3.0}, untrained=True),
        ],
    )


def test_a_row_below_the_floor_stands_apart_and_takes_no_place() -> None:
    board = below_the_floor()
    told = {row.entry.id: row.below_floor for row in board.rows}
    assert told == {"good": (), "seeded": (), "bicubic": (), "poor": ("Set5",)}
    assert [it.entry.id for it in board.rows] == ["good", "seeded", "bicubic", "poor"]
    assert row(board, "poor").reason == (
        "below the floor: plain upscaling has more PSNR on Set5 (by 0.1 dB)"
    )
    assert row(board, "good").standings["main"].rank == 1


def test_rules_may_rank_what_is_below_the_floor() -> None:
    board = below_the_floor(rank_below_floor=True)
    assert row(board, "poor").below_floor == ("Set5",)
    assert row(board, "poor").standings["main"].rank == 1
    assert row(board, "good").standings["main"].rank == 2


def test_references_take_no_place_where_the_rules_say_so() -> None:
    rules = a_challenge(
        BY_RUNTIME, rank_references=False, references=("known", "baseline"), baseline="baseline"
    )
    figures = {"runtime": 1.0}
    board = rank(
        rules,
        [
            an_entry("baseline", figures, role="reference"),
            an_entry("known", figures, role="reference"),
            an_entry("entered", {"runtime": 2.0}, role="reference"),  # named as an entry
            an_entry("mine", {"runtime": 3.0}),
        ],
    )
    assert {it.entry.id: it.standings["main"].rank for it in board.rows if it.ranked} == {
        "entered": 1,
        "mine": 2,
    }
    assert row(board, "known").reason == "not entered for ranking"


@pytest.mark.parametrize("value", [1e30, 1.7e308, -1.7e308])
def test_a_figure_of_any_size_is_rounded(value: float) -> None:
    assert rounded(value, 12) == Decimal(repr(value))


def test_a_rejected_measurement_is_not_ranked_and_a_suspect_one_is() -> None:
    doubts = (Audit("repeats", "suspect", "60 ms"),)
    odd = replace(an_entry("odd", {"runtime": 1.0}), audits=doubts)
    faults = (Audit("clock", "rejected", "54 ms"),)
    bad = replace(an_entry("bad", {"runtime": 0.1}), audits=faults)
    board = rank(a_challenge(BY_RUNTIME), [odd, bad])
    assert [(row.entry.id, row.ranked) for row in board.rows] == [("odd", True), ("bad", False)]
    assert board.rows[1].reason == "rejected by the audit of clock: 54 ms"
    assert board.rows[0].standings["main"].rank == 1


def test_rules_may_refuse_a_measurement_that_an_audit_doubts() -> None:
    audits = (Audit("repeats", "suspect", "60 ms"),)
    doubtful = replace(an_entry("a", {"runtime": 1.0}), audits=audits)
    board = rank(a_challenge(BY_RUNTIME, rank_suspect=False), [doubtful])
    assert (board.rows[0].ranked, board.rows[0].reason) == (
        False,
        "suspect by the audit of repeats: 60 ms",
    )
