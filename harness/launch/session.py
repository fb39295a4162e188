"""The exchanges with one loaded worker: warm up, time, collect, count."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.core.challenge import Protocol
from harness.core.outcome import Stage, failed
from harness.core.record import (
    CountFigures,
    Energy,
    ImageScore,
    Memory,
    Phases,
    RoundFigures,
    Sample,
)
from harness.launch import gauge, joules, memory, nvml
from harness.launch.claims import refuse_dishonest, told_notes
from harness.launch.confinement import Confinement, NoConfinement
from harness.launch.process import WorkerFailed, WorkerProcess
from harness.launch.retakes import Retakes
from harness.wire.codec import PAYLOAD_CAP
from harness.wire.messages import (
    Collect,
    Count,
    Counted,
    Done,
    Export,
    Exported,
    Forward,
    Inspect,
    Load,
    Output,
    Ready,
    Repeat,
    Repeated,
    State,
)

Uint8 = npt.NDArray[np.uint8]
INSPECT_DEADLINE_S = 30.0
CLOCK_SLACK_S = 0.001  # by which two clocks may disagree about one forward


@dataclass(frozen=True)
class LrImage:
    """An LR image, uint8 height x width x 3 RGB."""

    dataset: str
    image: str
    pixels: Uint8


Judge = Callable[[LrImage, Uint8], ImageScore]


@dataclass(frozen=True)
class Task:
    """What a worker is started for."""

    load: Load
    protocol: Protocol
    log: Path
    confinement: Confinement = field(default_factory=NoConfinement)
    quick: bool = False  # count by the counter of NTIRE 2022 alone


@dataclass(frozen=True)
class Reply:
    """One output of a worker with what is known of its forward."""

    pixels: Uint8
    output: Output
    seconds: float


class Session:
    """A loaded worker: the exchanges of one round, in order."""

    def __init__(
        self, worker: WorkerProcess, task: Task, ready: Ready, until_ready_s: float
    ) -> None:
        self.ready = ready
        self._worker = worker
        self._task = task
        self._start_s = max(until_ready_s - ready.load_s, 0.0)
        self._warmup_s = 0.0
        level = memory.resident(worker.pid)
        self._level_bytes = level.now_bytes if level else 0
        self._peak_bytes = 0
        self.compile_s = 0.0  # of torch.compile, until now
        self._gauge = gauge.shared() if task.load.device == "cuda" else None
        self._retakes = Retakes(self._gauge.look, time.sleep) if self._gauge else None

    def warm_up(self, images: tuple[LrImage, ...]) -> float:
        """Untimed forwards of every distinct shape; seconds of the very first one, 0 if none.

        They see the images turned around: a model that remembers what it was given would else
        answer the timed forwards from memory.
        """
        began = time.perf_counter()
        first = 0.0
        for image in map(_turned, _one_of_each_shape(images)):
            for _ in range(self._task.protocol.warmup):
                done, _wall = self._forward(image, "warmup")
                first = first or done.seconds
        self._warmup_s = time.perf_counter() - began
        return first

    def time_passes(self, images: tuple[LrImage, ...], judge: Judge) -> RoundFigures:
        """Every pass over all images; the outputs of the first one are judged."""
        self._reset_cuda_peak()
        samples: list[Sample] = []
        scores: list[ImageScore] = []
        collect_s = score_s = 0.0
        began = time.perf_counter()
        for timed_pass in range(self._task.protocol.passes):
            for image in images:
                samples.append(self._sample(image, timed_pass))
                if timed_pass == 0:
                    before = time.perf_counter()
                    pixels, _output = self._collect(image)
                    between = time.perf_counter()
                    scores.append(judge(image, pixels))
                    collect_s += between - before
                    score_s += time.perf_counter() - between
        return RoundFigures(
            params=0,
            first_call_s=0.0,
            samples=tuple(samples),
            scores=tuple(scores),
            memory=self._memory(),
            phases=Phases(
                start_s=self._start_s,
                load_s=self.ready.load_s,
                warmup_s=self._warmup_s,
                forwards_s=sum(sample.seconds for sample in samples),
                first_to_last_s=time.perf_counter() - began,
                score_s=score_s,
                collect_s=collect_s,
            ),
        )

    def reply(self, image: LrImage) -> Reply:
        """One forward and its output."""
        done, _wall = self._forward(image, "forward")
        pixels, output = self._collect(image)
        return Reply(pixels, output, done.seconds)

    def count(self, height: int, width: int) -> CountFigures:
        """The counters' figures."""
        counted, _ = self._worker.ask(
            Count(height, width, quick=self._task.quick),
            Counted,
            stage="count",
            deadline_s=self._task.protocol.count_deadline_s,
        )
        refuse_dishonest(counted.counts)
        return CountFigures(counted.counts, self.notes(), self.ready.untrained)

    def export(self) -> bytes:
        """The model's weights as a safetensors file."""
        _, payload = self._worker.ask(
            Export(),
            Exported,
            stage="load",
            deadline_s=self._task.protocol.load_deadline_s,
            payload_cap=PAYLOAD_CAP,
        )
        return bytes(payload)

    def notes(self) -> tuple[str, ...]:
        """What the submission changed in its process."""
        state = self._inspect("collect")
        at_load = tuple(f"changed while loading (put back): {text}" for text in self.ready.changed)
        later = (f"changed while running: {text}" for text in state.changed)
        retaken = self._retakes.note() if self._retakes else ()
        return told_notes(at_load, later, retaken, self.ready.notes)

    def energy(self, images: tuple[LrImage, ...], samples: tuple[Sample, ...]) -> Energy | None:
        """What a forward draws by the GPU's counter; None where there is none, as on a CPU."""
        if self._gauge is None:
            return None
        fastest: dict[tuple[str, str], float] = {}
        for it in samples:
            name = (it.dataset, it.image)
            fastest[name] = min(it.seconds, fastest.get(name, it.seconds))
        return joules.energy(
            [(it.dataset, it.image) for it in images],
            counter=self._gauge.joules,
            repeat=lambda index: self._repeat(images[index]),
            fastest_s=fastest,
        )

    def time_one(self, image: LrImage) -> float:
        """Seconds of one forward, whose peak memory counts as that of a pass."""
        return self._sample(image, 0).seconds

    def memory(self) -> Memory | None:
        """Peak memory of the timed forwards so far, None where the system does not tell."""
        return self._memory()

    def _sample(self, image: LrImage, timed_pass: int) -> Sample:
        """A timed forward; one that ran on a throttled GPU is taken again, within bounds."""
        if self._retakes is None:
            return self._once(image, timed_pass)
        sample, throttled = self._retakes.steady(lambda: self._once(image, timed_pass))
        return replace(sample, throttled=throttled)

    def _once(self, image: LrImage, timed_pass: int) -> Sample:
        height, width, _ = image.pixels.shape
        watched = self._task.load.device == "cpu" and memory.reset_peak(self._worker.pid)
        done, wall_s = self._forward(image, "forward")
        if watched and (now := memory.resident(self._worker.pid)):
            self._peak_bytes = max(self._peak_bytes, now.peak_bytes)
        return Sample(
            image.dataset,
            image.image,
            timed_pass,
            height,
            width,
            done.seconds,
            wall_s,
            device_wall_s=done.device_wall_s,
        )

    def _repeat(self, image: LrImage) -> joules.Repeated:
        height, width, _ = image.pixels.shape
        began = time.perf_counter()
        repeated, _ = self._worker.ask(
            Repeat(height, width, joules.WINDOW_S),
            Repeated,
            image.pixels.data.cast("B"),
            stage="forward",
            deadline_s=self._task.protocol.forward_deadline_s + joules.WINDOW_S,
        )
        return joules.Repeated(repeated.forwards, time.perf_counter() - began)

    def _forward(self, image: LrImage, stage: Stage) -> tuple[Done, float]:
        height, width, _ = image.pixels.shape
        deadline_s = self._task.protocol.forward_deadline_s
        if self._task.load.compile and stage == "warmup":
            deadline_s += self._task.protocol.load_deadline_s
        began = time.perf_counter()
        done, _ = self._worker.ask(
            Forward(height, width),
            Done,
            image.pixels.data.cast("B"),
            stage=stage,
            deadline_s=deadline_s,
        )
        wall_s = time.perf_counter() - began
        refuse_negative(stage, (done.compile_s, done.device_wall_s))
        compile_s = done.compile_s if self._task.load.compile else 0.0
        if not 0.0 < done.seconds <= wall_s + CLOCK_SLACK_S - compile_s:
            message = f"reported {done.seconds:.6g} s for a forward within {wall_s:.6g} s"
            raise WorkerFailed(failed(stage, "protocol", message))
        self.compile_s += compile_s
        return done, wall_s

    def _collect(self, image: LrImage) -> tuple[Uint8, Output]:
        height, width, _ = image.pixels.shape
        scale = self._task.load.scale
        shape = (height * scale, width * scale, 3)
        size = shape[0] * shape[1] * shape[2]
        output, payload = self._worker.ask(
            Collect(),
            Output,
            stage="collect",
            deadline_s=self._task.protocol.forward_deadline_s,
            payload_cap=size,
        )
        if (output.height, output.width, len(payload)) != (*shape[:2], size):
            message = f"{len(payload)} bytes of output, {size} expected"
            raise WorkerFailed(failed("collect", "protocol", message))
        return np.frombuffer(payload, dtype=np.uint8).reshape(shape), output

    def _reset_cuda_peak(self) -> None:
        if self._task.load.device == "cuda":
            self._inspect("warmup")

    def _inspect(self, stage: Stage) -> State:
        state, _ = self._worker.ask(Inspect(), State, stage=stage, deadline_s=INSPECT_DEADLINE_S)
        refuse_negative(stage, (state.cuda_peak_bytes, state.cuda_reserved_bytes))
        return state

    def _memory(self) -> Memory | None:
        if self._task.load.device == "cuda":
            state = self._inspect("collect")
            return Memory(
                state.cuda_peak_bytes,
                "cuda_allocated",
                reserved_bytes=state.cuda_reserved_bytes,
                nvml_bytes=nvml.process_bytes(self._worker.pid),
            )
        if not self._peak_bytes:
            return None
        above = max(self._peak_bytes - self._level_bytes, 0)
        return Memory(above, "rss_peak", level_bytes=self._level_bytes)


def refuse_negative(stage: Stage, claims: tuple[float | None, ...]) -> None:
    """No honest process needs or counts less than nothing."""
    least = min((claim for claim in claims if claim is not None), default=0)
    if least < 0:
        raise WorkerFailed(failed(stage, "protocol", f"claims a negative figure: {least:g}"))


def _one_of_each_shape(images: tuple[LrImage, ...]) -> list[LrImage]:
    return list({image.pixels.shape: image for image in reversed(images)}.values())[::-1]


def _turned(image: LrImage) -> LrImage:
    """Upside down and left to right: the same shape and statistics, other pixels."""
    return replace(image, pixels=np.ascontiguousarray(image.pixels[::-1, ::-1]))
