"""The page of a site that holds a series of yearly challenges against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.core.metrics import METRICS
from harness.render.plots.shapes import Drawing, to_svg
from harness.render.plots.year_plots import Edition, YearPlot, drawn_years, year_plots
from harness.render.shell import policy, style, templates
from harness.render.text import HINT_LIMIT, short

YEARS_PAGE = "years.html"


@dataclass(frozen=True)
class EditionLine:
    """A year in the table: what its rows reached."""

    year: int
    title: str
    address: str
    baseline: str
    ranked: int
    cells: tuple[tuple[str, str, str], ...]  # a figure's best, whose it is, and the median


@dataclass(frozen=True)
class Series:
    """A series as the page has it."""

    title: str
    heads: tuple[str, ...]
    lines: tuple[EditionLine, ...]
    plots: tuple[tuple[str, Drawing], ...]


def to_years_page(editions: Mapping[str, Sequence[Edition]]) -> str:
    """The HTML document of the series that have two years at least; "" without any."""
    found = [_series(title, its) for title, its in editions.items() if len(its) > 1]
    if not found:
        return ""
    return (
        templates()
        .get_template("years.html.j2")
        .render(policy=policy(), style=style(), title="Year on year", found=found)
    )


def _series(title: str, editions: Sequence[Edition]) -> Series:
    editions = sorted(editions, key=lambda it: it.year)
    plots = year_plots(editions)
    return Series(
        short(title, HINT_LIMIT),
        tuple(METRICS[plot.key].label for plot in plots),
        tuple(_line(it, index, plots) for index, it in enumerate(editions)),
        tuple((plot.title, Drawing(_svg(plot), plot.description)) for plot in plots),
    )


def _svg(plot: YearPlot) -> Markup:
    return Markup(to_svg(drawn_years(plot)))  # noqa: S704 - which escapes the text in it


def _line(edition: Edition, index: int, plots: Sequence[YearPlot]) -> EditionLine:
    board = edition.board
    rows = [row for row in board.rows if row.entry.id == board.challenge.baseline]
    base = rows[0].entry.title if rows else board.challenge.baseline
    return EditionLine(
        edition.year,
        short(board.challenge.title, HINT_LIMIT),
        edition.address,
        short(base),
        sum(row.ranked and row.entry.id != board.challenge.baseline for row in board.rows),
        tuple(
            (
                plot.told(best.figure if best else None),
                best.name if best else "",
                plot.told(plot.middle(index)),
            )
            for plot in plots
            for best in (plot.best(index),)
        ),
    )
