"""What is measured: turns of forwards within blocks of processes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import fmean

from harness.core.values import finite_value

TwoForwards = tuple[float, float]


class Arm(StrEnum):
    """Who is timed; documents and logs have the text."""

    BASELINE = "baseline"
    CONTROL = "again"  # a second process of the baseline: A/A, what differs is chance
    CANDIDATE = "candidate"


@finite_value
class Turn:
    """Each side's two forwards of one image, in mirrored order: what drifts evenly cancels out.

    `order` is that of the first three; the other three ran in the opposite one. Seconds.
    """

    order: tuple[Arm, ...]
    baseline: TwoForwards
    again: TwoForwards
    candidate: TwoForwards

    @property
    def effect(self) -> float:
        """Log ratio of the candidate to the baseline's two processes."""
        return _level(self.candidate) - (_level(self.baseline) + _level(self.again)) / 2

    @property
    def control(self) -> float:
        """Log ratio of the baseline to itself, in another process."""
        return _level(self.again) - _level(self.baseline)

    def seconds(self, arm: Arm) -> TwoForwards:
        """A side's two forwards in the order in which they ran."""
        pair: TwoForwards = getattr(self, arm)
        return pair


@dataclass(frozen=True)
class ArmReport:
    """What a process is asked after its turns.

    `peak_bytes` is of the timed forwards, None where unknown; `compile_s` of torch.compile until
    then, 0 without; `notes` are what a reader must know of its samples.
    """

    peak_bytes: int | None = None
    compile_s: float = 0.0
    notes: tuple[str, ...] = ()


@finite_value
class Block:
    """The turns of one set of processes: the unit that is independent.

    `first_call_s` is the first forward of each process, before any warm-up; `peak_bytes` its peak
    memory during turns, absent where unknown; `compile_s` and `notes` are as in `ArmReport`, absent
    where there is nothing. `start_s` is what starting and warming up took, `took_s` all of it.
    """

    turns: tuple[Turn, ...]
    start_s: float = 0.0
    took_s: float = 0.0
    first_call_s: Mapping[Arm, float] = field(default_factory=dict)
    peak_bytes: Mapping[Arm, int] = field(default_factory=dict)
    compile_s: Mapping[Arm, float] = field(default_factory=dict)
    notes: Mapping[Arm, tuple[str, ...]] = field(default_factory=dict)

    @property
    def effects(self) -> tuple[float, ...]:
        """Each turn's log ratio of candidate to baseline."""
        return tuple(turn.effect for turn in self.turns)

    @property
    def controls(self) -> tuple[float, ...]:
        """Each turn's log ratio of the baseline to itself."""
        return tuple(turn.control for turn in self.turns)


def _level(pair: TwoForwards) -> float:
    return fmean(map(math.log, pair))
