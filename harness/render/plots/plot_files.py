"""Plots as files for papers: SVG and PDF, as wide as one column and as two."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.core.leaderboard import Leaderboard
from harness.render.plots.quality_cost import SheetSize, drawn_plot, quality_costs
from harness.render.plots.shapes import Circle, Colour, Dots, Shape, Sheet, Stroke, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZES: Mapping[str, SheetSize] = {
    "one_column": SheetSize(249.0, 190.0, text=6.5, largest=160.0),
    "two_columns": SheetSize(510.0, 300.0, text=8.0, largest=450.0),
}
"""Of the usual two-column layout: 3.45 and 7.08 inches wide."""
PRINTED: Mapping[Colour, str] = {
    "ink": "#24292f",
    "grid": "#9aa3ad",
    "entry": "#c4681a",
    "reference": "#2f6fb2",
    "front": "#2c6a3c",
}
_FONT = "DejaVu Sans"
_ALIGNED = {"start": "left", "middle": "center", "end": "right"}


def plot_files(board: Leaderboard) -> dict[str, bytes]:
    """Each plot of the board in each size as SVG and PDF, by the file's name."""
    files = {}
    for plot in quality_costs(board):
        for name, size in SIZES.items():
            sheet = drawn_plot(plot, size).sheet
            stem = f"{plot.file_name}_{name}"
            files[f"{stem}.svg"] = to_svg(sheet, PRINTED, f"{_FONT}, sans-serif").encode()
            files[f"{stem}.pdf"] = to_pdf(sheet)
    return files


def to_pdf(sheet: Sheet) -> bytes:
    """The sheet as a PDF of its size; the same sheet always gives the same bytes."""
    import matplotlib as mpl
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.figure import Figure

    style: Any = {"pdf.fonttype": 42, "font.family": _FONT}
    stream = io.BytesIO()
    with mpl.rc_context(style), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of characters that the font lacks
        figure = Figure(figsize=(sheet.width / 72.0, sheet.height / 72.0))
        FigureCanvasPdf(figure)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0), xlim=(0, sheet.width), ylim=(sheet.height, 0))
        axes.set_axis_off()
        for layer, shape in enumerate(sheet.shapes):
            _add(axes, shape, layer)
        nothing = dict.fromkeys(("Creator", "Producer", "CreationDate"))
        figure.savefig(stream, format="pdf", metadata=nothing)
    return stream.getvalue()


def _add(axes: Axes, it: Shape, layer: int) -> None:
    from matplotlib.patches import Circle as Patch

    colour = PRINTED[it.colour]
    if isinstance(it, Stroke):
        x, y = zip(*it.points, strict=True)
        dashes: Any = (0, (3, 3)) if it.dashed else "-"
        axes.plot(
            x, y, color=colour, linewidth=it.width, alpha=it.opacity, linestyle=dashes, zorder=layer
        )
    elif isinstance(it, Dots):
        x, y = zip(*it.points, strict=True)
        axes.plot(x, y, ".", color=colour, markersize=it.size, alpha=it.opacity, zorder=layer)
    elif isinstance(it, Circle):
        rim = {"edgecolor": colour, "linewidth": 0.8, "zorder": layer}
        axes.add_patch(Patch((it.x, it.y), it.radius, facecolor=(colour, 0.55), **rim))
    else:
        axes.text(
            it.x,
            it.y,
            it.text,
            color=colour,
            fontsize=it.size,
            ha=_ALIGNED[it.anchor],
            va="center_baseline",
            rotation=90.0 if it.turned else 0.0,
            parse_math=False,
            zorder=layer,
        )
