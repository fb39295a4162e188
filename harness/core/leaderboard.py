"""A ranked board: what every format draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.core.challenge import Challenge
from harness.core.record import Environment, Record
from harness.core.submission import Published
from harness.core.verdict import Verdict

Role = Literal["reference", "entry", "floor"]
Status = Literal["ok", "failed"]


@dataclass(frozen=True)
class Interval:
    """Where a figure lies over the rounds, in its base unit."""

    low: float
    high: float


@dataclass(frozen=True)
class Standing:
    """A row's place in one track; the smaller score leads."""

    score: float
    rank: int


@dataclass(frozen=True)
class Entry:
    """A row before ranking: figures in base units by metric key, absent where not measured."""

    id: str
    team: str
    title: str
    role: Role
    status: Status
    reason: str = ""  # of the failure, "" when ok
    values: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    badges: tuple[str, ...] = ()  # untrained, demo weights, official weights, flags changed
    notes: tuple[str, ...] = ()
    verdict: Verdict | None = None  # of the counters
    published: tuple[Published, ...] = ()
    rankable: bool = True  # False: a floor, or a model without trained weights
    records: tuple[Record, ...] = ()


@dataclass(frozen=True)
class Row:
    """An entry and its places. `reason` says why a row failed or is not ranked."""

    entry: Entry
    ranked: bool
    reason: str = ""
    ranks: Mapping[str, int] = field(default_factory=dict)  # metric key -> rank
    standings: Mapping[str, Standing] = field(default_factory=dict)  # track id -> place
    margins: Mapping[str, float] = field(default_factory=dict)  # limited metric -> room to limit


@dataclass(frozen=True)
class Leaderboard:
    """The rows in the order of the first track: ranked, unranked, floor, failed."""

    challenge: Challenge
    rows: tuple[Row, ...]
    environment: Environment | None = None
    notes: tuple[str, ...] = ()  # what a reader of the table must know
