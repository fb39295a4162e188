"""How often the references stand in the same order, and whether stated ranges hold the truth.

    python tests/benchmarks/rank_stability.py run FILE [--runs 20] [--minutes 60]
        [--rounds 3] [--neighbours 0] [--threads 1]
    python tests/benchmarks/rank_stability.py cut FILE REPORTS/sample [--rounds 3]
    python tests/benchmarks/rank_stability.py table FILE

`cut` takes the rounds of one long run, `--rounds` at a time, for as many runs: each round has fresh
processes anyway, and captures and counts are made once.
Each run measures the sample challenge's references anew and is a line of FILE; a run of this script
adds to the file until it holds `--runs`, or its minutes are over. The truth is the order of all
runs' pooled log runtimes. Tells how often a run's order is that order, and how often the range of
ranks that a run states for a model holds the model's rank in it, how many are of several ranks, and
by how much a model's ratio to the baseline moves: its 5th and its 95th percentile over the runs,
beside its median, of the model whose ratio moves most.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import kept
import numpy as np
from planted import neighbours

import harness
from harness.board.build import build, load_run
from harness.board.rank import rank
from harness.board.rank_intervals import with_spans
from harness.board.store import Store
from harness.core.leaderboard import BoardEntry, Leaderboard, rounds_of
from harness.core.run import JobKey, ListedEntry, Run
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
    if options.action == "cut":
        for board in _cut(options.reports, options.rounds):
            kept.add(options.file, _told(board, options))
    print(_table(kept.read(options.file)))


def _cut(folder: Path, rounds: int) -> Iterator[Leaderboard]:
    run, store = load_run(folder), Store(folder / "records")
    whole = min(len(list((folder / "records" / it.id).glob("round-*"))) for it in _measured(run))
    for first in range(0, whole - rounds + 1, rounds):
        mine = [
            replace(it, jobs=tuple(job for job in it.jobs if _of(job, first, rounds)))
            for it in _measured(run)
        ]
        yield _ranked(build(replace(run, entries=tuple(mine)), store))


def _of(job: JobKey, first: int, rounds: int) -> bool:
    return job.job == "count" or 0 <= job.round - first < rounds


def _measured(run: Run) -> list[ListedEntry]:
    return [it for it in run.entries if it.role != "floor"]


def _mine(options: argparse.Namespace) -> list[dict[str, Any]]:
    return [it for it in kept.read(options.file) if it["setting"] == _setting(options)]


def _board(folder: Path, options: argparse.Namespace) -> Leaderboard:
    return _ranked(
        harness.evaluate(
            [], challenge="sample", rounds=options.rounds, threads=options.threads, reports=folder
        )
    )


def _ranked(board: Leaderboard) -> Leaderboard:
    """Untrained references count for their runtime as well as trained ones."""
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
        "ratios": {
            row.entry.id: row.runtime_ratio.point for row in board.rows if row.runtime_ratio
        },
        "ranges": {name: [it.first, it.last] for name, it in spans.items() if it is not None},
    }


def _setting(options: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(options, name) for name in ("rounds", "neighbours", "threads")}


def _table(runs: list[dict[str, Any]]) -> str:
    heads = ["rounds", "neighbours", "runs", "in the pooled order", "ranges that hold the truth"]
    heads += ["ranges of several ranks", "ratios move by"]
    rows = [[*heads, "pooled order"], ["---:"] * 7 + ["---"]]
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
    return [str(len(runs)), *shares, _moves(runs), order]


def _moves(runs: list[dict[str, Any]]) -> str:
    ratios = defaultdict(list)
    for run in runs:
        for name, ratio in run.get("ratios", {}).items():
            ratios[name].append(math.log(ratio))
    ends = [np.percentile(logs, (5, 50, 95)) for logs in ratios.values() if len(logs) > 1]
    if not ends:
        return "–"
    low, middle, high = max(ends, key=lambda it: it[2] - it[0])
    return f"{math.expm1(low - middle):+.1%} to {math.expm1(high - middle):+.1%}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=("run", "cut", "table"))
    parser.add_argument("file", type=Path)
    parser.add_argument("reports", type=Path, nargs="?")
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--neighbours", type=int, default=0)
    parser.add_argument("--threads", type=int, default=None)
    return parser.parse_args()


if __name__ == "__main__":
    main()
