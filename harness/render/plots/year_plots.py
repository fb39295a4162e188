"""Yearly challenges of one series: each year's rows beside the baseline of that year.

Years have other machines, data sets and baselines, so nothing but the ratio to a year's own
baseline stands on one axis; of PSNR it is the difference.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from harness.core.leaderboard import Leaderboard, Row
from harness.core.metrics import METRICS
from harness.render.plots.axes import Panel, Scale, scale_over
from harness.render.plots.label_places import Box, Disc, Places
from harness.render.plots.quality_cost import written
from harness.render.plots.shapes import Circle, Colour, Shape, Sheet, Spot, Stroke, text_width
from harness.render.text import short

COMPARED = ("runtime", "params", "macs", "memory", "psnr")
_WIDTH, _HEIGHT, _TEXT = 560.0, 300.0, 8.0
_RADIUS = 3.4
_REACH = 0.4  # of a year, to either side of it
_NAME_LIMIT = 24


@dataclass(frozen=True)
class Edition:
    """A year of a series."""

    year: int
    board: Leaderboard
    address: str  # of its board


@dataclass(frozen=True)
class YearDot:
    """A row of a year: its figure beside that of the year's baseline."""

    name: str
    figure: float
    is_baseline: bool


@dataclass(frozen=True)
class YearPlot:
    """One figure over the years; `dots` by edition, in the series' order."""

    key: str
    editions: tuple[Edition, ...]
    dots: tuple[tuple[YearDot, ...], ...]

    @property
    def title(self) -> str:
        """What the upright axis shows."""
        if self.key == "psnr":
            return "PSNR less that of the year's baseline [dB]"
        return f"{METRICS[self.key].label} over that of the year's baseline"

    def best(self, index: int) -> YearDot | None:
        """The best row of an edition that is not its baseline."""
        sign = 1.0 if METRICS[self.key].better == "lower" else -1.0
        dots = [it for it in self.dots[index] if not it.is_baseline]
        return min(dots, key=lambda it: sign * it.figure, default=None)

    def middle(self, index: int) -> float | None:
        """The median of an edition's rows without its baseline."""
        figures = [it.figure for it in self.dots[index] if not it.is_baseline]
        return median(figures) if figures else None

    def told(self, figure: float | None) -> str:
        """A figure as it stands in a sentence; an en dash for none."""
        if figure is None:
            return "–"
        if self.key == "psnr":
            return f"{figure:+.2f} dB".replace("-", "−")
        return f"×{figure:.2f}"

    @property
    def description(self) -> str:
        """The plot in words."""
        told = [
            f"{it.year}: best {self.told(best.figure)} ({best.name})"
            for index, it in enumerate(self.editions)
            if (best := self.best(index))
        ]
        return f"{self.title}. {'; '.join(told)}"


def year_plots(editions: Sequence[Edition]) -> tuple[YearPlot, ...]:
    """The figures that at least two years can be plotted by; of ranked rows and baselines."""
    found = []
    for key in COMPARED:
        dots = tuple(tuple(_dots(it.board, key)) for it in editions)
        if sum(any(not it.is_baseline for it in of_year) for of_year in dots) > 1:
            found.append(YearPlot(key, tuple(editions), dots))
    return tuple(found)


def _dots(board: Leaderboard, key: str) -> Iterator[YearDot]:
    base = _baseline(board)
    name = _figure(board, key)
    if base.get(name, 0.0) <= 0.0:
        return
    for row in board.rows:
        is_baseline = row.entry.id == board.challenge.baseline
        value = row.entry.values.get(name, math.nan)
        if not (row.ranked or is_baseline) or not (math.isfinite(value) and value > 0.0):
            continue
        figure = value - base[name] if key == "psnr" else value / base[name]
        yield YearDot(_name(row), figure, is_baseline)


def _baseline(board: Leaderboard) -> dict[str, float]:
    """The figures of the baseline: of its row, or those that stand in print for it."""
    challenge = board.challenge
    rows = (row.entry.values for row in board.rows if row.entry.id == challenge.baseline)
    printed = challenge.baseline_figures.figures() if challenge.baseline_figures else {}
    ranked_macs = printed.get(f"macs_{challenge.macs}")
    if ranked_macs is not None:
        printed["macs"] = ranked_macs
    return {**printed, **next(rows, {})}


