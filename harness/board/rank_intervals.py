"""Which ranks by runtime the rounds can tell apart, and each row's ratio to the baseline.

Rounds that say in which block they were taken are judged by `stats.incomplete_blocks`: intervals of
all timed rows together, so that of twenty boards one states a range that excludes a true rank.
Entries that no chain of blocks joins are two samples (Welch), at a level that holds for all pairs
too (Bonferroni).

Older rounds name no block. Two entries are then compared round by round where one run timed both,
else as two samples: means of log ratios, Student's t, each pair at 95 % for itself.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean, variance

import numpy as np

from harness.core.leaderboard import BoardEntry, Leaderboard, RankRange, Ratio, rounds_of
from harness.core.phrasing import counted
from harness.core.record import RoundFigures
from harness.stats import samples as stats
from harness.stats.incomplete_blocks import Difference, EntriesInBlocks, Reals, fitted
from harness.stats.student import bound, welch

CONFIDENCE = 0.95
WORTH = 100  # rounds more, beyond which no number is told
NAMED = 3  # pairs, of those that are not told apart the ones that would take least
LogRuntimes = Mapping[str, float]  # of rounds, by block


@dataclass(frozen=True)
class Runtimes:
    """The timed rows of a board, and what blocks tell of them; None of older rounds.

    Rows of one graph have the same rounds, and are one entry to the blocks: the first one's.
    """

    timed: Mapping[str, LogRuntimes]
    blocks: EntriesInBlocks | None = None
    first: Mapping[str, str] = field(default_factory=dict)
    several_nodes: bool = False  # then what no chain of blocks joins says nothing of each other

    def difference(self, one: str, other: str) -> Difference:
        """The log ratio of two runtimes; unbounded where too few rounds tell of it."""
        if self.several_nodes and (self.blocks is None or not self.joined(one, other)):
            return Difference(0.0, -math.inf, math.inf)
        if self.blocks is None:
            return interval(self.timed[one], self.timed[other], CONFIDENCE)
        within = self.blocks.difference(self.first.get(one, one), self.first.get(other, other))
        if within is not None:
            return within
        confidence = 1.0 - (1.0 - CONFIDENCE) / math.comb(len(self.timed), 2)
        return interval(self.timed[one], self.timed[other], confidence)

    def joined(self, one: str, other: str) -> bool:
        """Whether a chain of blocks joins two timed rows."""
        first = self.first
        pair = (first.get(one, one), first.get(other, other))
        return self.blocks is not None and self.blocks.difference(*pair) is not None

    def all_at_once(self, name: str, others: Sequence[str]) -> tuple[Reals, Reals] | None:
        """Points of `difference` and half their widths, of a thousand rows; None if it fails."""
        if self.blocks is None:
            return None
        firsts = [self.first.get(it, it) for it in others]
        return self.blocks.differences(self.first.get(name, name), firsts)

    def undecided(self, name: str, others: Sequence[str]) -> list[tuple[float, str]]:
        """By how much more often all would have to be measured to decide each open pair."""
        at_once = self.all_at_once(name, others)
        if at_once is None:
            found = ((self.difference(name, it), it) for it in others)
            return [(it.more, other) for it, other in found if not it.decided]
        point, half = at_once
        open_ = np.flatnonzero(~((point - half > 0.0) | (point + half < 0.0)))
        told = zip(point[open_].tolist(), half[open_].tolist(), open_.tolist(), strict=True)
        return [(Difference(it, it - by, it + by).more, others[at]) for it, by, at in told]

    def span(self, name: str, ranked: Sequence[str]) -> RankRange | None:
        """The ranks that `name` may have among the `ranked`; None where a row has one round."""
        if name not in ranked or min(len(self.timed[it]) for it in ranked) < 2:
            return None
        others = [it for it in ranked if it != name]
        at_once = self.all_at_once(name, others)
        if at_once:
            point, half = at_once
            faster, slower = (point - half > 0.0).sum(), (point + half < 0.0).sum()
            return RankRange(1 + int(faster), len(ranked) - int(slower))
        apart = [self.difference(name, other) for other in others]
        faster = sum(it.low > 0.0 for it in apart)
        slower = sum(it.high < 0.0 for it in apart)
        return RankRange(1 + faster, len(ranked) - slower)

    def ratio(self, name: str, base: str) -> Ratio | None:
        """The runtime of `name` over that of `base`."""
        if name == base or name not in self.timed or base not in self.timed:
            return None
        it = self.difference(name, base)
        if math.isinf(it.high):
            return None
        # exp overflows a float above 709
        ends = (math.exp(max(min(end, 700.0), -700.0)) for end in (it.point, it.low, it.high))
        return Ratio(base, *ends)


def with_spans(board: Leaderboard) -> Leaderboard:
    """The board with each ranked row's range of ranks, and each timed row's ratio."""
    runtimes = runtimes_of(board)
    ranked = [row.entry.id for row in board.rows if row.ranked and row.entry.id in runtimes.timed]
    base = board.challenge.baseline
    return replace(
        board,
        in_blocks=runtimes.blocks is not None,
        notes=(*board.notes, *_undecided(board, runtimes, ranked)),
        rows=tuple(
            replace(
                row,
                runtime_span=runtimes.span(row.entry.id, ranked),
                runtime_ratio=runtimes.ratio(row.entry.id, base),
            )
            for row in board.rows
        ),
    )


def _undecided(board: Leaderboard, runtimes: Runtimes, ranked: Sequence[str]) -> Iterator[str]:
    """Which pairs of ranked rows are not told apart, and about what it would take."""
    if runtimes.blocks is None:
        return
    rounds = max(len(its) for its in runtimes.timed.values())
    if rounds < 2:
        return
    number, least = 0, list[tuple[float, tuple[str, str]]]()
    for at, name in enumerate(ranked):
        found = runtimes.undecided(name, ranked[at + 1 :])
        number += len(found)
        pairs = ((more, (name, other)) for more, other in found)
        least = heapq.nsmallest(NAMED, itertools.chain(least, pairs))
    if not number:
        return
    minutes = _round_s(board) / 60.0
    told = []
    for more, pair in least:
        needed = more * rounds - rounds
        cost = "more rounds than are worth it"
        if needed < WORTH:
            cost = f"about {counted(math.ceil(needed), 'round')} more"
            cost += f", {math.ceil(math.ceil(needed) * minutes)} min"
        told.append(f"{' and '.join(pair)} ({cost})")
    left = number - len(told)
    told += [f"and {counted(left, 'pair')} more"] if left else []
    yield (
        f"Runtimes that {counted(rounds, 'round')} can't tell apart, of "
        f"{counted(math.comb(len(ranked), 2), 'pair')} of ranked rows: {'; '.join(told)}."
    )


def _round_s(board: Leaderboard) -> float:
    """What a round of all rows took: from the start of each process to its last score."""
    phases = [it.phases for row in board.rows for it in rounds_of(row.entry.timed)]
    took = sum(it.start_s + it.load_s + it.warmup_s + it.first_to_last_s for it in phases)
    return took / max(len(row.entry.timed) for row in board.rows)


def interval(one: LogRuntimes, other: LogRuntimes, confidence: float) -> Difference:
    """The log ratio of two runtimes by Student's t; unbounded where it rests on one round."""
    if one.keys() == other.keys():
        apart = [one[key] - other[key] for key in one]
        middle = fmean(apart)
        if len(apart) < 2:
            return Difference(middle, -math.inf, math.inf)
        freedom, spread = len(apart) - 1, math.sqrt(variance(apart) / len(apart))
    else:
        samples = [list(it.values()) for it in (one, other)]
        middle = fmean(samples[0]) - fmean(samples[1])
        if min(map(len, samples)) < 2:
            return Difference(middle, -math.inf, math.inf)
        spread, freedom = welch(*samples)
    half = bound(confidence, freedom) * spread
    return Difference(middle, middle - half, middle + half)


