"""How often the references stand in the same order, and whether stated ranges hold the truth.

    python tests/benchmarks/rank_stability.py run FILE [--runs 20] [--minutes 60]
        [--rounds 3] [--neighbours 0] [--threads 1]
    python tests/benchmarks/rank_stability.py table FILE

Each run measures the sample challenge's references anew and is a line of FILE; a run of this script
adds to the file until it holds `--runs`, or its minutes are over. The truth is the order of all
runs' pooled log runtimes. Tells how often a run's order is that order, and how often the range of
ranks that a run states for a model holds the model's rank in it.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import kept
from planted import neighbours

import harness
from harness.board.rank import rank
from harness.board.rank_intervals import with_spans
from harness.core.leaderboard import BoardEntry, Leaderboard, rounds_of
from harness.stats import samples


def main() -> None:
    """Add to the file, or draw what is in it."""
    options = _options()
    if options.action == "run":
        ends = time.monotonic() + 60.0 * options.minutes
        while time.monotonic() < ends and len(_mine(options)) < options.runs:
            with tempfile.TemporaryDirectory() as folder, neighbours(options.neighbours):
                kept.add(options.file, _told(_board(Path(folder), options), options))
            print(f"run {len(_mine(options))}", flush=True)
    print(_table(kept.read(options.file)))


def _mine(options: argparse.Namespace) -> list[dict[str, Any]]:
    return [it for it in kept.read(options.file) if it["setting"] == _setting(options)]


def _board(folder: Path, options: argparse.Namespace) -> Leaderboard:
    """Untrained references count for their runtime as well as trained ones."""
    board = harness.evaluate(
        [], challenge="sample", rounds=options.rounds, threads=options.threads, reports=folder
    )
    entries = [replace(it, rankable=True, untrained=False) for it in _entries(board)]
    return with_spans(rank(board.challenge, entries))


def _entries(board: Leaderboard) -> list[BoardEntry]:
    return [row.entry for row in board.rows if row.entry.role != "floor"]


def _told(board: Leaderboard, options: argparse.Namespace) -> dict[str, Any]:
    names = [use.name for use in board.challenge.datasets]
    spans = {row.entry.id: row.runtime_span for row in board.rows}
    return {
        "setting": _setting(options),
        "seconds": {
            it.id: samples.runtime(rounds_of(it.timed), datasets=names).rounds
            for it in _entries(board)
        },
        "runtime": {it.id: it.values["runtime"] for it in _entries(board)},
        "ranges": {name: [it.first, it.last] for name, it in spans.items() if it is not None},
    }


def _setting(options: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(options, name) for name in ("rounds", "neighbours", "threads")}


def _table(runs: list[dict[str, Any]]) -> str:
    heads = ["rounds", "neighbours", "runs", "in the pooled order", "ranges that hold the truth"]
    rows = [[*heads, "ranges of several ranks", "pooled order"], ["---:"] * 6 + ["---"]]
    by_setting = defaultdict(list)
    for run in runs:
        by_setting[run["setting"]["rounds"], run["setting"]["neighbours"]].append(run)
    rows += [[str(rounds), str(noisy), *_row(mine)] for (rounds, noisy), mine in by_setting.items()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(runs: list[dict[str, Any]]) -> list[str]:
    pooled = defaultdict(list)
    for run in runs:
        for name, seconds in run["seconds"].items():
            pooled[name] += map(math.log, seconds)
    truth = sorted(pooled, key=lambda name: fmean(pooled[name]))
    same = sum(sorted(run["runtime"], key=run["runtime"].__getitem__) == truth for run in runs)
    ranges = [(name, *ends) for run in runs for name, ends in run["ranges"].items()]
    held = sum(first <= truth.index(name) + 1 <= last for name, first, last in ranges)
    tied = sum(first != last for _, first, last in ranges)
    order = " < ".join(truth)
    shares = (f"{same} of {len(runs)}", f"{held} of {len(ranges)}", f"{tied} of {len(ranges)}")
    return [str(len(runs)), *shares, order]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=("run", "table"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--neighbours", type=int, default=0)
    parser.add_argument("--threads", type=int, default=None)
    return parser.parse_args()


if __name__ == "__main__":
    main()
