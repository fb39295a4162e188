"""A session without a process: outputs and times made up by a model of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from harness.audits.clocks import Exchange
from harness.core.audit import Audit, ProcessState, WatchedForward
from harness.core.challenge import TimingProtocol
from harness.core.model_counts import Counts
from harness.core.outcome import failed
from harness.core.record import (
    Calibration,
    CountFigures,
    ExchangeCost,
    ImageScore,
    Memory,
    RoundFigures,
)
from harness.core.submission import Precision
from harness.measure.passes import TimedRound, in_turns
from harness.measure.score_queue import ScoreQueue
from harness.measure.session import LrImage, OutputReply, Session, Task
from harness.measure.worker_process import WorkerFailed
from harness.quality.bicubic import downscale, upscale
from harness.quality.colour import RGB, ColourSpace
from harness.sandbox.confinement import NoConfinement
from harness.wire.messages import Load, Output, Ready

Uint8 = npt.NDArray[np.uint8]
CALIBRATION = Calibration({"fp32": 1e12}, 1e12, (ExchangeCost(10**6, 10**7, 0.001, 0.001),))
SCALE = 4


def bicubic(lr: Uint8) -> Uint8:
    """An honest model."""
    return upscale(lr, SCALE)


@dataclass
class FakeSession:
    """What `passes.in_turns` asks of a session. `seconds` is told what was shown before."""

    task: Task
    model: Callable[[Uint8], Uint8] = bicubic
    seconds: Callable[[Uint8, list[bytes]], float] = lambda _, __: 0.05
    ready: Ready = field(default_factory=lambda: Ready(0.1, 7))
    state: ProcessState = field(default_factory=ProcessState)
    dies: bool = False  # when it is watched
    start_s: float = 0.1
    root: int = 0  # a process that there is not
    compile_s: float = 0.0
    precision: Precision = "fp32"
    given: list[Uint8] = field(default_factory=list)
    watched: int = 0
    macs: Callable[[Uint8], int] = lambda _: 1000  # of an image that is watched
    memory_watched: list[LrImage] = field(default_factory=list)
    beside_s: float = 0.001  # of a forward, by our clock
    collect_s: float = 0.001
    fetched_times: int = 0
    counts: Counts | None = None  # what a count in this process comes to; None ends it
    after_count: Callable[[Uint8], Uint8] = bicubic

    def forward(self, image: LrImage, stage: str = "forward") -> Exchange:  # noqa: ARG002
        seconds = self.seconds(image.pixels, [it.tobytes() for it in self.given])
        self.given.append(image.pixels)
        height, width, _ = image.pixels.shape
        return Exchange(height * width, seconds, seconds + self.beside_s)

    timed = forward

    def collect(self) -> tuple[Uint8, Output]:
        pixels = self.model(np.ascontiguousarray(self.given[-1]))
        return pixels, Output(*pixels.shape[:2], "torch.float32", 0.0, 1.0)

    def fetched(self, exchange: Exchange) -> tuple[Uint8, Exchange]:
        self.fetched_times += 1
        return self.collect()[0], replace(exchange, sr_pixels=1, collect_s=self.collect_s)

    def reply(self, image: LrImage) -> OutputReply:
        exchange = self.forward(image)
        return OutputReply(*self.collect(), exchange.seconds)

    def count(self, height: int, width: int, *, quick: bool = False) -> CountFigures:
        assert quick
        if self.counts is None:
            raise WorkerFailed(failed("count", "killed", "the process was ended by SIGSEGV"))
        assert (self.counts.height, self.counts.width) == (height, width)
        self.model = self.after_count
        return CountFigures(self.counts)

    def inspect(self, stage: str) -> ProcessState:  # noqa: ARG002
        return self.state

    def notes(self, state: ProcessState) -> tuple[str, ...]:
        return state.changed

    def observe(self, image: LrImage) -> WatchedForward:
        self.watched += 1
        if self.dies:
            raise WorkerFailed(failed("forward", "killed", "the process was ended by SIGSEGV"))
        return WatchedForward({"float32": 9}, macs=self.macs(image.pixels))

    def watch_memory(self, image: LrImage) -> None:
        self.forward(image)
        self.memory_watched.append(image)

    memory_forward = Session.memory_forward

    def memory(self, largest: LrImage) -> Memory | None:
        if self.memory_forward:
            self.forward(largest)
        return None

    def energy(self, images: object, samples: object) -> None:
        """No GPU."""

    def reset_peak(self) -> None:
        """There is no memory."""


def whole_round(
    session: FakeSession, shown: tuple[LrImage, ...], truths: FakeTruths | None = None
) -> RoundFigures:
    """A round of one that has nobody to take turns with."""
    queue = ScoreQueue()
    turns = in_turns(cast("Session", session), shown, score, queue, truths)
    while True:
        try:
            next(turns)
        except StopIteration as end:
            timed: TimedRound = end.value
            queue.work()
            return timed.whole()


def task(
    *,
    thorough: bool = True,
    later: bool = False,
    weights: str = "w",
    form: Any = "entry",
    **protocol: Any,
) -> Task:
    """A task of a made-up entry."""
    load = Load("", "m:N", "{}", SCALE, 1.0, "cpu", threads=1, seed=0, weights=weights, form=form)
    return Task(
        load,
        TimingProtocol(**protocol),
        Path("x.log"),
        NoConfinement(),
        calibration=CALIBRATION,
        thorough=thorough,
        later=later,
    )


def images(number: int = 3) -> tuple[LrImage, ...]:
    """Made-up photographs of one size."""
    rng = np.random.default_rng(0)
    return tuple(
        LrImage("set", str(at), upscale(rng.integers(30, 220, (6, 8, 3), dtype=np.uint8), 4))
        for at in range(number)
    )


@dataclass
class FakeTruths:
    """Truths at hand, of images that our bicubic made of them unless told otherwise."""

    truths: dict[str, Uint8]  # by the image's name
    bicubic: bool = True
    colour: ColourSpace = RGB

    def knows(self, image: LrImage) -> bool:
        return image.image in self.truths

    def by_bicubic(self, image: LrImage) -> bool:
        assert self.knows(image)
        return self.bicubic

    def hr(self, image: LrImage) -> Uint8:
        return self.truths[image.image]


def photographs(number: int = 3, sides: tuple[int, int] = (48, 60)) -> dict[str, Uint8]:
    """Made-up truths, with detail that no upscaler finds, of `sides` LR pixels."""
    rng = np.random.default_rng(1)
    height, width = sides
    coarse = rng.integers(40, 200, (number, height // 6, width // 6, 3), dtype=np.uint8)
    return {
        str(at): upscale(it, 24) + rng.integers(0, 30, (4 * height, 4 * width, 3), dtype=np.uint8)
        for at, it in enumerate(coarse)
    }


def shrunk(truths: dict[str, Uint8]) -> tuple[LrImage, ...]:
    """The LR images of truths."""
    return tuple(LrImage("set", name, downscale(hr, SCALE)) for name, hr in truths.items())


def score(image: LrImage, pixels: Uint8) -> ImageScore:
    """Nothing is judged."""
    return ImageScore(image.dataset, image.image, str(pixels.shape))


def flagged(audits: Iterable[Audit]) -> tuple[Audit, ...]:
    """Those that are not `ok`."""
    return tuple(it for it in audits if it.verdict != "ok")