def runtimes_of(board: Leaderboard) -> Runtimes:
    """The logs of the board's timed rows, and what their blocks tell."""
    several = len(board.nodes) > 1
    timed = {row.entry.id: found for row in board.rows if (found := _timed(board, row.entry))}
    of_rows = {row.entry.id: rounds_of(row.entry.timed) for row in board.rows}
    if several:  # what took no turns with others can't be compared with them
        timed = {name: it for name, it in timed.items() if all(one.block for one in of_rows[name])}
        of_rows = {name: of_rows[name] for name in timed}
    rounds = [it for found in of_rows.values() for it in found]
    if len(timed) < 2 or not all(it.block for it in rounds):
        return Runtimes(timed, several_nodes=several)
    same: dict[frozenset[tuple[str, float]], str] = {}
    first = {name: same.setdefault(frozenset(its.items()), name) for name, its in timed.items()}
    logs = {name: dict(timed[name]) for name in same.values()}
    for it in rounds:
        if it.beside is not None:  # which may be of another day than that entry's own rounds
            its = logs.setdefault(first.get(it.beside.entry, it.beside.entry), {})
            its[it.block] = _log(board, [replace(it, samples=it.beside.samples)])[0]
    for row in board.rows:
        for it in rounds_of(row.entry.elsewhere) if row.entry.id in timed else ():
            logs[first.get(row.entry.id, row.entry.id)][it.block] = _log(board, [it])[0]
    return Runtimes(timed, fitted(logs, confidence=CONFIDENCE), first, several)


def _timed(board: Leaderboard, entry: BoardEntry) -> LogRuntimes | None:
    """Of the same datasets, by the same mean, as the runtime that is ranked."""
    records = entry.timed
    if not records or "runtime" not in entry.values:
        return None
    rounds = rounds_of(records)
    named = zip(records, rounds, strict=True)
    keys = [it.block or f"{record.session}/{record.round}" for record, it in named]
    return dict(zip(keys, _log(board, rounds), strict=True))


def _log(board: Leaderboard, rounds: Sequence[RoundFigures]) -> list[float]:
    challenge = board.challenge
    found = stats.runtime(rounds, datasets=challenge.timed(), mean=challenge.runtime_mean)
    return [math.log(it) for it in found.rounds]
