"""Whether the audits leave honest entries alone, and what they cost.

    python tests/benchmarks/audits_honest.py --data-dir DATA [--weights-dir WEIGHTS] [--runs 20]
        [--data-set Set5] [--images 3] [--crop 64] [--passes 1] [--busy 4]
        [--ntire CHECKOUT --ids 0,4,18] [--graphs] [--no-cost] [ENTRY ...]

Every reference model with official weights (demo weights without --weights-dir), the worked example
and, if asked for, entries of an official checkout: each in RUNS rounds with audits, the thorough
ones of a first round among them, and as many without, in turns, on the same images. Prints every
verdict that is not `ok`, what `scores` found, how often each audit was asked, and the audits' cost:
the wall time of a round with them over that of one without, as the median of the turns' ratios.
`thorough` is a round with the forwards that audits alone need, `plain` any other; a `later` one
does not score all images. All run as code, or with `--graphs` as what is captured of them: `moved`
is by how much our clock raised what the worker reported, in the median and at most of all rounds,
and `again` says how many rounds were taken again because their clocks were odd. `--busy` spins so
many processes beside; `--no-cost` leaves the rounds without audits out.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

import numpy as np
from captures import graph_of

from harness.audits.roofline import floor
from harness.core.audit import Audit
from harness.core.challenge import TimingProtocol
from harness.core.outcome import Failed
from harness.core.record import Calibration, CountFigures, ImageScore, RoundFigures
from harness.datasets.dataset import read_hr, read_lr
from harness.datasets.find import find
from harness.entries import catalogue, checkouts
from harness.entries.catalogue import Entry, Rejected
from harness.measure import loads
from harness.measure.calibration import null, take
from harness.measure.local_executor import CALIBRATION_S, better, odd
from harness.measure.session import LrImage, Task
from harness.measure.stored_images import stored_images
from harness.measure.tasks import run_count
from harness.measure.turns import BlockMember, run_block
from harness.quality.colour import RGB
from harness.sandbox.confinement import NoConfinement
from harness.wire.messages import Load

REFERENCES = Path(__file__).resolve().parents[2] / "reference_models"
EXAMPLE = Path(__file__).resolve().parents[2] / "submissions" / "linear_x4"
COUNTED = (64, 64)


@dataclass
class Tally:
    """Of one entry."""

    asked: Counter[str] = field(default_factory=Counter)
    odd: list[Audit] = field(default_factory=list)
    ratios: dict[str, list[float]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    scores: list[str] = field(default_factory=list)  # evidence of that audit
    moved: list[float] = field(default_factory=list)
    again: int = 0


class Calibrating:
    """The calibration, taken anew after some minutes as a run does."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._known: Calibration | None = None
        self._taken = 0.0

    def known(self, at_most_s: float = CALIBRATION_S) -> Calibration:
        """At most so old."""
        if self._known is None or time.monotonic() - self._taken > at_most_s:
            found = take(self._task, self._known)
            if isinstance(found, Failed):
                raise SystemExit(f"no calibration: {found.message}")
            print(found, flush=True)
            self._known, self._taken = found, time.monotonic()
        return self._known


def main() -> None:
    """A line an entry, and the sums."""
    options = _options()
    protocol = TimingProtocol(threads=options.threads, passes=options.passes)
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for _ in range(options.busy):
            command = [sys.executable, "-c", "while True: pass"]
            stack.callback(subprocess.Popen(command).kill)
        without = null(device="cpu", threads=options.threads)
        calibration = Calibrating(
            Task(without, protocol, logs / "calibration.log", NoConfinement())
        )
        total = Tally()
        for name, load in _loads(options, protocol, logs):
            truths = CroppedTruths(options, load.scale)
            task = Task(load, protocol, logs / f"{name}.log", NoConfinement())
            tally = _entry(task, truths, calibration, options)
            _show(name, tally)
            total.asked += tally.asked
            total.odd += tally.odd
            total.moved += tally.moved
            total.again += tally.again
            for kind, ratios in tally.ratios.items():
                total.ratios.setdefault(kind, []).extend(ratios)
        _show("all", total)
        print(f"audits asked: {dict(sorted(total.asked.items()))}")


def _entry(
    task: Task, truths: CroppedTruths, calibration: Calibrating, options: argparse.Namespace
) -> Tally:
    tally = Tally()
    counted = run_count(replace(task, load=loads.counting(task.load)), *COUNTED)
    counts = counted.counts if isinstance(counted, CountFigures) else None
    bare = replace(task, protocol=replace(task.protocol, audits=False))
    for number in range(options.runs):
        later = number % 3 > 0  # as in a run of three rounds, of which one is drawn
        thorough = number % 3 == number // 3 % 3
        audited = replace(
            task,
            calibration=calibration.known(),
            thorough=thorough,
            later=later,
            counts=counts,
        )
        ways = {"on": audited} if options.no_cost else {"on": audited, "off": bare}
        wall_s = {}
        for way in sorted(ways, reverse=bool(number % 2)):
            began = time.perf_counter()
            outcome = _round(ways[way], truths)
            wall_s[way] = time.perf_counter() - began
            if odd(outcome):
                tally.again += 1
                audited = replace(audited, calibration=calibration.known(0.0))
                outcome = better(outcome, _round(audited, truths))
            if isinstance(outcome, Failed):
                tally.failures.append(outcome.message)
            elif way == "on":
                least = floor(counts, [outcome], scale=task.load.scale)
                audits = (*outcome.audits, *filter(None, (least, _stored(task, thorough, truths))))
                tally.asked.update(it.id for it in audits)
                tally.odd += tuple(it for it in audits if it.verdict != "ok")
                tally.scores += tuple(it.evidence for it in audits if it.id == "scores")
                tally.moved.append(_moved(outcome))
        kind = f"{'later' if later else 'first'} {'thorough' if thorough else 'plain'}"
        tally.ratios.setdefault(kind, []).append(wall_s["on"] / wall_s.get("off", math.nan))
    return tally


