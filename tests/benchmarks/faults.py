"""Inject each fault many times, resume, and see that no finished result was lost.

    python tests/benchmarks/faults.py [--times 20] [--real 3] [--seed 0] [--only WORD]

What the faults are and how real each is stands in tests/faulty. Each injection has a folder of its
own and draws its moment, size or file at random; afterwards the same command runs again, and must
end with the table of an undisturbed run. Needs the right to mount, at least in a user name space.
Prints a Markdown table, and exits with 1 if a result was lost or a run did not come to its end.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # fakes and faulty, as pytest sets it

from faulty import faults
from faulty.apart import apart
from faulty.faults import Fault, Report


def main() -> None:
    """All faults, and the table."""
    options = _options()
    print("| fault | injected | results lost | outcome | resumed to the end | left over |")
    print("|---|---|---|---|---|---|")
    bad = 0
    with tempfile.TemporaryDirectory(prefix="esr-faults-") as folder:
        place = Path(folder)
        calm = faults.undisturbed(place / "calm")

        def canned(fault: Fault, root: Path, dice: Random) -> Report:
            return apart(lambda: faults.tried(fault, root, calm, dice))

        for fault in _chosen(faults.FAULTS, options.only):
            bad += _row(fault, options.times, options.seed, place, canned)
        for fault in _chosen(faults.REAL, options.only):
            bad += _row(fault, options.real, options.seed, place, faults.tried_with_workers)
    if bad:
        raise SystemExit(1)


def _row(
    fault: Fault,
    times: int,
    seed: int,
    place: Path,
    tried: Callable[[Fault, Path, Random], Report],
) -> int:
    """Inject, print the row; how many went wrong."""
    reports = []
    for number in range(times):
        dice = Random(f"{seed}/{fault.name}/{number}")  # noqa: S311 - moments, no secrets
        root = place / f"{fault.inject.__name__}-{number}"
        reports.append(tried(fault, root, dice))
    ends = Counter(it.outcome for it in reports)
    told = ", ".join(f"{count} {end}" for end, count in ends.most_common())
    lost, left = sum(it.lost for it in reports), sum(it.leftovers for it in reports)
    whole = sum(it.completed for it in reports)
    print(f"| {fault.name} | {times} | {lost} | {told} | {whole} | {left} |", flush=True)
    return lost + left + times - whole


def _chosen(found: tuple[Fault, ...], word: str) -> list[Fault]:
    return [it for it in found if word in it.name]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=20, help="injections of each fault")
    parser.add_argument("--real", type=int, default=3, help="of those that need real workers")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="faults with this in their name")
    return parser.parse_args()


if __name__ == "__main__":
    main()
