"""The calibration of a run: a worker without a submission, asked as the others are."""

from __future__ import annotations

import time
from statistics import median

import numpy as np

from harness.core.outcome import Failed, failed
from harness.core.record import Calibration
from harness.measure.session import LrImage, Session, Task
from harness.measure.tasks import started
from harness.measure.worker_process import WorkerFailed
from harness.wire.messages import Load

SIDES = (32, 288)  # LR pixels: about the smallest and the largest images there are
TRIES = 21  # of each; the first one counts for nothing
SCALE = 4


def null(*, device: str, threads: int) -> Load:
    """What loads a model that only repeats pixels."""
    return Load(
        folder="",
        entry="",
        kwargs="{}",
        scale=SCALE,
        data_range=1.0,
        device=device,
        threads=threads,
        seed=0,
        form="null",
    )


def take(task: Task, known: Calibration | None = None) -> Calibration | Failed:
    """The calibration by a worker that loads `null`; with the rates of a `known` one."""
    try:
        with started(task) as session:
            small, large = (_exchanged(session, side) for side in SIDES)
            gauged = known or session.peak_rates()
    except WorkerFailed as error:
        return error.failure
    rates = gauged.macs_per_s
    if not rates or min(*rates.values(), gauged.bytes_per_s) <= 0:
        return failed("load", "protocol", "the calibration has no figures")
    exchange_s, exchange_per_pixel_s = _line(small[0], large[0], pixels=1)
    collect_s, collect_per_pixel_s = _line(small[1], large[1], pixels=SCALE**2)
    return Calibration(
        exchange_s=exchange_s,
        exchange_per_pixel_s=exchange_per_pixel_s,
        collect_s=collect_s,
        collect_per_pixel_s=collect_per_pixel_s,
        macs_per_s=rates,
        bytes_per_s=gauged.bytes_per_s,
        exchange_most_s=_most(small[0], large[0]),
        collect_most_s=_most(small[1], large[1]),
    )


def _exchanged(session: Session, side: int) -> tuple[list[float], list[float]]:
    """Seconds beside each forward of one size, and of fetching its output."""
    noise = np.random.default_rng(side).integers(0, 256, (side, side, 3), dtype=np.uint8)
    image = LrImage("yardstick", f"{side}", noise)
    beside, fetched = [], []
    for _ in range(TRIES):
        exchange = session.forward(image)
        began = time.perf_counter()
        session.collect(image)
        fetched.append(time.perf_counter() - began)
        beside.append(exchange.wall_s - exchange.seconds)
    return beside[1:], fetched[1:]


def _most(*sizes: list[float]) -> float:
    """What one in ten takes more than the median of its size: of a single burst nobody gains."""
    return max(sorted(took)[len(took) * 9 // 10 - 1] - median(took) for took in sizes)


def _line(small: list[float], large: list[float], *, pixels: int) -> tuple[float, float]:
    """What it takes at any size, and per pixel of which there are `pixels` for an LR pixel."""
    small_s, large_s = median(small), median(large)
    smaller, larger = (side * side * pixels for side in SIDES)
    slope = max(large_s - small_s, 0.0) / (larger - smaller)
    return max(small_s - slope * smaller, 0.0), slope
