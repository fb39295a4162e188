"""The figures that a table can hold: key, base unit and which direction is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """One figure of a row, in its base unit."""

    key: str
    unit: str
    better: Literal["lower", "higher"]


_PLAIN = {
    metric.key: metric
    for metric in (
        Metric("runtime", "s", "lower"),
        Metric("first_call", "s", "lower"),
        Metric("params", "", "lower"),
        Metric("macs", "", "lower"),
        Metric("macs_ntire2022", "", "lower"),
        Metric("macs_fvcore", "", "lower"),
        Metric("activations", "", "lower"),
        Metric("convs", "", "lower"),
        Metric("memory", "bytes", "lower"),
    )
}
_PER_DATASET = {
    "psnr": Metric("psnr", "dB", "higher"),
    "ssim": Metric("ssim", "", "higher"),
    "runtime": Metric("runtime", "s", "lower"),
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


def dataset_of(key: str) -> str:
    """The dataset that a key speaks of, "" for a figure of the whole entry."""
    return key.partition(":")[2]
