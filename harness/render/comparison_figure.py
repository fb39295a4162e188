"""The figure that papers print: the whole image with a box, and the box as each model has it."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.pictures.comparison import HR_ID, Comparison, Shot
from harness.pictures.keeper import KeptImage
from harness.quality.pixels import Uint8
from harness.render.picture_page import figures as quality
from harness.render.text import cut, short

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

FORMATS = ("pdf", "svg", "png")
_WIDTH_IN = 7.0  # of a page of two columns
_TILE_IN = 1.05  # of a crop, at most
_CAPTION_IN = 0.3
_GAP_IN = 0.05
_WHOLE_IN = 2.4  # of the whole image, at most
_LEAST_IN = 0.85  # below which figures would run into those of the next crop
_LEAST_PT = 5.0  # of a caption, whose name is cut where that is too wide
_HINTING = 0.97  # by which letters of another size may be wider than in proportion
_DPI = 300
_BOX = "#e8112d"
_STYLE: Any = {
    "svg.fonttype": "path",  # a paper's reader may not have the font
    "svg.hashsalt": "esr",
    "pdf.fonttype": 42,
    "font.family": "DejaVu Sans",
    "font.size": 6.5,
}
_METADATA: dict[str, Any] = {
    "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
}


def draw(found: Comparison) -> dict[str, bytes]:
    """The figure as PDF, SVG and PNG files, by their endings; the same bytes each time."""
    import matplotlib as mpl

    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = _figure(found)
        files = {}
        for form in FORMATS:
            stream = io.BytesIO()
            figure.savefig(stream, format=form, dpi=_DPI, metadata=_METADATA[form])
            files[form] = stream.getvalue()
    return files


def _figure(found: Comparison) -> Figure:
    """The image at the left where it is kept whole; the crops in two rows beside it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shots = sorted(found.shots, key=lambda it: it.id != HR_ID)  # papers begin with the truth
    rows = _rows(len(shots))
    columns = math.ceil(len(shots) / rows)
    width, height = found.box.width, found.box.height
    across = min(_TILE_IN, (_WIDTH_IN - _WHOLE_IN) / columns - _GAP_IN)
    along = across * height / width + _CAPTION_IN
    left = _whole_width(found.truth, rows * along - _CAPTION_IN)
    size = (left + columns * (across + _GAP_IN) - _GAP_IN, rows * along)
    figure = Figure(figsize=size)
    FigureCanvasAgg(figure)

    def axes(x: float, y: float, wide: float, high: float) -> Axes:
        """A place for a picture, in inches from the lower left corner."""
        made = figure.add_axes((x / size[0], y / size[1], wide / size[0], high / size[1]))
        made.set_axis_off()
        return made

    below_whole = []
    if found.truth is not None:
        place = axes(0.0, _CAPTION_IN, left - _GAP_IN, size[1] - _CAPTION_IN)
        below_whole.append(_whole(place, found, found.truth))
    captions = []
    for number, shot in enumerate(shots):
        row, column = divmod(number, columns)
        y = (rows - 1 - row) * along + _CAPTION_IN
        tile = axes(left + column * (across + _GAP_IN), y, across, along - _CAPTION_IN)
        tile.imshow(shot.pixels, interpolation="none", aspect="auto")
        name, told = short(shot.name), _figures(shot)
        captions.append((tile, _below(tile, name, told), name, told))
    size_pt = _fit(captions)
    for note in below_whole:
        note.set_fontsize(size_pt)
    return figure


def _whole_width(truth: Uint8 | None, height_in: float) -> float:
    """Of the whole image and the gap beside it, at that height; at most a third of a page."""
    if truth is None:
        return 0.0
    return float(min(height_in * truth.shape[1] / truth.shape[0], _WHOLE_IN)) + _GAP_IN


def _whole(axes: Axes, found: Comparison, truth: Uint8) -> Annotation:
    from matplotlib.patches import Rectangle

    axes.imshow(truth, interpolation="antialiased")
    axes.set_anchor("N")
    box = found.box
    frame = Rectangle((box.x, box.y), box.width, box.height, fill=False, edgecolor=_BOX)
    axes.add_patch(frame).set(linewidth=1.0, clip_on=False)  # whole at the image's rim too
    return _below(axes, title(found.kept), "")


def _rows(shots: int) -> int:
    """Two rows of crops, or more where a page has no room for as many beside each other."""
    rows = min(2, shots)
    while (_WIDTH_IN - _WHOLE_IN) / math.ceil(shots / rows) - _GAP_IN < _LEAST_IN:
        rows += 1
    return rows


def _below(axes: Axes, name: str, figures: str) -> Annotation:
    """A caption at a distance that does not depend on the picture's height."""
    return axes.annotate(
        f"{name}\n{figures}",
        (0.5, 0.0),
        xytext=(0, -2),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="center",
        va="top",
        linespacing=1.25,
        parse_math=False,
    )


def _fit(captions: Sequence[tuple[Axes, Annotation, str, str]]) -> float:
    """Set all captions of crops in one size, in which none is wider than its crop, and tell it.

    Where that is too small to be read, names are cut.
    """
    room = min(_width(axes) / _width(note) for axes, note, _, _ in captions)
    size: float = max(_STYLE["font.size"] * min(room * _HINTING, 1.0), _LEAST_PT)
    for axes, note, name, figures in captions:
        note.set_fontsize(size)
        while _width(note) > _width(axes) and len(name) > 1:
            name = cut(name, len(name) - 1)  # noqa: PLW2901 - shorter until it fits
            note.set_text(f"{name}\n{figures}")
    return size


def _width(artist: Artist) -> float:
    return float(artist.get_window_extent().width)


def title(kept: KeptImage) -> str:
    """What the image is called below it."""
    return f"{short(kept.image)} ({short(kept.dataset)}), ×{kept.scale}"


def _figures(shot: Shot) -> str:
    return "PSNR / SSIM" if shot.id == HR_ID else quality(shot.score)
