from __future__ import annotations

from dataclasses import replace

from fakes import boards

from harness.core.audit import Audit
from harness.core.leaderboard import EntryBadge, Interval, Leaderboard, RankRange, Row
from harness.core.model_counts import CountVerdict
from harness.core.record import ELSEWHERE, Environment
from harness.render.glance import good_news, warnings
from harness.render.table import table


def timed(place: int, rounds: int = 2, **changes: object) -> Row:
    name = f"e{place}"
    records = tuple(
        boards.record(name, boards.round_figures(number), number) for number in range(1, rounds + 1)
    )
    changes = {"intervals": {}, **changes}
    return boards.ranked(place, id=name, title=f"Net {place}", records=records, **changes)


def board_of(*rows: Row, load: str = "0.5 0.4 0.3", isolation: str = "bubblewrap") -> Leaderboard:
    machine = Environment("f", {"cores": "2", "isolation": isolation}, {"load_average": load})
    return replace(boards.board(*rows), environment=machine)


def test_a_calm_board_has_nothing_to_warn_of() -> None:
    assert warnings(board_of(timed(1), timed(2))) == ()


def test_a_load_above_the_cores_is_told() -> None:
    (told,) = warnings(board_of(timed(1), load="2.3 1.0 1.0"))
    assert told == "The machine was busy: a load of 2.3 on 2 cores."


def test_rounds_that_lie_more_than_a_tenth_apart_are_told_the_farthest_first() -> None:
    def spread(high: float) -> dict[str, Interval]:
        return {"runtime": Interval(0.020, high)}

    rows = (timed(1, intervals=spread(0.0219)), timed(2, intervals=spread(0.023)))
    (told,) = warnings(board_of(*rows, timed(3, intervals=spread(0.025))))
    assert told == "Rounds lie more than 10% apart, up to 25%: Net 3, Net 2."


def test_no_sandbox_is_told() -> None:
    (told,) = warnings(board_of(timed(1), isolation="none"))
    assert told.startswith("No sandbox")


def test_ranks_that_can_not_be_told_apart_are_counted() -> None:
    rows = (timed(1), timed(2), timed(3))
    spans = (RankRange(1, 2), RankRange(1, 2), RankRange(3, 3))
    both = (replace(row, runtime_span=it) for row, it in zip(rows, spans, strict=True))
    assert warnings(board_of(*both)) == ("2 of 3 ranks by runtime can't be told from others.",)


def test_of_one_round_no_rank_by_runtime_is_shown_and_all_others_are() -> None:
    board = board_of(timed(1, rounds=1), timed(2, rounds=1))
    (told,) = warnings(board)
    assert told.startswith("One round only")
    drawn = table(board)
    keys = [it.key for it in drawn.headings]
    for line in drawn.lines:
        cells = dict(zip(keys, line.cells, strict=True))
        assert cells["track:main"].text == "–"
        assert (cells["runtime"].place, cells["runtime"].text) == ("", "27.11")
        assert cells["params"].place
        assert cells["track:sub1"].place
    two = table(board_of(timed(1), timed(2)))
    assert two.lines[0].cells[keys.index("runtime")].place == "1"


def test_figures_from_elsewhere_are_not_warned_of() -> None:
    board = replace(board_of(timed(1, rounds=1)), environment=ELSEWHERE)
    assert (warnings(board), good_news(board)) == ((), ())


def test_good_news_counts_the_rows_that_were_timed() -> None:
    odd = Audit("clock", "suspect", "odd")
    rows = (
        timed(1, audits=(Audit("clock", "ok", ""),)),
        timed(2, audits=(odd,), verdict=CountVerdict("disputed", ("why",))),
        timed(3, marks=(EntryBadge.AS_CODE,)),
        boards.failed_row(),
    )
    assert good_news(board_of(*rows)) == (
        ("Counts verified", "2 of 3"),
        ("Audits found nothing", "1 of 3"),
        ("Captured", "2 of 3"),
    )
