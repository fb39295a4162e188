"""A ranked board: what every format draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Literal

from harness.core.audit import Audit
from harness.core.challenge import Challenge
from harness.core.model_counts import Counts, CountVerdict
from harness.core.outcome import Failed
from harness.core.record import (
    ELSEWHERE,
    CountFigures,
    Environment,
    FloorFigures,
    ImageScore,
    QualityFigures,
    Record,
    RoundFigures,
)
from harness.core.submission import Precision, PublishedFigures

RowRole = Literal["reference", "entry", "floor"]
RowStatus = Literal["ok", "failed"]
FiguresOrigin = Literal["measured", "printed", "imported"]
"""Where a board's figures come from: this harness, a publication, a results file."""


class EntryBadge(StrEnum):
    """What an entry carries beside its figures; tables and documents print the text."""

    UNTRAINED = "untrained"
    OFFICIAL_WEIGHTS = "official weights"
    DEMO_WEIGHTS = "demo weights"
    IMPORTED = "imported"
    FLAGS_CHANGED = "flags changed"
    CHANNELS_LAST = "channels_last"
    COMPILE = "compile"
    DEPLOY_IN_DOUBT = "deploy in doubt"
    AS_CODE = "as code"
    ONNXRUNTIME = "onnxruntime"


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
class RankRange:
    """The ranks that an entry may have, going by what its rounds can tell."""

    first: int
    last: int


@dataclass(frozen=True)
class Ratio:
    """A runtime over that of the entry `to`, with the interval of the rounds; 1 is equal."""

    to: str  # id
    point: float
    low: float
    high: float


@dataclass(frozen=True)
class BoardEntry:
    """A row before ranking: figures in base units by metric key, absent where not measured."""

    id: str
    team: str
    title: str
    role: RowRole
    failure: Failed | None = None  # why there are no figures; a failed count is a note
    values: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    untrained: bool = False  # it ran with seeded weights
    remedy: str = ""  # of a reference that is untrained: how its weights are had
    marks: tuple[EntryBadge, ...] = ()  # all badges but that of an untrained model
    notes: tuple[str, ...] = ()
    verdict: CountVerdict | None = None  # of the counters
    audits: tuple[Audit, ...] = ()  # of the measurement: the worst of each kind over the rounds
    published: tuple[PublishedFigures, ...] = ()
    precision: Precision = "fp32"
    rankable: bool = True  # False: a floor, or a model without trained weights
    records: tuple[Record, ...] = ()
    elsewhere: tuple[Record, ...] = ()  # its rounds on other nodes, of what each of them measures

    @property
    def badges(self) -> tuple[EntryBadge, ...]:
        """All of them, in the order in which they are drawn."""
        return (EntryBadge.UNTRAINED, *self.marks) if self.untrained else self.marks

    @property
    def status(self) -> RowStatus:
        """Whether it went through."""
        return "failed" if self.failure else "ok"

    @property
    def reason(self) -> str:
        """`stage: message` of the failure, "" when ok."""
        return f"{self.failure.stage}: {self.failure.message}" if self.failure else ""

    @property
    def printed_by_source(self) -> dict[str, dict[str, float]]:
        """Published figures in base units: source to metric key to figure, the first of two."""
        sources: dict[str, dict[str, float]] = {}
        for item in self.published:
            figures = sources.setdefault(item.source, {})
            figures.update(item.figures() | figures)
        return sources

    @property
    def scores(self) -> dict[tuple[str, str], ImageScore]:
        """What outputs were worth in the lowest round, by data set and image.

        None of a reference without its trained weights, which says nothing of it.
        """
        if self.remedy:
            return {}
        found: dict[int, tuple[ImageScore, ...]] = {
            record.round: record.outcome.scores
            for record in reversed(self.records)
            if isinstance(record.outcome, RoundFigures | QualityFigures | FloorFigures)
        }
        return {(it.dataset, it.image): it for it in (found[min(found)] if found else ())}

    @property
    def timed(self) -> tuple[Record, ...]:
        """The records of the rounds that its runtime comes from; a failed entry has none."""
        if self.failure:
            return ()
        return tuple(record for record in self.records if isinstance(record.outcome, RoundFigures))


@dataclass(frozen=True)
class Row:
    """An entry and its places. `reason` says why it failed or is not ranked, "" for a floor."""

    entry: BoardEntry
    ranked: bool
    reason: str = ""
    ranks: Mapping[str, int] = field(default_factory=dict)  # metric key -> rank
    standings: Mapping[str, Standing] = field(default_factory=dict)  # track id -> place
    margins: Mapping[str, float] = field(default_factory=dict)  # limited metric -> room to limit
    below_floor: tuple[str, ...] = ()  # datasets on which the floor has the higher PSNR
    runtime_span: RankRange | None = None  # None: not ranked, or one round, which can't tell
    runtime_ratio: Ratio | None = None  # to the challenge's baseline


@dataclass(frozen=True)
class Leaderboard:
    """Rows in the order of the first track: ranked, unranked, floor, below it, failed."""

    challenge: Challenge
    rows: tuple[Row, ...]
    environment: Environment | None = None
    notes: tuple[str, ...] = ()  # what a reader of the table must know
    printed_in: str = ""  # the source of the figures, "" where they were measured
    in_blocks: bool = False  # whether all runtimes are of entries that took turns
    # on which the rows were timed, if on several: then no row has a time, and ratios rank
    nodes: tuple[str, ...] = ()

    @property
    def origin(self) -> FiguresOrigin:
        """Where the figures come from: what may be said of how they were taken depends on it."""
        if self.printed_in:
            return "printed"
        told = self.environment.fingerprint if self.environment else ""
        return "imported" if told == ELSEWHERE.fingerprint else "measured"

    def earlier(self, row: Row) -> tuple[Record, ...]:
        """The row's timed rounds of another session than the one that timed the newest round.

        Records are reused, so the rows of one board may have been timed on different days.
        """
        return tuple(it for it in row.entry.timed if it.session != self._newest_session)

    @cached_property
    def one_round(self) -> bool:
        """Whether a ranked row has one timed round: nothing tells a rank by runtime from noise."""
        timed = [len(row.entry.timed) for row in self.rows if row.ranked]
        return min(filter(None, timed), default=0) == 1

    @cached_property
    def one_precision(self) -> bool:
        """Whether all rows run in fp32."""
        return all(row.entry.precision == "fp32" for row in self.rows)

    @cached_property
    def has_ratios(self) -> bool:
        """Whether a row has a ratio to the baseline that stands in a table."""
        return self.in_blocks and any(row.runtime_ratio for row in self.rows)

    @cached_property
    def _newest_session(self) -> str:
        timed = (record for row in self.rows for record in row.entry.timed)
        newest = max(timed, key=lambda it: it.started, default=None)
        return newest.session if newest else ""


def rounds_of(records: Iterable[Record]) -> tuple[RoundFigures, ...]:
    """The figures of the rounds that went through."""
    outcomes = (record.outcome for record in records)
    return tuple(outcome for outcome in outcomes if isinstance(outcome, RoundFigures))


def counts_of(records: Iterable[Record]) -> Counts | None:
    """What the counters said, None where the count failed or has not been done."""
    outcomes = (record.outcome for record in records)
    return next((it.counts for it in outcomes if isinstance(it, CountFigures)), None)
