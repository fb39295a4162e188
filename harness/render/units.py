"""From base units to the units of a table, and back to no figure at all: an en dash."""

from __future__ import annotations

import math

from harness.core.metrics import dataset_of, metric

MISSING = "–"

_FACTORS = {
    "": 1.0,
    "s": 1.0,
    "ms": 1e3,
    "K": 1e-3,
    "M": 1e-6,
    "G": 1e-9,
    "MiB": 2.0**-20,
    "dB": 1.0,
    "%": 1e2,
}
_LABELS = {
    "runtime": "Runtime",
    "first_call": "First call",
    "params": "Params",
    "macs": "MACs",
    "macs_ntire2022": "MACs (ntire2022)",
    "macs_fvcore": "MACs (fvcore)",
    "activations": "Activations",
    "convs": "Convs",
    "memory": "Memory",
    "psnr": "PSNR",
    "ssim": "SSIM",
}
_USUAL = {
    "runtime": ("ms", 2),
    "first_call": ("ms", 1),
    "params": ("M", 3),
    "macs": ("G", 2),
    "macs_ntire2022": ("G", 2),
    "macs_fvcore": ("G", 2),
    "activations": ("M", 2),
    "convs": ("", 0),
    "memory": ("MiB", 1),
    "psnr": ("dB", 3),
    "ssim": ("", 4),
}


def converted(value: float | None, unit: str) -> float | None:
    """A figure of a base unit (s, bytes, dB, plain counts) in `unit`; None if not finite.

    `ms` is taken from seconds, `MiB` from bytes, `K`, `M` and `G` from plain counts, `%` from a
    fraction. Raises ValueError for any other unit.
    """
    if unit not in _FACTORS:
        known = ", ".join(name for name in _FACTORS if name)
        raise ValueError(f"unknown unit {unit!r:.40} of a column; known are {known}")
    if value is None or not math.isfinite(value):
        return None
    return value * _FACTORS[unit]


def shown(value: float | None, unit: str, decimals: int) -> str:
    """`converted` at a number of decimals, an en dash where there is no figure."""
    figure = converted(value, unit)
    return MISSING if figure is None else f"{figure:.{decimals}f}"


def label(key: str) -> str:
    """What a metric is called in a sentence: `PSNR on Set5`, `MACs`."""
    name, dataset = key.partition(":")[0], dataset_of(key)
    return f"{_LABELS[name]} on {dataset}" if dataset else _LABELS[name]


def usual(key: str) -> tuple[str, int]:
    """The unit and the decimals of a metric where no column says otherwise."""
    metric(key)
    return _USUAL[key.partition(":")[0]]


def quantity(key: str, value: float | None) -> str:
    """A figure with its usual unit: `12.30 ms`."""
    unit, decimals = usual(key)
    text = shown(value, unit, decimals)
    return text if text == MISSING or not unit else f"{text} {unit}"
