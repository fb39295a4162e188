"""The plot of the RLFN paper: PSNR against runtime, a circle's area for the parameters.

Colours are CSS variables of the page with mid-tones behind them, so that one drawing reads on a
light and on a dark ground. The same board always gives the same bytes.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.core.leaderboard import Leaderboard, Row, RowRole
from harness.render.text import short
from harness.render.units import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

_Place = tuple[float, float, str, str]  # offset in points, alignment across and along
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
        if not points:
            continue
        name, described = short(dataset), "; ".join(map(_described, points))
        drawn: tuple[RowRole, ...] = ("reference", "entry")
        roles = tuple(role for role in drawn if role in {point.role for point in points})
        svg, numbered = _draw(points, name)
        told = tuple(map(_described, numbered))
        return Plot(svg, f"PSNR on {name} against runtime", described, roles, told)
    return None


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
        areas = _areas(points)
        _circles(axes, points, areas)
        axes.margins(0.16)
        axes.set_xlabel("Runtime [ms]")
        axes.set_ylabel(f"PSNR on {dataset} [dB]", parse_math=False)
        axes.ticklabel_format(useOffset=False)
        frame(axes)
        runtimes = [point.runtime_ms for point in points]
        if min(runtimes) > 0 and max(runtimes) > _LINEAR_UP_TO * min(runtimes):
            # on a linear axis one slow row would press all others into a corner
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter("{x:g}")
            axes.set_xlabel("Runtime [ms], logarithmic")
        figure.canvas.draw()  # the axes get their final size
        radii = [math.sqrt(area / math.pi) for area in areas]
        numbered = _write_names(figure, axes, points, radii)
        svg = themed(figure)
    return svg, numbered


def _areas(points: tuple[Point, ...]) -> list[float]:
    """Of the circles, in square points; the largest network has the largest."""
    largest = max(point.params for point in points) or 1.0
    return [max(_LEAST_AREA_PT2, _LARGEST_AREA_PT2 * it.params / largest) for it in points]


def _circles(axes: Axes, points: tuple[Point, ...], areas: Sequence[float]) -> None:
    for role, colour in (("reference", REFERENCE), ("entry", ENTRY)):
        own = [it for it in zip(points, areas, strict=True) if it[0].role == role]
        axes.scatter(
            [point.runtime_ms for point, _ in own],
            [point.psnr_db for point, _ in own],
            s=[area for _, area in own],
            facecolors=colour,
            edgecolors=colour,
            alpha=0.55,
            linewidths=1.2,
        )


def _write_names(
    figure: Figure, axes: Axes, points: tuple[Point, ...], radii_pt: Sequence[float]
) -> tuple[Point, ...]:
    """Write each name at the first place where it hides neither a name nor a circle.

    Returns the points without such a place: they bear the numbers 1, 2, ... instead, beside their
    circle or, as the last resort, on it.
    """
    circles = list(zip(points, radii_pt, strict=True))
    taken = [_extent(figure, axes, point, radius) for point, radius in circles]
    crowded = []
    for point, radius in circles:
        text = f"{point.name} ({shown(point.params, 'M', 3)} M)"
        places = (*_places(radius + 3), *_places(radius + 16))
        if not _write(figure, axes, point, text, places, taken):
            crowded.append((point, radius))
    for number, (point, radius) in enumerate(crowded, start=1):
        places = (*_places(radius + 2), *_places(radius + 9))
        if not _write(figure, axes, point, str(number), places, taken):
            _note(axes, point, str(number), (0, 0, "center", "center"))
    return tuple(point for point, _ in crowded)


def _write(
    figure: Figure,
    axes: Axes,
    point: Point,
    text: str,
    places: Sequence[_Place],
    taken: list[Bbox],
) -> bool:
    """Whether the text found a free place, which is then taken."""
    for place in places:
        note = _note(axes, point, text, place)
        extent = note.get_window_extent()
        inside = axes.bbox.x0 <= extent.x0 and extent.x1 <= figure.bbox.x1
        if inside and not any(extent.overlaps(other) for other in taken):
            taken.append(extent)
            return True
        note.remove()
    return False


def _note(axes: Axes, point: Point, text: str, place: _Place) -> Annotation:
    dx, dy, across, along = place
    return axes.annotate(
        text,
        (point.runtime_ms, point.psnr_db),
        xytext=(dx, dy),
        ha=across,
        va=along,
        textcoords="offset points",
        color=INK,
        fontsize=8,
        parse_math=False,
    )


def _extent(figure: Figure, axes: Axes, point: Point, radius_pt: float) -> Bbox:
    from matplotlib.transforms import Bbox

    x, y = axes.transData.transform((point.runtime_ms, point.psnr_db))
    # The inscribed box would let a label touch the rim, the full one wastes the corners.
    half = 0.85 * radius_pt * figure.dpi / 72
    return Bbox.from_extents(x - half, y - half, x + half, y + half)


def _places(away: float) -> tuple[_Place, ...]:
    return (
        (away, 0, "left", "center"),
        (-away, 0, "right", "center"),
        (0, away, "center", "bottom"),
        (0, -away, "center", "top"),
        (away, away, "left", "bottom"),
        (away, -away, "left", "top"),
        (-away, away, "right", "bottom"),
        (-away, -away, "right", "top"),
    )


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
