"""Kill a run at random moments, start it again, and compare with an undisturbed one.

    python tests/benchmarks/kill_and_resume.py [--kills 10] [-- OPTIONS OF esr run]

Each kill is a SIGKILL of the harness at a random share of the time that an undisturbed run takes.
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
from pathlib import Path
from typing import Any

from harness.store import load

BY_CLOCK = ("runtime_s", "runtime_range_s", "first_call_s", "memory_bytes", "ranks", "tracks")


def main() -> None:
    """Run, kill, resume, compare."""
    options = _options()
    dice = random.Random(options.seed)  # noqa: S311 - moments, no secrets
    with tempfile.TemporaryDirectory() as folder:
        calm, killed = Path(folder) / "calm", Path(folder) / "killed"
        began = time.monotonic()
        undisturbed = _finished(calm, options.run)
        length = time.monotonic() - began
        print(f"undisturbed: {length:.1f} s, {len(_records(calm))} records")
        lost = 0
        kept: dict[Path, bytes] = {}
        for number in range(options.kills):
            moment = dice.uniform(0.02, 0.98) * length
            outcome = _killed_after(moment, killed, options.run)
            now = _records(killed)
            gone = sum(now.get(path) != data for path, data in kept.items())
            lost += gone
            kept = now
            print(f"{outcome} {number + 1} after {moment:5.1f} s: {len(now)} records, {gone} lost")
        resumed = _finished(killed, options.run)
        torn = [path for path in killed.rglob("*") if path.suffix in (".torn", ".other_schema")]
        unreadable = [path for path in killed.rglob("records/*/*.json") if not load(path).record]
    equal = _steady(resumed) == _steady(undisturbed)
    print(f"records lost {lost}, torn {len(torn) + len(unreadable)}, tables equal: {equal}")
    if lost or torn or unreadable or not equal:
        raise SystemExit(1)


def _command(reports: Path, extra: list[str]) -> list[str]:
    return [sys.executable, "-m", "harness.cli", "run", "--json", "--reports", str(reports), *extra]


def _finished(reports: Path, extra: list[str]) -> dict[str, Any]:
    done = subprocess.run(
        _command(reports, extra), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _killed_after(moment: float, reports: Path, extra: list[str]) -> str:
    run = subprocess.Popen(
        _command(reports, extra), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        run.wait(moment)
    except subprocess.TimeoutExpired:
        run.send_signal(signal.SIGKILL)
        run.wait()
        return "kill"
    return "done"


def _records(reports: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in reports.rglob("records/*/*.json")}


def _steady(document: dict[str, Any]) -> list[dict[str, Any]]:
    rows = sorted(document["rows"], key=lambda row: str(row["id"]))
    return [{key: value for key, value in row.items() if key not in BY_CLOCK} for row in rows]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("run", nargs="*", help="options of esr run, after --")
    return parser.parse_args()


if __name__ == "__main__":
    main()