def _figure(board: Leaderboard, key: str) -> str:
    """The metric's own key; of PSNR that of the validation images, if there are some."""
    if key != "psnr":
        return key
    uses = sorted(board.challenge.datasets, key=lambda it: it.split != "validation")
    return f"psnr:{uses[0].name}"


def _name(row: Row) -> str:
    return short(row.entry.title or row.entry.team or row.entry.id, _NAME_LIMIT)


def drawn_years(plot: YearPlot) -> Sheet:
    """The plot: a column of dots a year, a short line at its median, the best row with its name."""
    figures = [it.figure for dots in plot.dots for it in dots]
    years = [it.year for it in plot.editions]
    left, right, bottom = 5.5 * _TEXT + 8.0, _WIDTH - 6.0, _HEIGHT - 3.2 * _TEXT - 8.0
    panel = Panel(
        Scale(min(years) - 0.6, max(years) + 0.6, left, right, whole=True),
        scale_over(figures, bottom, 10.0, log=plot.key != "psnr"),
    )
    level = panel.y.at(0.0 if plot.key == "psnr" else 1.0)
    line = ((left, level), (right, level))
    shapes: list[Shape] = list(panel.frame("Year", plot.title, text_pt=_TEXT))
    shapes.append(Stroke(line, "reference", 1.0, dashed=True))
    columns = [
        _column(panel, it.year, dots) for it, dots in zip(plot.editions, plot.dots, strict=True)
    ]
    medians = [_median(panel, plot, index) for index in range(len(columns))]
    for index, column in enumerate(columns):
        shapes += _circles(plot, index, column)
        shapes += [Stroke(medians[index], "front", 1.4)] if medians[index] else []
    room = Box(left + 2.0, 2.0, _WIDTH - 1.0, bottom - 2.0)
    places = Places([disc for column in columns for disc in column], room, [line, *medians])
    for index, column in enumerate(columns):
        shapes += _names(plot, index, column, places)
    return Sheet(_WIDTH, _HEIGHT, tuple(shapes))


def _circles(plot: YearPlot, index: int, column: Sequence[Disc]) -> Iterator[Shape]:
    year = plot.editions[index].year
    for it, disc in zip(plot.dots[index], column, strict=True):
        colour: Colour = "reference" if it.is_baseline else "entry"
        hint = f"{year}, {it.name}: {plot.told(it.figure)}"
        yield Circle(disc.x, disc.y, disc.radius, colour, hint)


def _names(plot: YearPlot, index: int, column: Sequence[Disc], places: Places) -> Iterator[Shape]:
    best = plot.best(index)
    for it, disc in zip(plot.dots[index], column, strict=True):
        if it is best or it.is_baseline:
            place = places.take(disc, text_width(it.name, _TEXT), 1.1 * _TEXT)
            yield from written(place, it.name, _TEXT) if place else ()


def _median(panel: Panel, plot: YearPlot, index: int) -> tuple[Spot, ...]:
    """The ends of the line at an edition's median; none where it has no rows."""
    middle, year = plot.middle(index), plot.editions[index].year
    if middle is None:
        return ()
    return (panel.spot(year - _REACH, middle), panel.spot(year + _REACH, middle))


def _column(panel: Panel, year: int, dots: Sequence[YearDot]) -> list[Disc]:
    """Dots of a year beside each other where they would lie over each other."""
    middle, step = panel.x.at(year), 2.0 * _RADIUS + 0.6
    farthest = panel.x.at(year + _REACH) - middle
    placed: list[Disc] = []
    for it in dots:
        y = panel.y.at(it.figure)
        near = [disc for disc in placed if abs(disc.y - y) < step]
        asides = sorted((sign * n * step for n in range(99) for sign in (1, -1)), key=abs)
        free = (
            aside
            for aside in asides
            if abs(aside) <= farthest
            and all(math.hypot(disc.x - middle - aside, disc.y - y) >= step - 0.5 for disc in near)
        )
        placed.append(Disc(middle + next(free, 0.0), y, _RADIUS))
    return placed