def _stored(task: Task, thorough: bool, truths: CroppedTruths) -> Audit | None:
    if task.load.form != "graph" or not thorough:
        return None
    graph, luma = Path(task.load.weights), task.load.channels == 1
    return stored_images(graph, truths.images, truths, task.load.scale, luma=luma)


def _round(task: Task, truths: CroppedTruths) -> RoundFigures | Failed:
    return run_block([BlockMember("it", task, _unscored)], truths.images, truths)["it"]


def _show(name: str, tally: Tally) -> None:
    shown = {kind: f"{median(ratios):.3f}" for kind, ratios in tally.ratios.items()}
    rounds = sum(map(len, tally.ratios.values()))
    moved = tally.moved or [0.0]
    print(
        f"{name:<20} {rounds} rounds, {len(tally.failures)} failed, {len(tally.odd)} odd, "
        f"{tally.again} again, moved {median(moved):.2%}, at most {max(moved):.2%}, "
        f"wall on/off {shown}",
        flush=True,
    )
    for audit in tally.odd:
        print(f"    {audit.verdict}: {audit.id}: {audit.evidence}")
    for evidence in sorted(set(tally.scores)):
        print(f"    scores: {evidence}")
    for message in tally.failures:
        print(f"    failed: {message}")


def _moved(figures: RoundFigures) -> float:
    reported = (it.seconds if it.reported_s is None else it.reported_s for it in figures.samples)
    return sum(it.seconds for it in figures.samples) / sum(reported) - 1.0


def _loads(
    options: argparse.Namespace, protocol: TimingProtocol, folder: Path
) -> Iterator[tuple[str, Load]]:
    mode = "official" if options.weights_dir else "bundled"
    for candidate in _candidates(options):
        ready = loads.contender(candidate, protocol, mode=mode, weights_dir=options.weights_dir)
        if isinstance(ready, Rejected):
            print(f"{candidate.id}: left out, {'; '.join(ready.faults)}")
            continue
        if options.graphs:
            images = CroppedTruths(options, ready.load.scale).images
            ready = graph_of(ready, images, COUNTED, folder)
            if ready.captured.as_code:
                print(f"{candidate.id}: left out, no graph: {ready.captured.as_code}")
                continue
        yield candidate.id, ready.load


def _candidates(options: argparse.Namespace) -> Iterator[Entry | Rejected]:
    named = [Path(it) for it in options.entries]
    if not named and not options.ntire:
        named = [*sorted(it.parent for it in REFERENCES.glob("*/submission.toml")), EXAMPLE]
    for folder in named:
        yield from catalogue.read_folder(folder)
    if options.ntire:
        ids = tuple(int(it) for it in options.ids.split(",")) if options.ids else None
        yield from checkouts.candidates(options.ntire, ids)


class CroppedTruths:
    """The images of the data set that was asked for, cropped, and their truths."""

    colour = RGB

    def __init__(self, options: argparse.Namespace, scale: int) -> None:
        name, side = options.data_set, options.crop or None
        data_dir = None if name.startswith("sample") else options.data_dir
        found = find(name, data_dir=data_dir, scale=scale)
        self.images: tuple[LrImage, ...] = ()
        self._hr: dict[str, np.ndarray[tuple[int, ...], np.dtype]] = {}
        for pair in found.pairs[: options.images]:
            lr = np.ascontiguousarray(read_lr(pair, scale=scale)[:side, :side])
            hr = read_hr(pair, scale=scale)
            self.images += (LrImage(name, pair.image, lr),)
            self._hr[pair.image] = hr[: scale * len(lr), : scale * lr.shape[1]]

    def knows(self, _: LrImage) -> bool:
        """All of them have a truth."""
        return True

    by_bicubic = knows  # and MATLAB's bicubic made them

    def hr(self, image: LrImage) -> np.ndarray[tuple[int, ...], np.dtype]:
        """The truth of the crop."""
        return self._hr[image.image]


def _unscored(image: LrImage, pixels: np.ndarray[tuple[int, ...], np.dtype]) -> ImageScore:
    return ImageScore(image.dataset, image.image, str(pixels.shape))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("entries", nargs="*", help="default: references and linear_x4")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--weights-dir", type=Path)
    parser.add_argument("--data-set", default="Set5")
    parser.add_argument("--images", type=int, default=3)
    parser.add_argument("--crop", type=int, default=64, help="LR pixels a side; 0: whole images")
    parser.add_argument("--passes", type=int, default=1, help="over the images of a round")
    parser.add_argument("--runs", type=int, default=20, help="rounds of each kind, for each entry")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--busy", type=int, default=0, help="processes that spin beside")
    parser.add_argument("--ntire", type=Path, help="an official NTIRE ESR checkout")
    parser.add_argument("--no-cost", action="store_true", help="no rounds without audits")
    parser.add_argument("--graphs", action="store_true", help="measure captured graphs")
    parser.add_argument("--ids", default="", help="of its entries, as 0,4,18; default: all")
    return parser.parse_args()


if __name__ == "__main__":
    main()
