"""Entries compared within blocks, where not every entry is in every block.

log runtime = entry + block + noise, by least squares: the intra-block analysis of an incomplete
block design (Yates 1936). What a block has in common, a slow hour of the machine, says nothing of
an entry. The noise's variance is pooled over all entries, since few blocks tell little of one's
own. Intervals hold for all pairs together (Tukey 1953, Kramer 1956 for unequal numbers).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

# an entry has a variance of its own if its noise is twice that of the others, and so much would
# come by chance in one board of twenty
FAR_MORE = 4.0
BY_CHANCE = 0.05
_LEAST = 1e-12  # of a log runtime, squared: below it there is no noise but that of rounding
_LEAST_WEIGHT = 1e-6
_REFITS = 5

B = TypeVar("B", bound=Hashable)
Reals = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Difference:
    """Of two logs, with the ends of its interval."""

    point: float
    low: float
    high: float

    @property
    def decided(self) -> bool:
        """Whether both ends are on one side of 0."""
        return self.low > 0.0 or self.high < 0.0

    @property
    def more(self) -> float:
        """By how much more often all would have to be measured to decide it, 1 if it is decided.

        Going by this very difference, and by half-widths that shrink as the root; infinite where
        there is no difference, or no width.
        """
        if self.decided:
            return 1.0
        half = (self.high - self.low) / 2
        return (half / self.point) ** 2 if self.point and half < math.inf else math.inf


@dataclass(frozen=True)
class EntriesInBlocks:
    """What blocks tell of entries: see `fitted`."""

    names: tuple[str, ...]
    effects: Reals  # logs; only differences within a part mean anything
    parts: Indices  # entries of one part are compared within blocks, or by way of others
    covariance: Reals  # of the effects, likewise
    freedom: float  # degrees of freedom of the pooled variance
    # entries with a variance of their own: what it adds to a difference, its degrees of freedom
    own: Mapping[str, tuple[float, float]]
    confidence: float

    def difference(self, one: str, other: str) -> Difference | None:
        """The log of `one` above that of `other`; None where no chain of blocks joins them."""
        i, j = self._at[one], self._at[other]
        if self.parts[i] != self.parts[j]:
            return None
        point = float(self.effects[i] - self.effects[j])
        both = self.covariance[i, i] + self.covariance[j, j] - 2.0 * self.covariance[i, j]
        variance = max(float(both), 0.0)
        shares = [self.own[it] for it in (one, other) if it in self.own]
        pooled = max(variance - sum(own for own, _ in shares), 0.0)
        freedom = self.freedom
        if shares and variance > 0.0:  # Satterthwaite
            terms = [(pooled, self.freedom), *shares]
            freedom = variance**2 / sum(it**2 / its for it, its in terms if it > 0.0)
        if freedom <= 0.0:
            return Difference(point, -math.inf, math.inf)
        half = range_of_means(self.confidence, len(self.names), max(int(freedom), 1))
        half *= math.sqrt(variance / 2)
        return Difference(point, point - half, point + half)

    def differences(self, one: str, others: Sequence[str]) -> tuple[Reals, Reals] | None:
        """The points of `difference` to each of the others and half their widths, all at once.

        None where blocks do not join them all, or entries have variances of their own.
        """
        i, at = self._at[one], np.array([self._at[it] for it in others], dtype=np.intp)
        if self.own or self.freedom < 1.0 or (self.parts[at] != self.parts[i]).any():
            return None
        point = self.effects[i] - self.effects[at]
        each = self.covariance[at, at]
        variance = np.maximum(self.covariance[i, i] + each - 2.0 * self.covariance[i, at], 0.0)
        half = range_of_means(self.confidence, len(self.names), int(self.freedom))
        half *= np.sqrt(variance / 2)
        return point, half

    @cached_property
    def _at(self) -> Mapping[str, int]:
        return {name: at for at, name in enumerate(self.names)}


@cache
def range_of_means(confidence: float, number: int, freedom: int) -> float:
    """The studentized range that `number` means stay within."""
    from scipy.stats import studentized_range  # takes most of a second to import

    return float(studentized_range.ppf(confidence, number, freedom))


def fitted(logs: Mapping[str, Mapping[B, float]], *, confidence: float) -> EntriesInBlocks:
    """Least squares of each entry's logs by block.

    An entry that scatters far more than the others has a variance of its own, and weighs as much
    less in what is known of its blocks. ValueError without any log.
    """
    names = tuple(logs)
    keys = dict.fromkeys(key for by_block in logs.values() for key in by_block)
    if not keys:
        raise ValueError("entries in blocks need at least one block")
    blocks = {key: at for at, key in enumerate(keys)}
    rows = [
        (at, blocks[key], log) for at, name in enumerate(names) for key, log in logs[name].items()
    ]
    entry, block = (np.array([row[side] for row in rows], dtype=np.intp) for side in (0, 1))
    data = _Rows(entry, block, np.array([row[2] for row in rows]), len(names), len(blocks))
    weights, odd = np.ones(len(names)), list[int]()
    found = data.least_squares(weights)
    while (at := _far_more(found, _others(odd, names))) is not None:
        odd.append(at)
        calm = _others(odd, names)
        for _ in range(
            _REFITS
        ):  # its noise leaves the blocks, and so the others, as it weighs less
            rest = found.squares[calm].sum() / found.freedom[calm].sum()
            ratio = rest * found.freedom[odd] / found.squares[odd]
            weights[odd] = np.clip(ratio, _LEAST_WEIGHT, 1.0)
            found = data.least_squares(weights)
    calm = _others(odd, names)
    freedom = float(found.freedom[calm].sum())
    variance = float(found.squares[calm].sum()) / freedom if freedom else 0.0
    scale = variance if variance > _LEAST else 0.0
    counts = np.bincount(entry, minlength=len(names))
    return EntriesInBlocks(
        names,
        found.effects,
        data.parts(),
        found.inverse * scale,
        freedom,
        {names[at]: (scale / weights[at] / counts[at], float(found.freedom[at])) for at in odd},
        confidence,
    )


def _others(odd: list[int], names: tuple[str, ...]) -> Indices:
    return np.setdiff1d(np.arange(len(names)), odd)


@dataclass(frozen=True)
class _Fit:
    effects: Reals
    inverse: Reals  # of the normal equations of the entries, blocks eliminated
    squares: Reals  # of each entry's residuals
    freedom: Reals  # what is left of each entry's rows for them


@dataclass(frozen=True)
class _Rows:
    entry: Indices
    block: Indices
    log: Reals
    entries: int
    blocks: int

    def least_squares(self, weights: Reals) -> _Fit:
        """With a weight for each entry."""
        weight = weights[self.entry]
        met = np.zeros((self.entries, self.blocks))
        np.add.at(met, (self.entry, self.block), weight)
        of_block = met.sum(axis=0)
        share = met / of_block
        inverse: Any = np.linalg.pinv(
            np.diag(met.sum(axis=1)) - share @ met.T, rcond=1e-10, hermitian=True
        )
        by_block = np.bincount(self.block, weight * self.log, self.blocks)
        by_entry = np.bincount(self.entry, weight * self.log, self.entries)
        effects = inverse @ (by_entry - share @ by_block)
        level = by_block / of_block - share.T @ effects
        residual = self.log - effects[self.entry] - level[self.block]
        across = inverse @ share
        of_row = (
            1.0 / of_block[self.block]
            + inverse[self.entry, self.entry]
            - 2.0 * across[self.entry, self.block]
            + (share * across).sum(axis=0)[self.block]
        )
        squares = np.bincount(self.entry, residual**2, self.entries).astype(np.float64)
        unspent = np.clip(1.0 - weight * of_row, 0.0, 1.0)
        left = np.bincount(self.entry, unspent, self.entries).astype(np.float64)
        return _Fit(effects, inverse, squares, np.where(left > 1e-6, left, 0.0))

    def parts(self) -> Indices:
        """For each entry the least number of an entry that a chain of blocks joins it with."""
        part = np.arange(self.entries)
        for _ in range(self.entries):
            least = np.full(self.blocks, self.entries)
            np.minimum.at(least, self.block, part[self.entry])
            joined = part.copy()
            np.minimum.at(joined, self.entry, least[self.block])
            if (joined == part).all():
                break
            part = joined
        return part


def _far_more(found: _Fit, calm: Indices) -> int | None:
    """The entry among the `calm` that scatters by far more than the rest of them."""
    freedom, squares = found.freedom[calm], found.squares[calm]
    rest, left = squares.sum() - squares, freedom.sum() - freedom
    usable = (freedom > 0.0) & (left > 0.0) & (rest > _LEAST * left)
    if not usable.any():
        return None
    ratio = np.where(usable, squares * left, 0.0) / np.where(usable, freedom * rest, 1.0)
    at = int(ratio.argmax())
    if ratio[at] < FAR_MORE:
        return None
    from scipy.stats import f

    chance = float(f.sf(ratio[at], freedom[at], left[at]))
    return int(calm[at]) if chance * len(calm) < BY_CHANCE else None
