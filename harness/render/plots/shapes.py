"""The shapes of a drawing, in points from its top left corner, and the same as an SVG element.

A drawing is a sheet of a few kinds of shapes, because a board of a thousand rows holds a thousand
drawings: matplotlib takes a third of a second and 35 KB for each of them.
"""

from __future__ import annotations

import itertools
import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

Colour = Literal["ink", "grid", "entry", "reference", "front"]
Anchor = Literal["start", "middle", "end"]
Spot = tuple[float, float]

PAGE: Mapping[Colour, str] = {
    "ink": "var(--plot-ink, #7a8088)",
    "grid": "var(--plot-grid, #a0a6ad)",
    "entry": "var(--plot-entry, #c77420)",
    "reference": "var(--plot-reference, #3b7fc4)",
    "front": "var(--plot-front, #4c8a5c)",
}
"""Variables of the page with mid-tones behind them: one drawing for a light and a dark ground."""
_NARROW, _WIDE = frozenset("iljtfrI.,:;|!'()[]- "), frozenset("mwMWQ@%&")


@dataclass(frozen=True)
class Stroke:
    """A polyline."""

    points: tuple[Spot, ...]
    colour: Colour
    width: float = 1.0
    opacity: float = 1.0
    dashed: bool = False


@dataclass(frozen=True)
class Dots:
    """Equal dots, which are one element of the drawing."""

    points: tuple[Spot, ...]
    colour: Colour
    size: float = 3.0
    opacity: float = 1.0


@dataclass(frozen=True)
class Circle:
    """A disc; `hint` is shown under the pointer."""

    x: float
    y: float
    radius: float
    colour: Colour
    hint: str = ""


@dataclass(frozen=True)
class Text:
    """A line of text whose middle is at the height `y`; `turned` is upwards."""

    x: float
    y: float
    text: str
    colour: Colour = "ink"
    size: float = 9.0
    anchor: Anchor = "start"
    turned: bool = False


Shape = Stroke | Dots | Circle | Text


@dataclass(frozen=True)
class Sheet:
    """A drawing of a width and a height, in points."""

    width: float
    height: float
    shapes: tuple[Shape, ...]


@dataclass(frozen=True)
class Drawing:
    """An SVG element, and the same in words."""

    svg: str
    description: str


def text_width(text: str, size: float) -> float:
    """About the width of a text, in points, in the widest of the fonts that a page is shown in."""
    return size * sum(map(_em, text))


def to_svg(
    sheet: Sheet, colours: Mapping[Colour, str] = PAGE, font: str = "var(--sans, sans-serif)"
) -> str:
    """The SVG element; all text in it is escaped."""
    runs = itertools.groupby(sheet.shapes, lambda it: it.colour if isinstance(it, Circle) else "")
    parts = "".join(_run(list(its), colours) for _, its in runs)
    width, height = _short(sheet.width), _short(sheet.height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="{escape(font)}">{parts}</svg>'
    )


def _em(character: str) -> float:
    if character in _NARROW:
        return 0.42
    if unicodedata.east_asian_width(character) in "WF":
        return 1.05
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0.0
    return 1.0 if character in _WIDE else 0.67 if character.isascii() else 0.85


def _run(shapes: Sequence[Shape], colours: Mapping[Colour, str]) -> str:
    """The elements of neighbours; circles of one colour say once how they look."""
    inner = "".join(_element(it, colours) for it in shapes)
    if not isinstance(shapes[0], Circle):
        return inner
    colour = colours[shapes[0].colour]
    return f'<g fill="{colour}" fill-opacity=".55" stroke="{colour}">{inner}</g>'


def _element(it: Shape, colours: Mapping[Colour, str]) -> str:
    colour = colours[it.colour]
    if isinstance(it, Stroke):
        dashes = ' stroke-dasharray="3 3"' if it.dashed else ""
        return f'<path d="{_path(it.points)}" fill="none" {_stroke(it, colour, it.width)}{dashes}/>'
    if isinstance(it, Dots):
        # a line of no length with round ends is a dot
        path = "".join(f"M{_pair(spot)}h0" for spot in it.points)
        return f'<path d="{path}" stroke-linecap="round" {_stroke(it, colour, it.size)}/>'
    if isinstance(it, Circle):
        place = f'cx="{_short(it.x)}" cy="{_short(it.y)}" r="{_short(it.radius)}"'
        inner = f"<title>{escape(it.hint)}</title>" if it.hint else ""
        return f"<circle {place}>{inner}</circle>" if inner else f"<circle {place}/>"
    return _text(it, colour)


def _text(it: Text, colour: str) -> str:
    at = f'x="{_short(it.x)}" y="{_short(it.y)}"'
    turn = f' transform="rotate(-90 {_short(it.x)} {_short(it.y)})"' if it.turned else ""
    anchor = f' text-anchor="{it.anchor}"' if it.anchor != "start" else ""
    return (
        f'<text {at} dy=".35em" font-size="{_short(it.size)}" fill="{colour}"{anchor}{turn}>'
        f"{escape(it.text)}</text>"
    )


def _stroke(it: Stroke | Dots, colour: str, width: float) -> str:
    opacity = f' stroke-opacity="{it.opacity:g}"' if it.opacity < 1.0 else ""
    return f'stroke="{colour}" stroke-width="{_short(width)}"{opacity}'


def _path(points: Iterable[Spot]) -> str:
    return "M" + "L".join(map(_pair, points))


def _pair(spot: Spot) -> str:
    return f"{_short(spot[0])} {_short(spot[1])}"


def _short(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"a drawing has no place {value}")
    return f"{round(value, 1):g}"
