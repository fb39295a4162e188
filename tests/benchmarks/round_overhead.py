"""Where the wall time of a run goes: forwards against everything else.

    python tests/benchmarks/round_overhead.py --data-dir DATA --weights-dir WEIGHTS

Set14 x4 with PSNR and SSIM in both profiles, and the DIV2K test LR images without truth, each with
RLFN (the NTIRE 2022 entry) and its official weights. `first to last` is the wall time from the
first timed forward to the last score of a round over the sum of the timed forwards: process start
and warm-up, which every round pays once, stand apart.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

import harness
from harness.core.record import RoundFigures

ENTRY = "rlfn_ntire_x4"
SET14 = """
id = "set14"
title = "Set14"
scale = 4
quality_profile = "{profile}"
datasets = [{{ name = "Set14", split = "benchmark" }}]
columns = [{{ metric = "psnr:Set14", title = "PSNR" }}]
"""


def main() -> None:
    """Print a row for each case."""
    options = _options()
    print(f"{'case':<18}{'wall/forwards':>14}{'first to last':>14}  where the rest goes, seconds")
    with tempfile.TemporaryDirectory() as folder:
        for profile in ("classic-y", "ntire"):
            path = Path(folder) / f"set14_{profile.replace('-', '_')}.toml"
            path.write_text(SET14.format(profile=profile), encoding="utf-8")
            _case(f"Set14 {profile}", str(path), Path(folder) / profile, options)
        _case("DIV2K test LR", "div2k_runtime_x4", Path(folder) / "div2k", options)


def _case(name: str, challenge: str, reports: Path, options: argparse.Namespace) -> None:
    began = time.perf_counter()
    board = harness.evaluate(
        [ENTRY],
        challenge=challenge,
        data_dir=options.data_dir,
        weights="official",
        weights_dir=options.weights_dir,
        references=False,
        rounds=options.rounds,
        reports=reports,
    )
    wall_s = time.perf_counter() - began
    row = next(row for row in board.rows if row.entry.id == ENTRY)
    if row.entry.status == "failed":
        raise SystemExit(f"{name}: {row.entry.reason}")
    rounds = [it.outcome for it in row.entry.records if isinstance(it.outcome, RoundFigures)]
    phases = [it.phases for it in rounds]
    forwards_s = sum(it.forwards_s for it in phases)
    first_to_last = median(it.first_to_last_s / it.forwards_s for it in phases)
    parts = {
        "forwards": forwards_s,
        "process starts": sum(it.start_s for it in phases),
        "load": sum(it.load_s for it in phases),
        "warm-up": sum(it.warmup_s for it in phases),
        "collect": sum(it.collect_s for it in phases),
        "score": sum(it.score_s for it in phases),
        "audits": sum(it.audit_s for it in phases),
    }
    parts["count, decode, floor, store"] = wall_s - sum(parts.values())
    shown = ", ".join(f"{part} {seconds:.2f}" for part, seconds in parts.items())
    print(f"{name:<18}{wall_s / forwards_s:>14.2f}{first_to_last:>14.3f}  {shown}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--weights-dir", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
