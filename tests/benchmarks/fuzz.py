"""Bend real documents and see that each is accepted or refused, never an exception, never a hang.

    python tests/benchmarks/fuzz.py [--inputs 100000] [--seed 0] [--only TARGET ...]

The targets are whatever reads a foreign or a stored document: a worker's answers, manifests,
rulebooks, records, results files, printed tables, gates (tests/fuzzing/targets.py); what is
accepted is ranked and drawn. Four fifths of the inputs are documents of a real run and of our own,
bent by a seeded generator, the rest are made up by hypothesis. Prints a Markdown table, and on
standard error each kind of uncaught exception with the first input that raised it.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from random import Random
from types import FrameType

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # fakes and fuzzing, as pytest sets it

from fuzzing import invented, real
from fuzzing.targets import Target, targets

HANG_S = 20
BY_HYPOTHESIS = 5  # one of so many
SHARES = {
    "wire answers": 4,
    "manifests": 4,
    "rulebooks": 3,
    "records": 2,
    "records, sealed anew": 2,
    "wire frames": 3,
}


class Hang(BaseException):
    """It took too long; nothing in the harness may catch this."""


class Tally:
    """What became of a target's inputs."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.ends: Counter[str] = Counter()
        self.bugs: dict[str, tuple[bytes, str]] = {}

    def add(self, data: bytes) -> None:
        """Try one input."""
        signal.alarm(HANG_S)
        try:
            self.ends["accepted" if self.target.accepts(data) else "refused"] += 1
        except Hang:
            self._bug("hang", data)
        except Exception:  # noqa: BLE001 - whatever it is, it is a bug to be counted
            self._bug("uncaught", data)
        finally:
            signal.alarm(0)

    def _bug(self, end: str, data: bytes) -> None:
        self.ends[end] += 1
        told = traceback.format_exc()
        self.bugs.setdefault(_where(told), (data, told))


def main() -> None:
    """All targets, one after the other."""
    options = _options()
    signal.signal(signal.SIGALRM, _alarm)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="esr-fuzz-", dir=_memory()) as folder:
        more = {} if options.no_run else real.documents(Path(folder) / "run")
        chosen = [
            it
            for it in targets(Path(folder) / "fuzz", more)
            if not options.only or it.name in options.only
        ]
        shares = [SHARES.get(it.name, 1) for it in chosen]
        tallies = [
            _tried(target, round(options.inputs * share / sum(shares)), options.seed)
            for target, share in zip(chosen, shares, strict=True)
        ]
    print(f"seed {options.seed}, {time.monotonic() - began:.0f} s\n")
    print(_table(tallies))
    if any(tally.bugs for tally in tallies):
        raise SystemExit(1)


def _tried(target: Target, inputs: int, seed: int) -> Tally:
    tally = Tally(target)
    dice = Random(f"{target.name}/{seed}")  # noqa: S311 - no secret
    by_hypothesis = inputs // BY_HYPOTHESIS
    for _ in range(inputs - by_hypothesis):
        tally.add(target.mutated(dice))
    invented.fed(target, tally.add, by_hypothesis, seed)
    print(f"{target.name}: {dict(tally.ends)}", file=sys.stderr)
    for data, told in tally.bugs.values():
        print(f"--- {target.name}: {data[:2000]!r}\n{told}", file=sys.stderr)
    return tally


def _table(tallies: list[Tally]) -> str:
    ends = ("refused", "accepted", "uncaught", "hang")
    lines = [
        "| target | inputs | refused | accepted | uncaught | hung |",
        "|---|---|---|---|---|---|",
    ]
    total: Counter[str] = Counter()
    for tally in tallies:
        lines.append(_row(tally.target.name, tally.ends, ends))
        total += tally.ends
    return "\n".join([*lines, _row("**together**", total, ends)])


def _row(name: str, found: Counter[str], ends: tuple[str, ...]) -> str:
    cells = [name, f"{found.total():,}", *(f"{found[end]:,}" for end in ends)]
    return f"| {' | '.join(cells)} |"


def _where(told: str) -> str:
    """The exception's type and the last place in the harness that it passed: a bug's name."""
    lines = told.splitlines()
    places = [line for line in lines if "/harness/" in line]
    return f"{(places or lines)[-1]} {lines[-1].partition(':')[0]}"


def _alarm(_number: int, _frame: FrameType | None) -> None:
    raise Hang


def _memory() -> str | None:
    """A file system in memory where there is one: stored records are synced."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - where Linux keeps it


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=100_000, help="over all targets")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", default=[], help="these targets alone")
    parser.add_argument("--no-run", action="store_true", help="without documents of a real run")
    return parser.parse_args()


if __name__ == "__main__":
    main()
