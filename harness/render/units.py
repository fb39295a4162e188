"""From base units to the units of a table, and back to no figure at all: an en dash."""

from __future__ import annotations

import math

from harness.core.metrics import UNITS, metric

MISSING = "–"


def converted(value: float | None, unit: str) -> float | None:
    """A figure of a base unit (s, bytes, dB, plain counts) in `unit`; None if not finite.

    `ms` is taken from seconds, `MiB` from bytes, `K`, `M` and `G` from plain counts, `%` from a
    fraction; "" leaves the base unit. A column has refused every unit that is not in UNITS.
    """
    if value is None or not math.isfinite(value):
        return None
    return value * UNITS[unit].factor if unit else value


def shown(value: float | None, unit: str, decimals: int) -> str:
    """`converted` at a number of decimals, an en dash where there is no figure."""
    figure = converted(value, unit)
    return MISSING if figure is None else f"{figure:.{decimals}f}"


def quantity(key: str, value: float | None) -> str:
    """A figure with its usual unit: `12.30 ms`."""
    kind = metric(key)
    text = shown(value, kind.shown, kind.decimals)
    return text if text == MISSING or not kind.shown else f"{text} {kind.shown}"


def room_text(key: str, room: float) -> str:
    """How far a figure is from its limit: `0.05 dB inside the limit`."""
    return f"{quantity(key, abs(room))} {'inside' if room >= 0 else 'outside'} the limit"


def times(point: float, low: float, high: float) -> str:
    """A ratio with the ends of its interval: `×1.106 (1.084 to 1.129)`."""
    return f"×{point:.3f} ({low:.3f} to {high:.3f})"
