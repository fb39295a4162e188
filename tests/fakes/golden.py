"""What the reference models cost: `tests/assets/reference_counts.csv`, one row a variant."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

_TABLE = Path(__file__).parents[1] / "assets" / "reference_counts.csv"


@dataclass(frozen=True)
class GoldenCounts:
    """Static figures at an LR image of 256x256; both conventions of MACs."""

    params: int
    macs_ntire2022: int
    macs_fvcore: int
    activations: int
    convs: int


def golden_counts() -> dict[str, GoldenCounts]:
    """The figures by the variant's id."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return {
            row.pop("id"): GoldenCounts(**{name: int(value) for name, value in row.items()})
            for row in csv.DictReader(file)
        }
