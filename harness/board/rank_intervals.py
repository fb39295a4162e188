"""Which ranks by runtime the rounds can tell apart, and each row's ratio to the baseline.

Two entries are compared round by round where one run timed them side by side, else as two samples
(Welch). Means of log ratios, Student's t: three rounds carry no more. Each pair stands at 95 % for
itself; a range is not corrected for the number of pairs, which would make it no narrower.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean, variance

from harness.core.leaderboard import BoardEntry, Leaderboard, RankRange, Ratio, rounds_of
from harness.stats import samples as stats
from harness.stats.student import bound, welch

CONFIDENCE = 0.95
LogRuntimes = Mapping[tuple[str, int], float]  # of rounds, by their session and number


def with_spans(board: Leaderboard) -> Leaderboard:
    """The board with each ranked row's range of ranks, and each timed row's ratio."""
    timed = {row.entry.id: found for row in board.rows if (found := _timed(board, row.entry))}
    ranked = [row.entry.id for row in board.rows if row.ranked and row.entry.id in timed]
    base = board.challenge.baseline
    return replace(
        board,
        rows=tuple(
            replace(
                row,
                runtime_span=_span(row.entry.id, ranked, timed),
                runtime_ratio=_ratio(row.entry.id, base, timed),
            )
            for row in board.rows
        ),
    )


def interval(one: LogRuntimes, other: LogRuntimes) -> tuple[float, float, float]:
    """The log ratio of two runtimes, and its ends; unbounded where it rests on one round."""
    if one.keys() == other.keys():
        apart = [one[key] - other[key] for key in one]
        middle = fmean(apart)
        if len(apart) < 2:
            return middle, -math.inf, math.inf
        freedom, spread = len(apart) - 1, math.sqrt(variance(apart) / len(apart))
    else:
        samples = [list(it.values()) for it in (one, other)]
        middle = fmean(samples[0]) - fmean(samples[1])
        if min(map(len, samples)) < 2:
            return middle, -math.inf, math.inf
        spread, freedom = welch(*samples)
    half = bound(CONFIDENCE, freedom) * spread
    return middle, middle - half, middle + half


def _timed(board: Leaderboard, entry: BoardEntry) -> LogRuntimes | None:
    """Of the same datasets, by the same mean, as the runtime that is ranked."""
    records, challenge = entry.timed, board.challenge
    if not records or "runtime" not in entry.values:
        return None
    figures = stats.runtime(
        rounds_of(records), datasets=challenge.timed(), mean=challenge.runtime_mean
    ).rounds
    keys = [(record.session, record.round) for record in records]
    return {key: math.log(it) for key, it in zip(keys, figures, strict=True)}


def _span(name: str, ranked: Sequence[str], timed: Mapping[str, LogRuntimes]) -> RankRange | None:
    if name not in ranked or min(len(timed[it]) for it in ranked) < 2:
        return None
    ends = [interval(timed[name], timed[other])[1:] for other in ranked if other != name]
    faster = sum(low > 0.0 for low, _ in ends)
    slower = sum(high < 0.0 for _, high in ends)
    return RankRange(1 + faster, len(ranked) - slower)


def _ratio(name: str, base: str, timed: Mapping[str, LogRuntimes]) -> Ratio | None:
    if name == base or name not in timed or base not in timed:
        return None
    middle, low, high = interval(timed[name], timed[base])
    if math.isinf(high):
        return None
    # exp overflows a float above 709
    return Ratio(base, *(math.exp(max(min(it, 700.0), -700.0)) for it in (middle, low, high)))
