"""The plot of the RLFN paper: PSNR against runtime, a circle's area for the parameters.

Colours are CSS variables of the page with mid-tones behind them, so that one drawing reads on a
light and on a dark ground. The same board always gives the same bytes.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.core.leaderboard import Leaderboard, Row, RowRole
from harness.render.plot_labels import Spot, write_labels
from harness.render.text import short
from harness.render.units import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIZE_IN = (7.6, 4.6)
_LABEL_LIMIT = 24
_LARGEST_AREA_PT2 = 900.0
_LEAST_AREA_PT2 = 6.0  # a dot, for a model of hardly any parameters
_LINEAR_UP_TO = 20  # times the fastest row's runtime
# Placeholder colours, replaced by variables after drawing.
INK, GRID, ENTRY, REFERENCE = "#010203", "#010204", "#010205", "#010206"
_VARIABLES = {
    INK: "var(--plot-ink, #7a8088)",
    GRID: "var(--plot-grid, #a0a6ad)",
    ENTRY: "var(--plot-entry, #c77420)",
    REFERENCE: "var(--plot-reference, #3b7fc4)",
}
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "esr",
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.edgecolor": GRID,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}
_FONT = "var(--sans, 'DejaVu Sans', sans-serif)"


@dataclass(frozen=True)
class Point:
    """One row of the plot."""

    name: str
    role: RowRole
    runtime_ms: float
    psnr_db: float
    params: float


@dataclass(frozen=True)
class Plot:
    """An SVG element, what its axes show, and a sentence for those who do not see it.

    A circle whose name found no place bears a number instead: `numbered` holds what the numbers
    mean, that of 1 first.
    """

    svg: str
    title: str
    description: str
    roles: tuple[RowRole, ...]  # that are drawn
    numbered: tuple[str, ...] = ()


def plot(board: Leaderboard) -> Plot | None:
    """The board's plot; None where no row has runtime, PSNR and parameters of a trained model."""
    scored = [use for use in board.challenge.datasets if use.truth]
    for dataset in (it.name for it in sorted(scored, key=lambda it: it.split != "validation")):
        points = tuple(point for row in board.rows for point in _points(row, dataset))
        if points:
            return _plot(points, short(dataset))
    return None


def _plot(points: tuple[Point, ...], name: str) -> Plot:
    described = "; ".join(map(_described, points))
    drawn: tuple[RowRole, ...] = ("reference", "entry")
    roles = tuple(role for role in drawn if role in {point.role for point in points})
    svg, numbered = _draw(points, name)
    told = tuple(map(_described, numbered))
    return Plot(svg, f"PSNR on {name} against runtime", described, roles, told)


def _described(it: Point) -> str:
    size = shown(it.params, "M", 3)
    return f"{it.name}: {it.psnr_db:.2f} dB, {it.runtime_ms:.2f} ms, {size} M"


def _points(row: Row, dataset: str) -> list[Point]:
    entry = row.entry
    figures = [entry.values.get(key, math.nan) for key in ("runtime", f"psnr:{dataset}", "params")]
    no_model = entry.role == "floor" or entry.untrained  # PSNR says nothing of it
    if entry.status != "ok" or no_model or not all(map(math.isfinite, figures)):
        return []
    seconds, psnr_db, params = figures
    name = short(entry.title or entry.team or entry.id, _LABEL_LIMIT)
    return [Point(name, entry.role, seconds * 1e3, psnr_db, max(params, 0.0))]


def _draw(points: tuple[Point, ...], dataset: str) -> tuple[str, tuple[Point, ...]]:
    """The drawing, and the points that bear a number in it."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE), warnings.catch_warnings():
        # A name in a script that the font lacks is still text in the SVG: the browser has the font.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = Figure(figsize=_SIZE_IN, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        _circles(axes, points)
        _frame(axes, dataset)
        _spread(axes, points)
        figure.canvas.draw()
        numbered = write_labels(figure, axes, _spots(points), colour=INK)
        svg = themed(figure)
    return svg, tuple(points[index] for index in numbered)


def _circles(axes: Axes, points: tuple[Point, ...]) -> None:
    areas = dict(zip(points, _areas(points), strict=True))
    for role, colour in (("reference", REFERENCE), ("entry", ENTRY)):
        own = [point for point in points if point.role == role]
        axes.scatter(
            [point.runtime_ms for point in own],
            [point.psnr_db for point in own],
            s=[areas[point] for point in own],
            facecolors=colour,
            edgecolors=colour,
            alpha=0.55,
            linewidths=1.2,
        )


def _frame(axes: Axes, dataset: str) -> None:
    axes.margins(0.16)
    axes.set_xlabel("Runtime [ms]")
    axes.set_ylabel(f"PSNR on {dataset} [dB]", parse_math=False)
    axes.ticklabel_format(useOffset=False)
    frame(axes)


def _spread(axes: Axes, points: tuple[Point, ...]) -> None:
    """A logarithmic axis where one slow row would press all others into a corner."""
    runtimes = [point.runtime_ms for point in points]
    if min(runtimes) > 0 and max(runtimes) > _LINEAR_UP_TO * min(runtimes):
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlabel("Runtime [ms], logarithmic")


def _spots(points: tuple[Point, ...]) -> list[Spot]:
    return [
        Spot(
            x=point.runtime_ms,
            y=point.psnr_db,
            radius_pt=math.sqrt(area / math.pi),
            text=f"{point.name} ({shown(point.params, 'M', 3)} M)",
        )
        for point, area in zip(points, _areas(points), strict=True)
    ]


def _areas(points: tuple[Point, ...]) -> list[float]:
    """Of the circles, in square points; the largest network has the largest."""
    largest = max(point.params for point in points) or 1.0
    return [max(_LEAST_AREA_PT2, _LARGEST_AREA_PT2 * it.params / largest) for it in points]


def frame(axes: Axes) -> None:
    """A light grid behind the figures, open above and to the right."""
    axes.grid(visible=True, color=GRID, linewidth=0.5, alpha=0.45)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def themed(figure: Figure) -> str:
    """The SVG element alone, with the page's variables for colours and font."""
    stream = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(stream, format="svg", transparent=True, metadata=nothing)
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :]
    # matplotlib's rule for every element would reach the page around the drawing.
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, count=1, flags=re.DOTALL)
    svg = svg.replace("'DejaVu Sans'", _FONT).replace("DejaVu Sans,", f"{_FONT},")
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    return svg.strip()
