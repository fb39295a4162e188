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

from harness.stats.student import bound, inside, welch

Nested = Sequence[Sequence[float]]


@dataclass(frozen=True)
class LogRatio:
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


def estimate(blocks: Nested, *, confidence: float, stored: Nested = ()) -> LogRatio:
    """Of log ratios, turn by turn within block by block; ValueError without any turn.

    `stored` are those of another day: what is estimated is then the difference, of groups that
    have nothing in common (Welch).
    """
    medians, then = _medians(blocks), _medians(stored) if stored else []
    point = fmean(medians) - (fmean(then) if then else 0.0)
    if min(map(len, filter(None, (medians, then)))) < 2:
        low, high, p = -math.inf, math.inf, 1.0
    else:
        of_mean = math.sqrt(variance(medians) / len(medians)), len(medians) - 1
        error, freedom = welch(medians, then) if then else of_mean
        half = bound(confidence, freedom) * error
        low, high, p = point - half, point + half, _p(point, error, freedom)
    return LogRatio(point, low, high, len(blocks), sum(map(len, blocks)), p)


def _p(point: float, error: float, freedom: int) -> float:
    if not error:
        return 0.0 if point else 1.0
    return max(1.0 - inside(abs(point) / error, freedom), 0.0)


def _medians(blocks: Nested) -> list[float]:
    if not blocks or not all(blocks):
        raise ValueError("an estimate needs at least one block, and a turn in each")
    return [median(block) for block in blocks]
