"""A table that somebody printed, as data: its figures, what they leave open, and how to judge them.

Ranks, scores and order are derived from the figures by the rules of a challenge; where print gives
them too, they are kept beside the figures to be compared with, and decide nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.core.leaderboard import BoardEntry, Leaderboard
from harness.core.metrics import UNITS, metric, refuse_unit
from harness.core.submission import id_faults
from harness.core.values import finite_value, refuse

TRACK = "track:"  # leads a track's id where metric keys could stand too


@finite_value
class Correction:
    """A printed figure that is provably wrong, the right one in `unit`, and the evidence.

    `verdict` is what an audit of the printed figure would say: it leaves something out, or others
    who count get another one.
    """

    entry: str
    metric: str
    value: float
    evidence: str
    unit: str = ""
    verdict: Literal["incomplete", "disputed"] = "disputed"

    def __post_init__(self) -> None:
        refuse_unit(self.metric, self.unit)
        if not self.evidence:
            raise ValueError(f"a correction of {self.entry} needs its evidence in words")

    @property
    def base_value(self) -> float:
        """The right figure in its base unit."""
        return self.value / UNITS[self.unit].factor if self.unit else self.value


@finite_value
class Ruling:
    """One way to judge the table: by its rules as they stand, or more carefully."""

    id: str
    title: str
    limits: Literal["as ruled", "unrounded"] = "as ruled"
    corrected: bool = False  # with the corrections in place of the printed figures

    def __post_init__(self) -> None:
        refuse(id_faults(self.id))


@finite_value
class PrintedTable:
    """What stands in a table's document; its figures stand beside it as CSV.

    `rules` is a bundled challenge or a .toml file. `tie_order` lists, by metric, the ids of rows
    that print alike in the order in which they were ranked, or, by `track:ID`, of rows with equal
    scores in a track that shares no place. The first ruling is that of print.
    """

    id: str
    title: str
    rules: str
    source: str
    description: str = ""
    caption: str = ""  # "" is that of the rules, which may speak of columns that are not printed
    ranked: bool = True  # False: printed without ranks, shown in the printed order
    tie_order: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    corrections: tuple[Correction, ...] = ()
    rulings: tuple[Ruling, ...] = (Ruling("printed", "As printed"),)
    notes: tuple[str, ...] = ()
    series: str = ""  # of yearly challenges, which a site plots year on year
    year: int | None = None

    def __post_init__(self) -> None:
        refuse(id_faults(self.id))
        if bool(self.series) != (self.year is not None):
            raise ValueError("series and year belong together: give both or neither")
        names = [ruling.id for ruling in self.rulings]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"rulings need at least one, each with an id of its own, got {names}")
        for key in self.tie_order:
            if not key.startswith(TRACK):
                metric(key)


@dataclass(frozen=True)
class PrintedRow:
    """A row: its figures as an entry, and the places and sums that stand beside them in print."""

    entry: BoardEntry
    # by `rank METRIC`, `rank TRACK` and `score TRACK`
    places: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """The board of one ruling."""

    ruling: Ruling
    board: Leaderboard


@dataclass(frozen=True)
class Regenerated:
    """A printed table ranked again, once for each ruling, the ruling of print first."""

    table: PrintedTable
    judged: tuple[Judged, ...]

    @property
    def board(self) -> Leaderboard:
        """The board of the first ruling."""
        return self.judged[0].board
