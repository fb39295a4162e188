"""An interval for the mean over blocks of the median over turns.

The median keeps bursts that hit a few forwards out of a block's figure. Over blocks the mean is
taken: a process that is slow for its whole life (memory layout, placement) is what the spread
between blocks is about, and the median of few blocks would throw most of them away.

Resampling few blocks gives intervals that are too short: drawn with replacement, K blocks scatter
by (K - 1) / K of what they should, and the normal's quantile is too small for an estimated spread.
The ends are therefore moved away from the point by t / z * sqrt(K / (K - 1)).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from harness.gate.student import bound

DRAWS = 1000
_LEAST_P = 1e-6
_STEPS = 16
Nested = Sequence[Sequence[float]]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A log ratio with its interval; of fewer than two blocks that is unbounded."""

    point: float
    low: float
    high: float
    blocks: int
    turns: int

    @property
    def width(self) -> float:
        """From end to end."""
        return self.high - self.low

    @property
    def excludes_zero(self) -> bool:
        """Whether both ends are on one side of 0."""
        return self.low > 0.0 or self.high < 0.0


class Resampled:
    """Resampled statistics of log ratios, turn by turn within block by block.

    `stored` are those of another day: what is estimated is then the difference, of groups that
    have nothing in common. ValueError without any turn.
    """

    def __init__(self, blocks: Nested, *, stored: Nested = (), seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self._blocks = len(blocks)
        self._turns = sum(map(len, blocks))
        self._point = _point(blocks)
        draws = _drawn(blocks, rng)
        self._freedom = len(blocks) - 1
        if stored:
            self._point -= _point(stored)
            draws = draws - _drawn(stored, rng)
            # of the two the smaller: on the safe side of Welch's
            self._freedom = min(self._freedom, len(stored) - 1)
        self._draws = np.sort(draws)

    def estimate(self, confidence: float) -> Estimate:
        """The interval that holds the truth with this confidence."""
        low, high = self._ends(confidence)
        return Estimate(self._point, low, high, self._blocks, self._turns)

    def p(self) -> float:
        """The smallest level, to two digits or so, whose interval still excludes 0; 1 if none."""
        low, high = math.log(_LEAST_P), 0.0
        if self._freedom < 1:
            return 1.0
        for _ in range(_STEPS):
            middle = (low + high) / 2
            ends = self._ends(1.0 - math.exp(middle))
            low, high = (low, middle) if ends[0] > 0.0 or ends[1] < 0.0 else (middle, high)
        return math.exp(high)

    def _ends(self, confidence: float) -> tuple[float, float]:
        if self._freedom < 1:
            return -math.inf, math.inf
        tail = (1.0 - confidence) / 2
        last = len(self._draws) - 1
        low, high = self._draws[round(tail * last)], self._draws[round((1.0 - tail) * last)]
        normal = NormalDist().inv_cdf(1.0 - tail)
        wider = bound(confidence, self._freedom) / normal
        wider *= math.sqrt((self._freedom + 1) / self._freedom)
        # never past the point: of skewed draws both ends may lie on one side of it
        below, above = min(low - self._point, 0.0), max(high - self._point, 0.0)
        return float(self._point + below * wider), float(self._point + above * wider)


def estimate(blocks: Nested, *, confidence: float, seed: int = 0) -> Estimate:
    """The estimate of the log ratios of turns, block by block; ValueError without any turn."""
    return Resampled(blocks, seed=seed).estimate(confidence)


def _point(blocks: Nested) -> float:
    if not blocks or not all(blocks):
        raise ValueError("an estimate needs at least one block, and a turn in each")
    return float(np.mean([np.median(block) for block in blocks]))


def _drawn(blocks: Nested, rng: np.random.Generator) -> Floats:
    """The statistic of resampled blocks, each with its turns resampled anew."""
    medians = np.stack([_medians(np.asarray(block, float), rng) for block in blocks])
    count = len(blocks)
    chosen = rng.integers(0, count, (DRAWS, count))
    columns = rng.integers(0, DRAWS, (DRAWS, count))
    drawn: Floats = medians[chosen, columns].mean(axis=1)
    return drawn


def _medians(block: Floats, rng: np.random.Generator) -> Floats:
    if block.size == 1:
        return np.full(DRAWS, block[0])
    picked = rng.integers(0, block.size, (DRAWS, block.size))
    medians: Floats = np.median(block[picked], axis=1)
    return medians
