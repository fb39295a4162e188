"""An interval for the mean over blocks of the median over turns.

The median keeps bursts that hit a few forwards out of a block's figure. Over blocks the mean is
taken: a process that is slow for its whole life (memory layout, placement) is what the spread
between blocks is about, and the median of few blocks would throw most of them away.

The interval is Student's of the blocks' medians. Their spread holds everything already, the noise
of turns too: a bootstrap of blocks and of the turns within them counts that twice, and its
percentiles of few blocks are coarse.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, variance

from harness.gate.student import bound, inside, welch

Nested = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Estimate:
    """A log ratio with its interval; of fewer than two blocks that is unbounded.

    `p` is the level at which the interval's end is 0: smaller is surer that there is an effect.
    """

    point: float
    low: float
    high: float
    blocks: int
    turns: int
    p: float = 1.0

    @property
    def width(self) -> float:
        """From end to end."""
        return self.high - self.low

    @property
    def excludes_zero(self) -> bool:
        """Whether both ends are on one side of 0."""
        return self.low > 0.0 or self.high < 0.0


@dataclass(frozen=True)
class BlockMean:
    """A mean over blocks with its standard error and the degrees of freedom of that."""

    point: float
    error: float
    freedom: int
    blocks: int
    turns: int

    def estimate(self, confidence: float) -> Estimate:
        """The interval that holds the truth with this confidence."""
        half = bound(confidence, self.freedom) * self.error if self.freedom else math.inf
        ends = self.point - half, self.point + half
        return Estimate(self.point, *ends, self.blocks, self.turns, self.p())

    def p(self) -> float:
        """As `Estimate.p`."""
        if not self.freedom or not self.point:
            return 1.0
        if not self.error:
            return 0.0
        return max(1.0 - inside(abs(self.point) / self.error, self.freedom), 0.0)


def block_mean(blocks: Nested, *, stored: Nested = ()) -> BlockMean:
    """Of log ratios, turn by turn within block by block; ValueError without any turn.

    `stored` are those of another day: what is estimated is then the difference, of groups that
    have nothing in common (Welch).
    """
    medians, turns = _medians(blocks), sum(map(len, blocks))
    if stored:
        then = _medians(stored)
        point, alone = fmean(medians) - fmean(then), min(len(medians), len(then)) < 2
        error, freedom = (0.0, 0) if alone else welch(medians, then)
        return BlockMean(point, error, freedom, len(blocks), turns)
    alone = len(medians) < 2
    error = 0.0 if alone else math.sqrt(variance(medians) / len(medians))
    return BlockMean(fmean(medians), error, len(medians) - 1, len(blocks), turns)


def estimate(blocks: Nested, *, confidence: float) -> Estimate:
    """The estimate of the log ratios of turns, block by block; ValueError without any turn."""
    return block_mean(blocks).estimate(confidence)


def _medians(blocks: Nested) -> list[float]:
    if not blocks or not all(blocks):
        raise ValueError("an estimate needs at least one block, and a turn in each")
    return [median(block) for block in blocks]
