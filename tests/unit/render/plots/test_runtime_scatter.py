from __future__ import annotations

from dataclasses import replace

from fakes import boards

from harness.core.leaderboard import RankRange, Ratio
from harness.core.record import RoundFigures, Sample
from harness.render.detail import facts
from harness.render.document import document
from harness.render.plots.runtime_scatter import spread
from harness.render.table import table


def _figures(*seconds: float, widths: tuple[int, ...] = ()) -> RoundFigures:
    samples = tuple(
        Sample(boards.VALID, f"i{n}", 0, 1000, widths[n] if widths else 1000, it, it)
        for n, it in enumerate(seconds)
    )
    return replace(boards.round_figures(1), samples=samples)


def _entry(*rounds: RoundFigures) -> object:
    records = tuple(boards.record("acme", it, n) for n, it in enumerate(rounds, start=1))
    return boards.entry(id="acme", records=records)


def test_the_line_of_fixed_and_per_pixel_cost_is_told() -> None:
    figures = _figures(0.015, 0.025, 0.045, widths=(500, 1000, 2000))
    drawing = spread(_entry(figures))  # type: ignore[arg-type]
    assert drawing is not None
    assert "5.00 ms at least and 20.00 ms for each LR megapixel" in drawing.description
    assert "5.0 ms + 20 ms per LR megapixel" in drawing.svg


def test_images_of_one_size_have_no_line() -> None:
    drawing = spread(_entry(_figures(0.01, 0.02)))  # type: ignore[arg-type]
    assert drawing is not None
    assert "megapixel" not in drawing.description


def test_drift_and_the_distance_of_rounds_are_told() -> None:
    rounds = (_figures(*(0.010,) * 6), _figures(*(0.012,) * 6), _figures(*(0.010,) * 6))
    drawing = spread(_entry(*rounds))  # type: ignore[arg-type]
    assert drawing is not None
    assert drawing.description == (
        "Runtime: from the first to the last third of a round +0.0%; rounds lie 20.0% apart."
    )


def test_a_drift_that_is_the_same_in_every_round_is_seen() -> None:
    one = _figures(*(0.010 * 1.02**n for n in range(30)))
    drawing = spread(_entry(one, one, one))  # type: ignore[arg-type]
    assert drawing is not None
    # 20 calls lie between the middles of the first and the last third: 1.02 ** 20 = 1.486
    assert "from the first to the last third of a round +48.6%" in drawing.description


def test_many_samples_are_thinned() -> None:
    drawing = spread(_entry(_figures(*(0.01 + n * 1e-6 for n in range(5000)))))  # type: ignore[arg-type]
    assert drawing is not None
    assert len(drawing.svg) < 15_000


def test_a_drawing_names_no_element_since_a_page_may_hold_several() -> None:
    drawing = spread(_entry(_figures(0.01, 0.02)))  # type: ignore[arg-type]
    assert drawing is not None
    assert " id=" not in drawing.svg


def test_a_row_without_timed_rounds_has_no_drawing() -> None:
    assert spread(boards.entry()) is None
    assert spread(boards.failed_row().entry) is None


def test_a_tie_is_shown_as_its_range_of_ranks_in_every_place() -> None:
    ratio = Ratio("rfdn", 1.2, 1.1, 1.3)
    row = replace(boards.ranked(4), runtime_span=RankRange(3, 5), runtime_ratio=ratio)
    board = boards.board(row)
    (line,) = table(board).lines
    headings = [it.key for it in table(board).headings]
    runtime = line.cells[headings.index("runtime")]
    assert (runtime.rank, runtime.place) == (4, "3–5")
    assert line.cells[headings.index("params")].place == "4"
    assert line.cells[headings.index("track:main")].spread == "3–5"
    told = dict(facts(row))
    assert told["Runtime over rfdn"] == "×1.200 (1.100 to 1.300)"
    assert told["Rank by runtime"] == "3 to 5: not to be told apart"
    (drawn,) = document(board)["rows"]
    assert drawn["runtime_ranks"] == [3, 5]
    assert drawn["runtime_ratio"] == {"to": "rfdn", "point": 1.2, "low": 1.1, "high": 1.3}


def test_a_rank_of_its_own_is_shown_as_before() -> None:
    row = replace(boards.ranked(4), runtime_span=RankRange(4, 4))
    (line,) = table(boards.board(row)).lines
    assert [cell.place for cell in line.cells if cell.rank] == ["4"] * 7
