"""Names beside the circles of a plot, none over another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

_Place = tuple[float, float, str, str]  # offset in points, alignment across and along


@dataclass(frozen=True)
class Spot:
    """A circle around (x, y) of the axes, and its name."""

    x: float
    y: float
    radius_pt: float
    text: str


def write_labels(
    figure: Figure, axes: Axes, spots: Sequence[Spot], *, colour: str
) -> tuple[int, ...]:
    """Write each name at the first place where it hides neither a name nor a circle.

    Returns the indices of those without such a place: they bear the numbers 1, 2, ... instead,
    beside their circle or, as the last resort, on it. The figure must have been drawn once, so that
    the axes have their final size.
    """
    taken = [_extent(figure, axes, spot) for spot in spots]
    crowded = []
    for index, spot in enumerate(spots):
        places = (*_places(spot.radius_pt + 3), *_places(spot.radius_pt + 16))
        if not _write(figure, axes, spot, text=spot.text, places=places, taken=taken, ink=colour):
            crowded.append(index)
    for number, index in enumerate(crowded, start=1):
        spot, text = spots[index], str(number)
        places = (*_places(spot.radius_pt + 2), *_places(spot.radius_pt + 9))
        if not _write(figure, axes, spot, text=text, places=places, taken=taken, ink=colour):
            _note(axes, spot, text=text, place=(0, 0, "center", "center"), ink=colour)
    return tuple(crowded)


def _write(
    figure: Figure,
    axes: Axes,
    spot: Spot,
    *,
    text: str,
    places: Sequence[_Place],
    taken: list[Bbox],
    ink: str,
) -> bool:
    """Whether the text found a free place, which is then taken."""
    for place in places:
        note = _note(axes, spot, text=text, place=place, ink=ink)
        extent = note.get_window_extent()
        inside = axes.bbox.x0 <= extent.x0 and extent.x1 <= figure.bbox.x1
        if inside and not any(extent.overlaps(other) for other in taken):
            taken.append(extent)
            return True
        note.remove()
    return False


def _note(axes: Axes, spot: Spot, *, text: str, place: _Place, ink: str) -> Annotation:
    dx, dy, across, along = place
    return axes.annotate(
        text,
        (spot.x, spot.y),
        xytext=(dx, dy),
        ha=across,
        va=along,
        textcoords="offset points",
        color=ink,
        fontsize=8,
        parse_math=False,
    )


def _extent(figure: Figure, axes: Axes, spot: Spot) -> Bbox:
    from matplotlib.transforms import Bbox

    x, y = axes.transData.transform((spot.x, spot.y))
    # The inscribed box would let a label touch the rim, the full one wastes the corners.
    half = 0.85 * spot.radius_pt * figure.dpi / 72
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
