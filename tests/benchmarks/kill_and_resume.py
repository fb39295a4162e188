"""Kill a run at random moments, start it again, and compare with an undisturbed one.

    python tests/benchmarks/kill_and_resume.py [--kills 10] [-- OPTIONS OF esr run]

Each kill is a SIGKILL of the harness after a random share of the time that an undisturbed run
takes; a run that got to its end is compared and the next one begun, until there were enough kills.
Prints how many records there were after each kill, whether one was lost, changed or torn, and
whether the table ended up equal in every column but those that a clock or the memory decides.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.board.store import load

BY_CLOCK = (
    "runtime_s",
    "runtime_range_s",
    "runtime_ranks",
    "runtime_ratio",
    "first_call_s",
    "memory_bytes",
    "ranks",
    "tracks",
    "earlier_run",
)


def main() -> None:
    """Run, kill, resume, compare, until there were enough kills."""
    options = _options()
    dice = random.Random(options.seed)  # noqa: S311 - moments, no secrets
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        undisturbed = _finished(Path(folder) / "calm", options.run)
        length = time.monotonic() - began
        print(f"undisturbed: {length:.1f} s, {len(_records(Path(folder) / 'calm'))} records")
        kills = bad = cycle = 0
        while kills < options.kills:
            reports = Path(folder) / f"killed-{cycle}"
            # some beyond the fixed cost of a start (sandbox, calibration), so that runs get on
            moments = iter(lambda: dice.uniform(0.01, 0.9) * length, None)
            killed, lost = _killed_to_the_end(reports, moments, options.run)
            resumed = _finished(reports, options.run)
            torn = _torn(reports)
            equal = _steady(resumed) == _steady(undisturbed)
            print(f"run {cycle + 1}: {killed} kills, lost {lost}, torn {torn}, equal: {equal}")
            kills += killed
            bad += lost + torn + (not equal)
            cycle += 1
    print(f"{kills} kills, {bad} faults")
    if bad:
        raise SystemExit(1)


def _killed_to_the_end(
    reports: Path, moments: Iterator[float], extra: list[str]
) -> tuple[int, int]:
    """Start and kill until a start gets to the end; kills, and records lost or changed by them."""
    kills = lost = 0
    kept: dict[Path, bytes] = {}
    while _was_killed(next(moments), reports, extra):
        kills += 1
        now = _records(reports)
        gone = sum(now.get(path) != data for path, data in kept.items())
        print(f"  kill {kills}: {len(now)} records, {gone} lost")
        lost += gone
        kept = now
    return kills, lost


def _torn(reports: Path) -> int:
    aside = [it for it in reports.rglob("*") if it.suffix in (".torn", ".other_schema")]
    return len(aside) + sum(load(path).record is None for path in _records(reports))


def _command(reports: Path, extra: list[str]) -> list[str]:
    return [sys.executable, "-m", "harness.cli", "run", "--json", "--reports", str(reports), *extra]


def _finished(reports: Path, extra: list[str]) -> dict[str, Any]:
    done = subprocess.run(
        _command(reports, extra), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _was_killed(moment: float, reports: Path, extra: list[str]) -> bool:
    run = subprocess.Popen(
        _command(reports, extra), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        run.wait(moment)
    except subprocess.TimeoutExpired:
        run.send_signal(signal.SIGKILL)
        run.wait()
        return True
    return False


def _records(reports: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in reports.rglob("records/*/*.json")}


def _steady(document: dict[str, Any]) -> list[dict[str, Any]]:
    rows = sorted(document["rows"], key=lambda row: str(row["id"]))
    kept = [{key: value for key, value in row.items() if key not in BY_CLOCK} for row in rows]
    # of audits the verdicts: their evidence is in milliseconds
    return [row | {"audits": [(it["id"], it["verdict"]) for it in row["audits"]]} for row in kept]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("run", nargs="*", help="options of esr run, after --")
    return parser.parse_args()


if __name__ == "__main__":
    main()
