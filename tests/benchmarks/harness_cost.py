"""What the harness costs beside the forwards, against a loop like that of the official scripts.

    python tests/benchmarks/harness_cost.py [--images 40] [--turns 3] [--ssim]
    python tests/benchmarks/harness_cost.py --memory 100 1000
    python tests/benchmarks/harness_cost.py --entries 40

It makes its images: pairs of 2040x1356 whose files are as large as a photograph's. The network has
one convolution. `ours` is `esr run` with three rounds in the sandbox, counts, audits and SSIM
included; `loop` does what the official scripts do in their own process, three times over: decode,
forward, to uint8, decode the truth, PSNR, and with `--ssim` SSIM by its formula in numpy. Both have
one thread, and take turns. `--memory` runs so many pairs through one round, and tells the largest
resident set of the harness; their files are small. `--entries` measures so many tiny networks.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # fakes, as pytest sets it

SCALE, ROUNDS = 4, 3
SIZE = 1356, 2040
WINDOW = 11
RULES = """
id = "cost"
title = "Cost"
scale = 4
quality_profile = "ntire"
datasets = [{ name = "made", split = "validation" }]
columns = [{ metric = "psnr:made", title = "PSNR" }, { metric = "ssim:made", title = "SSIM" }]

[[define]]
name = "made"
title = "Made"
count = COUNT
source = "this script"
licence = "none"
folders = ["made"]
paths = [{ hr = "{folder}/hr/{image}", lr = "{folder}/lr/{image}" }]
"""
# repeats pixels, but for a little: outputs are as near to truths as those of a network are
WEIGHTS = """        with torch.no_grad():
            torch.manual_seed(NUMBER)
            nn.init.normal_(self.conv.weight, std=0.002)
            for out in range(48):
                self.conv.weight[out, out // 16, 1, 1] += 1.0

"""
Pixels = npt.NDArray[Any]


def main() -> None:
    """Make what is asked for, and print its table."""
    options = _options()
    if options.child:
        print(json.dumps(_as_child(options.child[0], *map(Path, options.child[1:]))))
        return
    with tempfile.TemporaryDirectory(prefix="esr-cost-") as folder:
        root = Path(folder)
        if options.entries:
            _tiny(root, options.entries)
        elif options.memory:
            for number in options.memory:
                _memory(root / f"{number}", number)
        else:
            _against_loop(root, options)


def _against_loop(root: Path, options: argparse.Namespace) -> None:
    _lay_out(root, options.images)
    loop = "loop-ssim" if options.ssim else "loop"
    print(f"{options.images} pairs of 2040x1356, {ROUNDS} rounds or passes, seconds")
    print("| turn | ours | loop | ratio | beyond a forward, first round | later rounds |")
    print("|---:|---:|---:|---:|---:|---:|")
    for turn in range(options.turns):
        ours = _measured("ours", root, root / f"reports-{turn}")
        theirs = _measured(loop, root)
        first, *later = (it["beyond_s"] / options.images for it in ours["rounds"])
        print(
            f"| {turn + 1} | {ours['wall_s']:.1f} | {theirs['wall_s']:.1f} "
            f"| {ours['wall_s'] / theirs['wall_s']:.2f} | {first * 1e3:.0f} ms "
            f"| {median(later) * 1e3:.0f} ms |",
            flush=True,
        )
    print("\nOurs in the last turn, seconds of all rounds:")
    for name, seconds in ours["phases"].items():
        print(f"- {name}: {seconds:.2f}")


def _memory(root: Path, number: int) -> None:
    root.mkdir()
    _lay_out(root, number, noise=0.0)
    found = _measured("ours-once", root, root / "reports")
    print(f"{number} pairs: {found['peak_bytes'] / 2**20:.0f} MiB, {found['wall_s']:.0f} s")


def _tiny(root: Path, number: int) -> None:
    _lay_out(root, 2, size=(64, 64))
    for extra in range(1, number):
        _write_entry(root / "entries" / f"tiny_{extra}", extra)
    found = _measured("ours", root, root / "reports")
    beyond_s = found["wall_s"] - found["phases"]["forwards_s"]
    print(f"{number} entries: {found['wall_s']:.1f} s, {beyond_s / number:.2f} s beyond forwards")


def _lay_out(root: Path, number: int, *, noise: float = 3.0, size: tuple[int, int] = SIZE) -> None:
    """Pairs of `size`, an entry and a challenge."""
    rules = RULES.replace("COUNT", str(number))
    (root / "rules.toml").write_text(rules, encoding="utf-8")
    _write_entry(root / "entries" / "tiny_0", 0)
    for kind in ("hr", "lr"):
        (root / "data" / "made" / kind).mkdir(parents=True)
    rows, columns = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    grain = np.random.default_rng(0).normal(0, noise, (size[0], size[1], 3)).astype(np.float32)
    for at in range(number):
        wave = 127 + 110 * np.sin(rows / (90 + at)) * np.cos(columns / 130)
        image = np.stack([wave, 255 - wave, wave / 2], axis=-1)
        if noise:
            image += np.roll(grain, at, axis=0)
        hr = image.clip(0, 255).astype(np.uint8)
        small = (size[1] // SCALE, size[0] // SCALE)
        lr = cv2.resize(hr, small, interpolation=cv2.INTER_AREA)
        for kind, pixels in (("hr", hr), ("lr", lr)):
            cv2.imwrite(str(root / "data" / "made" / kind / f"{at:04}.png"), pixels)


def _write_entry(folder: Path, number: int) -> None:
    # imported here, as it loads torch: what measures must not, whose memory is told
    from fakes.entries import write_entry

    write_entry(folder, _network(number))


def _network(number: int) -> str:
    from fakes.entries import CONV

    weights = WEIGHTS.replace("NUMBER", str(number))
    return CONV.replace("    def forward", f"{weights}    def forward")


def _measured(way: str, *folders: Path) -> dict[str, Any]:
    """What a process of its own tells of one way, with the seconds that it took."""
    began = time.perf_counter()
    command = [sys.executable, __file__, "--child", way, *map(str, folders)]
    said = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found | {"wall_s": time.perf_counter() - began}


def _as_child(way: str, root: Path, reports: Path | None = None) -> dict[str, Any]:
    if way.startswith("loop"):
        return {"psnr": _loop(root, with_ssim=way == "loop-ssim")}
    rounds = 1 if way == "ours-once" else ROUNDS
    return _ours(root, reports or root / "reports", rounds)


def _ours(root: Path, reports: Path, rounds: int) -> dict[str, Any]:
    import harness
    from harness.core.record import Phases, RoundFigures

    board = harness.evaluate(
        [str(it) for it in sorted((root / "entries").iterdir())],
        challenge=str(root / "rules.toml"),
        data_dir=root / "data",
        references=False,
        rounds=rounds,
        reports=reports,
    )
    told = [row.entry for row in board.rows if row.entry.role != "floor"]
    if failed := [it.reason for it in told if it.status == "failed"]:
        raise SystemExit(str(failed))
    records = sorted((it for row in told for it in row.records), key=lambda it: it.round)
    phases = [it.outcome.phases for it in records if isinstance(it.outcome, RoundFigures)]
    names = [it.name for it in dataclasses.fields(Phases)]
    return {
        "rounds": [{"beyond_s": it.first_to_last_s - it.forwards_s} for it in phases],
        "phases": {name: sum(getattr(it, name) for it in phases) for name in names},
        "peak_bytes": _peak_bytes(),
    }


def _peak_bytes() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * next(int(it.split()[1]) for it in status.splitlines() if it.startswith("VmHWM"))


def _loop(root: Path, *, with_ssim: bool) -> float:
    """The mean PSNR of the last pass."""
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    space: dict[str, Any] = {}
    exec(_network(0), space)  # noqa: S102 - our own text
    network = space["Network"]().eval()
    found: list[float] = []
    for _ in range(ROUNDS):
        found = []
        for lr, hr in _pairs(root / "data" / "made"):
            batch = torch.from_numpy(_decoded(lr).transpose(2, 0, 1).copy()).float().div(255)
            with torch.no_grad():
                output = network(batch[None])
            image = output.squeeze().float().cpu().clamp(0, 1).numpy()
            sr = (image.transpose(1, 2, 0) * 255.0).round().astype(np.uint8)
            ours, theirs = (it[SCALE:-SCALE, SCALE:-SCALE] for it in (sr, _decoded(hr)))
            apart = ours.astype(np.float64) - theirs.astype(np.float64)
            found.append(float(20 * np.log10(255.0 / np.sqrt(np.mean(apart**2)))))
            if with_ssim:
                _ssim(ours, theirs)
    return sum(found) / len(found)


def _ssim(one: Pixels, other: Pixels) -> float:
    """By its formula, a channel after the other, in float64."""
    kernel = cv2.getGaussianKernel(WINDOW, 1.5)
    inner = slice(WINDOW // 2, -(WINDOW // 2))

    def blurred(image: Pixels) -> Pixels:
        whole: Pixels = cv2.filter2D(image, -1, np.outer(kernel, kernel))
        return whole[inner, inner]

    means = []
    for channel in range(3):
        x, y = (it[..., channel].astype(np.float64) for it in (one, other))
        mx, my = blurred(x), blurred(y)
        vx, vy, both = blurred(x * x) - mx * mx, blurred(y * y) - my * my, blurred(x * y) - mx * my
        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        over = (2 * mx * my + c1) * (2 * both + c2)
        means.append((over / ((mx * mx + my * my + c1) * (vx + vy + c2))).mean())
    return float(np.mean(means))


def _pairs(folder: Path) -> Iterator[tuple[Path, Path]]:
    return ((it, folder / "hr" / it.name) for it in sorted((folder / "lr").iterdir()))


def _decoded(path: Path) -> Pixels:
    return np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])


def _options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--ssim", action="store_true", help="in the loop as well")
    parser.add_argument("--memory", type=int, nargs="+", help="numbers of pairs")
    parser.add_argument("--entries", type=int, help="number of tiny entries")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
