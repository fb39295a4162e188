"""How often the references stand in the same order, and whether stated ranges hold the truth.

    python tests/benchmarks/rank_stability.py [--runs 20] [--rounds 3] [--neighbours 0]

Each run measures the sample challenge's references anew. The truth is the order of all runs'
pooled log runtimes. Prints how often a run's order is that order, and how often the range of ranks
that a run states for a model holds the model's rank in it.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from statistics import fmean

from planted import neighbours

import harness
from harness import stats
from harness.core.leaderboard import Leaderboard, rounds_of
from harness.pipeline.separation import with_spans
from harness.rank import rank


def main() -> None:
    """Run, pool, compare."""
    options = _options()
    boards = []
    with neighbours(options.neighbours):
        for number in range(options.runs):
            with tempfile.TemporaryDirectory() as folder:
                boards.append(_board(Path(folder), options))
            print(f"run {number + 1}: {' < '.join(_order(boards[-1]))}", flush=True)
    pooled = defaultdict(list)
    for board in boards:
        for row in board.rows:
            if row.entry.role != "floor":
                pooled[row.entry.id] += _logs(board, row.entry.id)
    truth = sorted(pooled, key=lambda name: fmean(pooled[name]))
    orders = Counter(_order(board) for board in boards)
    held = [
        row.runtime_span.first <= truth.index(row.entry.id) + 1 <= row.runtime_span.last
        for board in boards
        for row in board.rows
        if row.runtime_span is not None
    ]
    tied = [
        row.runtime_span.first != row.runtime_span.last
        for board in boards
        for row in board.rows
        if row.runtime_span is not None
    ]
    print(f"pooled order: {' < '.join(truth)}")
    print(f"runs in this order: {orders[tuple(truth)]} of {len(boards)}")
    print(f"stated ranges that hold the pooled rank: {sum(held)} of {len(held)}")
    print(f"ranges of more than one rank: {sum(tied)} of {len(tied)}")


def _board(folder: Path, options: argparse.Namespace) -> Leaderboard:
    """Untrained references count for their runtime as well as trained ones."""
    board = harness.evaluate([], challenge="sample", rounds=options.rounds, reports=folder)
    entries = [_ranked(row.entry) for row in board.rows if row.entry.role != "floor"]
    return with_spans(rank(board.challenge, entries))


def _ranked(entry: object) -> object:
    import dataclasses

    return dataclasses.replace(entry, rankable=True, badges=())  # type: ignore[type-var]


def _order(board: Leaderboard) -> tuple[str, ...]:
    rows = [row.entry for row in board.rows if row.entry.role != "floor"]
    return tuple(it.id for it in sorted(rows, key=lambda it: it.values["runtime"]))


def _logs(board: Leaderboard, name: str) -> list[float]:
    (entry,) = (row.entry for row in board.rows if row.entry.id == name)
    names = [use.name for use in board.challenge.datasets]
    rounds = stats.runtime(rounds_of(entry.timed), datasets=names).rounds
    return [math.log(it) for it in rounds]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--neighbours", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
