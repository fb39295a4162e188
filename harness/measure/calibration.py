"""The calibration of a run: a worker without a submission, asked as the others are."""

from __future__ import annotations

import time
from statistics import median

import numpy as np

from harness.core.outcome import Failed, failed
from harness.core.record import Calibration, ExchangeCost
from harness.machine import proc
from harness.measure.session import LrImage, Session, Task
from harness.measure.tasks import started
from harness.measure.worker_process import WorkerFailed
from harness.wire.messages import Load

# LR pixels, of about the smallest images to the largest that are common; in between costs are lines
SIDES = (24, 64, 128, 192, 288)
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
            sizes = tuple(_exchanged(session, side) for side in SIDES)
            session.inspect("collect")  # after which it holds no output
            rest = proc.tree_resident(session.root)
            gauged = known or session.peak_rates()
    except WorkerFailed as error:
        return error.failure
    rates = gauged.macs_per_s
    if not rates or min(*rates.values(), gauged.bytes_per_s) <= 0:
        return failed("load", "protocol", "the calibration has no figures")
    return Calibration(rates, gauged.bytes_per_s, sizes, rest.now_bytes if rest else 0)


def _exchanged(session: Session, side: int) -> ExchangeCost:
    """What comes beside the forwards of one size, and what fetching their outputs takes."""
    noise = np.random.default_rng(side).integers(0, 256, (side, side, 3), dtype=np.uint8)
    image = LrImage("yardstick", f"{side}", noise)
    beside, fetched = [], []
    for _ in range(TRIES):
        exchange = session.forward(image)
        began = time.perf_counter()
        session.collect()
        fetched.append(time.perf_counter() - began)
        beside.append(exchange.wall_s - exchange.seconds)
    return exchange_cost(side, beside[1:], fetched[1:])


def exchange_cost(side: int, beside: list[float], fetched: list[float]) -> ExchangeCost:
    """What seconds come to, of tries with images of `side` LR pixels."""
    return ExchangeCost(
        *(side**2, (side * SCALE) ** 2),
        *(median(beside), median(fetched)),
        *(_most(beside), _most(fetched)),
    )


def _most(took: list[float]) -> float:
    """What one in ten takes more than the median: of a single burst nobody gains."""
    return sorted(took)[len(took) * 9 // 10 - 1] - median(took)
