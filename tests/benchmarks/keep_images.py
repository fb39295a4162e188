"""What `esr run --keep-images` costs: wall time of a run with over one without, and disk.

    python tests/benchmarks/keep_images.py ENTRY --challenge classic_x4 --data-dir DATA [--pairs 3]

Whole runs of one round in fresh reports folders, in pairs whose order turns around.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

import harness


def main() -> None:
    """Print each pair, and the median of their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("entry")
    parser.add_argument("--challenge", default="sample")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--weights-dir", type=Path)
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.pairs):
            kept = (False, True) if number % 2 == 0 else (True, False)
            took = {it: _run(options, Path(folder) / f"{number}-{it}", keep=it) for it in kept}
            ratios.append(took[True] / took[False])
            print(f"{took[False]:8.2f} s without, {took[True]:8.2f} s with: {ratios[-1]:.3f}")
        files = list(Path(folder).glob("0-True/*/pictures/*.png"))
        size = sum(path.stat().st_size for path in files)
        print(
            f"median {median(ratios):.3f}; {len(files)} pictures of {size / len(files):,.0f} bytes"
        )


def _run(options: argparse.Namespace, reports: Path, *, keep: bool) -> float:
    began = time.perf_counter()
    harness.evaluate(
        [options.entry],
        challenge=options.challenge,
        data_dir=options.data_dir,
        weights="official" if options.weights_dir else "bundled",
        weights_dir=options.weights_dir,
        references=False,
        rounds=1,
        reports=reports,
        keep_images=("all",) if keep else (),
    )
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
