from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
from fakes import boards

from harness.core.submission import PublishedFigures
from harness.render.plots.shapes import Circle, Text, text_width
from harness.render.plots.year_plots import Edition, YearPlot, drawn_years, year_plots
from harness.usecases.report import regenerate


def year(number: int, *runtimes_ms: float, baseline_ms: float = 20.0) -> Edition:
    rows = [
        boards.ranked(
            place,
            id=f"r{place}",
            title=f"Row {place}",
            values={"runtime": it / 1e3, f"psnr:{boards.VALID}": 29.0 - place},
        )
        for place, it in enumerate(runtimes_ms, start=1)
    ]
    base = boards.ranked(9, id="base", title="Base", values={"runtime": baseline_ms / 1e3})
    board = boards.board(*rows, replace(base, ranked=False))
    return Edition(
        number,
        replace(board, challenge=replace(board.challenge, references=("base",), baseline="base")),
        "",
    )


def test_each_years_rows_stand_beside_the_baseline_of_that_year() -> None:
    (plot,) = year_plots([year(2030, 10.0, 30.0), year(2031, 20.0, baseline_ms=40.0)])
    assert plot.key == "runtime"
    assert [[it.figure for it in dots] for dots in plot.dots] == [[0.5, 1.5, 1.0], [0.5, 1.0]]
    assert [it.is_baseline for it in plot.dots[0]] == [False, False, True]
    best = plot.best(0)
    assert best is not None
    assert best.name == "Row 1"
    assert plot.middle(0) == 1.0
    assert plot.description == (
        "Runtime over that of the year's baseline. 2030: best ×0.50 (Row 1); "
        "2031: best ×0.50 (Row 1)"
    )


def test_a_row_outside_the_limits_a_missing_and_an_infinite_figure_are_left_out() -> None:
    edition = year(2030, 10.0, math.inf, 30.0)
    rows = edition.board.rows
    rows = (*rows[:2], replace(rows[2], ranked=False), *rows[3:])
    edition = replace(edition, board=replace(edition.board, rows=rows))
    (plot,) = year_plots([edition, year(2031, 20.0)])
    assert [it.figure for it in plot.dots[0]] == [0.5, 1.0]


def test_the_baseline_may_be_known_from_print_alone() -> None:
    edition = year(2030, 10.0)
    rows = edition.board.rows[:1]
    figures = PublishedFigures("print", runtime_ms=40.0)
    challenge = replace(edition.board.challenge, baseline_figures=figures)
    board = replace(edition.board, rows=rows, challenge=challenge)
    (plot,) = year_plots([replace(edition, board=board), year(2031, 20.0)])
    assert [it.figure for it in plot.dots[0]] == [0.25]


def test_one_year_alone_and_years_without_a_baseline_have_no_plot() -> None:
    assert year_plots([year(2030, 10.0)]) == ()
    assert year_plots([year(2030, 10.0, baseline_ms=0.0), year(2031, 9.0)]) == ()


def published() -> list[Edition]:
    return [Edition(number, regenerate(f"ntire{number}").board, "") for number in range(2022, 2027)]


@pytest.fixture(scope="module")
def plots() -> tuple[YearPlot, ...]:
    return year_plots(published())


def test_the_printed_years_stand_beside_their_baselines(plots: tuple[YearPlot, ...]) -> None:
    assert [it.key for it in plots] == ["runtime", "params", "macs", "memory", "psnr"]
    best = plots[0].best(0)
    assert best is not None
    assert best.name == "ByteESR"
    assert best.figure == pytest.approx(27.11 / 50.86)  # IMDN's printed runtime
    assert [len(it) for it in plots[0].dots] == [35, 33, 1, 1, 14]


def test_no_dot_lies_over_another_one_and_names_lie_over_none(
    plots: tuple[YearPlot, ...],
) -> None:
    for plot in plots:
        shapes = drawn_years(plot).shapes
        circles = [it for it in shapes if isinstance(it, Circle)]
        for one, other in itertools.combinations(circles, 2):
            assert math.hypot(one.x - other.x, one.y - other.y) > 1.8 * one.radius
        known = {it.name for dots in plot.dots for it in dots}
        names = [it for it in shapes if isinstance(it, Text) and it.text in known]
        assert len(names) >= 5
        for name, it in itertools.product(names, circles):
            half = text_width(name.text, name.size) / 2.0
            apart = max(abs(it.x - name.x) - half, 0.0)
            assert math.hypot(apart, max(abs(it.y - name.y) - 4.0, 0.0)) > it.radius - 0.5


def test_a_year_of_hundreds_of_equal_rows_is_drawn_all_the_same() -> None:
    (plot,) = year_plots([year(2030, *[10.0] * 300), year(2031, 20.0)])
    assert sum(isinstance(it, Circle) for it in drawn_years(plot).shapes) == 303
