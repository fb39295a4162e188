"""Axes of a drawing: where a figure lies, which figures stand beside the axis, and the frame."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from harness.render.plots.shapes import Shape, Spot, Stroke, Text, text_width

TEXT_PT = 8.0  # of the figures beside an axis; titles have one more
_APART_PT = 8.0
_STEPS = (1.0, 2.0, 5.0, 10.0)
Ticks = tuple[tuple[float, str], ...]  # figures, and what stands beside the axis for them


@dataclass(frozen=True)
class Scale:
    """Figures from `low` to `high`, drawn from `start` to `end` in points."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    whole: bool = False  # only whole numbers stand beside the axis

    def at(self, value: float) -> float:
        """Where the figure is drawn."""
        low, high, value = (math.log(it) if self.log else it for it in (self.low, self.high, value))
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def reaching(self, start: float, end: float) -> Scale:
        """The scale drawn on to other ends, with every figure where it was."""
        return replace(self, low=self._of(start), high=self._of(end), start=start, end=end)

    def _of(self, place: float) -> float:
        low, high = (math.log(it) if self.log else it for it in (self.low, self.high))
        value = low + (place - self.start) / (self.end - self.start) * (high - low)
        return math.exp(value) if self.log else value

    def ticks(self, text_pt: float = TEXT_PT, *, upright: bool = False) -> Ticks:
        """Round figures on the axis and what stands beside them, as many as never touch."""
        for most in range(8, 1, -1):
            found = self._log_ticks(most) if self.log else self._ticks(most)
            if self._clear(found, text_pt, upright=upright):
                return found
        return found[:1]

    def _ticks(self, most: int) -> Ticks:
        rough = (self.high - self.low) / most
        size = 10.0 ** math.floor(math.log10(rough))
        step = next(it * size for it in _STEPS if it * size >= rough * (1.0 - 1e-9))
        step = max(step, 1.0) if self.whole else step
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple((it * step, f"{it * step:.{decimals}f}") for it in range(first, last + 1))

    def _log_ticks(self, most: int) -> Ticks:
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for of_each in ((1.0, 2.0, 5.0), (1.0, 3.0), (1.0,)):
            found = [it * 10.0**decade for decade in decades for it in of_each]
            inside = [it for it in found if self.low <= it <= self.high]
            if len(inside) <= most:
                break
        if len(inside) < 2:  # less than a decade: round figures of a linear axis
            return self._ticks(most)
        return tuple((it, f"{it:.6g}") for it in inside)

    def _clear(self, ticks: Ticks, text_pt: float, *, upright: bool) -> bool:
        """Whether no two figures touch."""
        room = []
        for value, text in ticks:
            half = (text_pt if upright else text_width(text, text_pt) + _APART_PT) / 2
            room.append((self.at(value) - half, self.at(value) + half))
        room.sort()
        return all(one[1] <= other[0] for one, other in itertools.pairwise(room))


def scale_over(
    values: list[float], start: float, end: float, *, log: bool = False, from_zero: bool = False
) -> Scale:
    """A scale that holds all values, with a twentieth of its length free at either end."""
    low, high = min(values), max(values)
    if log:
        low, high = (math.log(it) for it in (low, high))
    margin = (high - low) * 0.05 or abs(high) * 0.01 or 1.0
    low, high = low - margin, high + margin
    if log:
        low, high = math.exp(low), math.exp(high)
    return Scale(0.0 if from_zero else low, high, start, end, log)


@dataclass(frozen=True)
class Panel:
    """A frame with its two axes: `x` to the right, `y` upwards."""

    x: Scale
    y: Scale

    def spot(self, x: float, y: float) -> Spot:
        """Where a pair of figures is drawn."""
        return self.x.at(x), self.y.at(y)

    def frame(
        self, x_title: str, y_title: str = "", title: str = "", text_pt: float = TEXT_PT
    ) -> Iterator[Shape]:
        """A light grid behind the figures, open above and to the right; titles around it."""
        left, right, bottom, top = self.x.start, self.x.end, self.y.start, self.y.end
        head_pt = text_pt + 1.0
        for value, text in self.x.ticks(text_pt):
            x = self.x.at(value)
            yield Stroke(((x, bottom), (x, top)), "grid", 0.5, 0.45)
            yield Text(x, bottom + 4 + 0.75 * text_pt, text, size=text_pt, anchor="middle")
        wide = 0.0
        for value, text in self.y.ticks(text_pt, upright=True):
            y = self.y.at(value)
            wide = max(wide, text_width(text, text_pt))
            yield Stroke(((left, y), (right, y)), "grid", 0.5, 0.45)
            yield Text(left - 4, y, text, size=text_pt, anchor="end")
        yield Stroke(((left, top), (left, bottom), (right, bottom)), "grid", 0.8)
        across, below = (left + right) / 2, bottom + 4 + 2.4 * text_pt
        yield Text(across, below, x_title, size=head_pt, anchor="middle")
        if y_title:
            away = left - 4 - wide - head_pt
            yield Text(
                away, (top + bottom) / 2, y_title, size=head_pt, anchor="middle", turned=True
            )
        if title:
            yield Text(across, top - 10, title, size=head_pt, anchor="middle")
