"""How far processes of one model lie apart, by threads.

    python tests/benchmarks/process_spread.py [--rounds 3] [--seconds 30] [--sizes 24 48]

`esr check` samples RLFN against itself with each setting in turn, round after round, for so many
seconds. Prints the scatter of whole blocks of processes (standard deviation of their log ratios)
and how long a check would take for an interval of the same width, as a ratio to the first setting.
"""

from __future__ import annotations

import argparse
import itertools
import math
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import fmean, median, stdev

from harness.core.progress import SILENT
from harness.entries import catalogue
from harness.gate.baseline import Baseline
from harness.gate.blocks import Block
from harness.gate.pair import CheckRequest, paired, sampled
from harness.gate.settings import CheckSettings
from harness.machine.environment import usable_cores

MODEL = "rlfn_ntire_x4"


def main() -> None:
    """Every way in turn, at every size; a table at the end."""
    options = _options()
    ways = (1, usable_cores())
    found: dict[tuple[int, int], list[Block]] = defaultdict(list)
    for seed in range(options.rounds):
        for size, threads in itertools.product(options.sizes, ways):
            found[size, threads] += _blocks(threads, size, options.seconds, seed)
            print(f"round {seed + 1}, {size} px, {threads} threads", flush=True)
    print("| LR | threads | blocks | spread | turns a block | time to the same interval |")
    print("|---:|---:|---:|---:|---:|---:|")
    for (size, threads), blocks in found.items():
        slower = _cost(blocks) / _cost(found[size, 1])
        turns = median(len(it.turns) for it in blocks)
        cells = (str(size), str(threads), str(len(blocks)))
        print(f"| {' | '.join(cells)} | {_spread(blocks):.2%} | {turns:g} | {slower:.1f} |")


def _blocks(threads: int, size: int, seconds: float, seed: int) -> tuple[Block, ...]:
    (model,) = catalogue.references((MODEL,))
    settings = CheckSettings(budget_s=seconds, seed=seed)
    with tempfile.TemporaryDirectory() as logs:
        request = CheckRequest(
            candidates=(MODEL,),
            against=MODEL,
            settings=settings,
            size=(size, size),
            threads=threads,
            logs=Path(logs),
        )
        pair = paired(request, model, Baseline(MODEL, model))
        return sampled(request, pair, settings, SILENT, patient=True).blocks


def _spread(blocks: list[Block]) -> float:
    """Of blocks about their mean, as a share."""
    return math.expm1(stdev(median(it.effects) for it in blocks))


def _cost(blocks: list[Block]) -> float:
    """Seconds for an interval of a given width, but for a factor: variance times time."""
    return _spread(blocks) ** 2 * fmean(it.took_s for it in blocks)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--sizes", type=int, nargs="+", default=[24, 48])
    return parser.parse_args()


if __name__ == "__main__":
    main()
