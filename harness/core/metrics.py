"""The figures that a table can hold: name, base unit, which direction is better, and units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Convention = Literal["ntire2022", "fvcore"]
"""How multiply-adds are counted; the literature prints both as "FLOPs"."""


@dataclass(frozen=True)
class Metric:
    """One figure of a row, in its base unit."""

    key: str
    unit: str
    better: Literal["lower", "higher"]
    label: str  # in a sentence or a legend


@dataclass(frozen=True)
class Unit:
    """What a table can be drawn in: a figure of the base unit `of`, times `factor`."""

    factor: float
    of: str


UNITS: Mapping[str, Unit] = {
    "s": Unit(1.0, "s"),
    "ms": Unit(1e3, "s"),
    "K": Unit(1e-3, ""),
    "M": Unit(1e-6, ""),
    "G": Unit(1e-9, ""),
    "%": Unit(1e2, ""),
    "MiB": Unit(2.0**-20, "bytes"),
    "J": Unit(1.0, "J"),
    "mJ": Unit(1e3, "J"),
    "dB": Unit(1.0, "dB"),
}
"""The units of a column. A column without one shows the base unit."""

_PLAIN = {
    metric.key: metric
    for metric in (
        Metric("runtime", "s", "lower", "Runtime"),
        Metric("first_call", "s", "lower", "First call"),
        Metric("params", "", "lower", "Params"),
        Metric("macs", "", "lower", "MACs"),
        Metric("macs_ntire2022", "", "lower", "MACs (ntire2022)"),
        Metric("macs_fvcore", "", "lower", "MACs (fvcore)"),
        Metric("activations", "", "lower", "Activations"),
        Metric("convs", "", "lower", "Convs"),
        Metric("memory", "bytes", "lower", "Memory"),
        Metric("energy", "J", "lower", "Energy"),
        Metric("compile", "s", "lower", "Compile time"),
    )
}
_PER_DATASET = {
    "psnr": Metric("psnr", "dB", "higher", "PSNR"),
    "ssim": Metric("ssim", "", "higher", "SSIM"),
    "runtime": Metric("runtime", "s", "lower", "Runtime"),
}


def metric(key: str) -> Metric:
    """The metric of a key: `runtime`, `params`, ..., or `psnr:Set5`, `ssim:Set5`, `runtime:Set5`.

    Raises ValueError for a key that no row can have.
    """
    name, colon, dataset = key.partition(":")
    if not colon and name in _PLAIN:
        return _PLAIN[name]
    if dataset and name in _PER_DATASET:
        return _PER_DATASET[name]
    known = [*_PLAIN, *(f"{name}:DATASET" for name in _PER_DATASET)]
    raise ValueError(f"unknown metric {key!r:.80}; known are {', '.join(known)}")


def label(key: str) -> str:
    """What a metric is called: `PSNR on Set5`, `MACs`. Raises ValueError as `metric` does."""
    dataset = dataset_of(key)
    return metric(key).label + (f" on {dataset}" if dataset else "")


def refuse_unit(key: str, unit: str) -> None:
    """Raise ValueError for a unit that a metric can't be drawn in, and for an unknown metric."""
    base = metric(key).unit
    if unit and (unit not in UNITS or UNITS[unit].of != base):
        known = ", ".join(name for name, it in UNITS.items() if it.of == base)
        raise ValueError(f"{key} can't be shown in the unit {unit!r:.40}; its units are {known}")


def dataset_of(key: str) -> str:
    """The dataset that a key speaks of, "" for a figure of the whole entry."""
    return key.partition(":")[2]
