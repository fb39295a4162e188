"""The exchanges with one loaded worker: forward, collect, count, look."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from harness.audits import thresholds
from harness.audits.clocks import Exchange
from harness.core import record
from harness.core.audit import ProcessState, WatchedForward
from harness.core.challenge import TimingProtocol
from harness.core.model_counts import Counts
from harness.core.outcome import Stage, failed
from harness.core.record import Calibration, CountFigures, Energy, ImageScore, Memory, Sample
from harness.core.submission import PRECISIONS, Precision
from harness.machine import gpu_monitor, nvml, proc
from harness.machine.gpu_monitor import ThrottleGuard
from harness.measure import energy as joules
from harness.measure.answer_validation import honest_counts, of_answer, told_notes
from harness.measure.conversion import Conversion
from harness.measure.peak_memory import PeakMemory
from harness.measure.worker_process import WorkerFailed, WorkerProcess
from harness.quality.pixels import Uint8
from harness.sandbox.confinement import Confinement
from harness.wire import messages
from harness.wire.codec import PAYLOAD_CAP
from harness.wire.messages import LIST_CAP, Load, Output, PeakRates, Ready

INSPECT_DEADLINE_S = 30.0
# a forward that is not ranked may take this, and so many times what the slowest ranked one does
UNRANKED_S, UNRANKED_FACTOR = 10.0, 20.0
SIZE_S = 10.0  # for a graph of one size: 1 to 10 s of processor time in public entries
CLOCK_SLACK_S = 0.001  # by which two clocks may disagree about one forward


@dataclass(frozen=True)
class LrImage:
    """An LR image, uint8 height x width x 3 RGB."""

    dataset: str
    image: str
    pixels: Uint8

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width, _ = self.pixels.shape
        return height, width

    @property
    def area(self) -> int:
        """Its number of pixels."""
        height, width = self.size
        return height * width

    @property
    def key(self) -> tuple[str, str]:
        """Its data set and its name."""
        return self.dataset, self.image

    def showing(self, pixels: Uint8) -> LrImage:
        """Other pixels under the same name, or its own, held."""
        return LrImage(self.dataset, self.image, pixels)


A = TypeVar("A", bound=messages.Answer)
ScoreOutput = Callable[[LrImage, Uint8], ImageScore]


@dataclass(frozen=True)
class Task:
    """What a worker is started for."""

    load: Load
    protocol: TimingProtocol
    log: Path
    confinement: Confinement
    quick: bool = False  # count by the counter of NTIRE 2022 alone
    calibration: Calibration | None = None  # None: nothing is judged that needs one
    thorough: bool = False  # with the audits that need forwards of their own
    later: bool = False  # a round after the one that all images were scored in
    counts: Counts | None = None  # of the process that counted it, to hold a thorough round against

    @property
    def as_code(self) -> bool:
        """Whether the submission's own code runs in the worker."""
        return self.load.form in ("entry", "ntire")

    @property
    def audited_code(self) -> bool:
        """Whether that is judged: what code can tell apart may be another's figures."""
        return self.as_code and self.protocol.audits


@dataclass(frozen=True)
class OutputReply:
    """One output of a worker with what is known of its forward."""

    pixels: Uint8
    output: Output
    seconds: float


class Session:
    """A loaded worker: what can be asked of it."""

    def __init__(
        self, worker: WorkerProcess, task: Task, ready: Ready, until_ready_s: float
    ) -> None:
        self.ready = ready
        self.task = task
        self.start_s = max(until_ready_s - ready.load_s, 0.0)
        self._worker = worker
        self._conversion = Conversion.of(task.load)
        self._given: LrImage | None = None  # of the last forward
        self._until = time.monotonic() + task.protocol.round_deadline_s
        self._memory = PeakMemory(worker)
        self._slowest_s = 0.0  # of the ranked forwards, for an LR pixel
        self.compile_s = 0.0  # of torch.compile, until now
        self._rested: tuple[float, float] | None = None  # when, and processor seconds until then
        self._restless_s = 0.0  # processor time used at rest
        self._gpu = gpu_monitor.shared() if task.load.device == "cuda" else None
        self._throttling = ThrottleGuard(self._gpu.look, time.sleep) if self._gpu else None

    @property
    def precision(self) -> Precision:
        """As declared; where nothing is, the worker's own word."""
        declared, claimed = self.task.load.precision, self.ready.precision
        return next((it for it in PRECISIONS if it == (declared or claimed)), "fp32")

    def _ask(
        self,
        request: messages.Request,
        expected: type[A],
        stage: Stage,
        *,
        payload: bytes | memoryview = b"",
        more_s: float = 0.0,
        most_s: float = math.inf,
        payload_cap: int = 0,
    ) -> tuple[A, bytearray]:
        """The answer to what may come with a payload, within the stage's deadline and `more_s`.

        That deadline is `most_s` where this is less. Nothing is asked once the round's has passed.
        """
        limits = self.task.protocol
        if time.monotonic() > self._until:
            message = f"the round took longer than {limits.round_deadline_s:g} s"
            raise WorkerFailed(failed(stage, "timeout", message))
        usual_s = {"load": limits.load_deadline_s, "count": limits.count_deadline_s}
        return self._worker.ask(
            request,
            expected,
            payload,
            stage=stage,
            deadline_s=min(usual_s.get(stage, limits.forward_deadline_s), most_s) + more_s,
            payload_cap=payload_cap,
        )

    def reply(self, image: LrImage) -> OutputReply:
        """One forward and its output."""
        seconds = self.forward(image).seconds
        pixels, output = self.collect()
        return OutputReply(pixels, output, seconds)

    def count(
        self,
        height: int,
        width: int,
        sizes: tuple[tuple[int, int], ...] = (),
        *,
        quick: bool = False,
    ) -> CountFigures:
        """The counters' figures, and what a captured network costs at `sizes` of LR images.

        Sizes are those of LR images; the model is counted at what it is given for them.
        """
        if len(sizes) >= LIST_CAP:  # an answer has the counted one as well
            sizes = tuple(random.SystemRandom().sample(sizes, LIST_CAP - 1))
        given = tuple(map(self._conversion.size, sizes))
        request = messages.Count(
            *self._conversion.size((height, width)), quick=quick or self.task.quick, sizes=given
        )
        counted, _ = self._ask(request, messages.Counted, "count")
        load = self.task.load
        counts = replace(
            honest_counts(counted.counts), channels=load.channels, enlarged=load.enlarged
        )
        return CountFigures(counts, self.notes(), self.ready.untrained)

    def export(self) -> bytes:
        """The model's weights as a safetensors file."""
        request = messages.Export()
        _, payload = self._ask(request, messages.Exported, "load", payload_cap=PAYLOAD_CAP)
        return bytes(payload)

    def capture(
        self, sizes: tuple[tuple[int, int], ...], count: tuple[int, int]
    ) -> tuple[messages.Captured, bytes]:
        """The model as a graph for LR images of these sizes, or why it is none."""
        given = tuple(map(self._conversion.size, sizes))
        request = messages.Capture(given, self._conversion.size(count))
        captured, payload = self._ask(
            request,
            messages.Captured,
            "count",
            more_s=SIZE_S * len(sizes),
            payload_cap=PAYLOAD_CAP,
        )
        refuse_negative("count", (captured.graphs,))
        return captured, bytes(payload)

    def notes(self, state: ProcessState | None = None) -> tuple[str, ...]:
        """What the submission changed in its process."""
        state = state or self.inspect("collect")
        at_load = (record.changed_note(text, at_load=True) for text in self.ready.changed)
        later = (record.changed_note(text, at_load=False) for text in state.changed)
        return told_notes(at_load, later, self.disturbances(), self.ready.notes)

    def disturbances(self) -> tuple[str, ...]:
        """What was met of a throttled GPU, and of processes that did not rest."""
        found = self._throttling.note() if self._throttling else ()
        if self._restless_s < thresholds.RESTLESS_S:
            return found
        text = f"used {self._restless_s:.1f} s of processor time while others were timed"
        return (*found, text)

    def energy(self, images: tuple[LrImage, ...], samples: tuple[Sample, ...]) -> Energy | None:
        """What a forward draws by the GPU's counter; None where there is none, as on a CPU."""
        if self._gpu is None:
            return None
        slowest_first = sorted(samples, key=lambda it: -it.seconds)
        fastest = {
            (it.dataset, it.image): it.seconds if it.reported_s is None else it.reported_s
            for it in slowest_first
        }
        return joules.energy(
            [(it.dataset, it.image) for it in images],
            counter=self._gpu.energy_j,
            repeat=lambda index: self._repeat(images[index]),
            fastest_s=fastest,
        )

    def timed(self, image: LrImage) -> Exchange:
        """A forward that is ranked; of audited code its peak memory counts.

        One that ran on a throttled GPU is taken again, within bounds.
        """
        if self._throttling is not None:
            exchange, throttled = self._throttling.steady(lambda: self._ranked(image))
            return replace(exchange, throttled=throttled)
        if not self.task.audited_code:
            return self._ranked(image)
        with self._memory.counting():
            return self._ranked(image)

    def _ranked(self, image: LrImage) -> Exchange:
        exchange = self._forward(image, "forward", math.inf)
        self._slowest_s = max(self._slowest_s, exchange.wall_s / exchange.pixels)
        return exchange

    def _most_s(self, image: LrImage) -> float:
        """What a forward that is not ranked may take beside those that are.

        Unbounded before one was, and where each size is compiled.
        """
        if not self._slowest_s or self.task.load.compile:
            return math.inf
        height, width = self._conversion.size(image.size)
        return UNRANKED_S + UNRANKED_FACTOR * self._slowest_s * height * width

    def _repeat(self, image: LrImage) -> joules.Window:
        size, payload = self._sent(image)
        request = messages.Repeat(*size, joules.WINDOW_S)
        began = time.perf_counter()
        repeated, _ = self._ask(
            request, messages.Repeated, "forward", payload=payload, more_s=joules.WINDOW_S
        )
        return repeated.forwards, time.perf_counter() - began

    def forward(self, image: LrImage, stage: Stage = "forward") -> Exchange:
        """One forward that is not ranked, by both clocks."""
        return self._forward(image, stage, self._most_s(image))

    def _forward(self, image: LrImage, stage: Stage, most_s: float) -> Exchange:
        (height, width), payload = self._sent(image)
        compiles = self.task.load.compile and stage == "warmup"
        more_s = self.task.protocol.load_deadline_s if compiles else 0.0
        request = messages.Forward(height, width)
        before = self._cpu_s()
        began = time.perf_counter()
        done, _ = self._ask(
            request, messages.Done, stage, payload=payload, more_s=more_s, most_s=most_s
        )
        wall_s = time.perf_counter() - began
        refuse_negative(stage, (done.compile_s, done.device_wall_s))
        compile_s = done.compile_s if self.task.load.compile else 0.0
        if not 0.0 < done.seconds <= wall_s + CLOCK_SLACK_S - compile_s:
            message = f"reported {done.seconds:.6g} s for a forward within {wall_s:.6g} s"
            raise WorkerFailed(failed(stage, "protocol", message))
        self.compile_s += compile_s
        after = self._cpu_s()
        cpu_s = None if before is None or after is None else after - before
        return Exchange(
            height * width, done.seconds, wall_s, cpu_s, device_wall_s=done.device_wall_s
        )

    def _sent(self, image: LrImage) -> tuple[tuple[int, int], memoryview]:
        """Height and width of what the worker is given for an image, and that itself."""
        self._given = image
        planes = self._conversion.given(image.pixels)
        return (planes.shape[0], planes.shape[1]), planes.data.cast("B")

    def collect(self) -> tuple[Uint8, Output]:
        """The output of the last forward."""
        image, output, _ = self._collected()
        return image, output

    def fetched(self, exchange: Exchange) -> tuple[Uint8, Exchange]:
        """The output of the last forward, and what is known of it with the fetching."""
        image, _, took_s = self._collected()
        sr_pixels = image.shape[0] * image.shape[1]
        return image, replace(exchange, sr_pixels=sr_pixels, collect_s=took_s)

    def _collected(self) -> tuple[Uint8, Output, float]:
        """The output of the last forward as an image, and the seconds until it was here."""
        if self._given is None:
            raise RuntimeError("there was no forward")
        height, width = self._given.size
        sr = height * self.task.load.scale, width * self.task.load.scale
        cap = self._conversion.payload_cap(sr)
        began = time.perf_counter()
        output, payload = self._ask(messages.Collect(), Output, "collect", payload_cap=cap)
        took_s = time.perf_counter() - began
        if fault := self._conversion.fault(output, payload, sr):
            raise WorkerFailed(failed("collect", "protocol", fault))
        return self._conversion.image(output, payload, self._given.pixels), output, took_s

    def inspect(self, stage: Stage) -> ProcessState:
        """What the process says of itself."""
        state, _ = self._worker.ask(
            messages.Inspect(), messages.State, stage=stage, deadline_s=INSPECT_DEADLINE_S
        )
        claims = (state.cuda_peak_bytes, state.cuda_reserved_bytes, state.written)
        refuse_negative(stage, claims)
        return of_answer(ProcessState, state, stage)

    def observe(self, image: LrImage) -> WatchedForward:
        """What a forward of `image` worked with."""
        size, payload = self._sent(image)
        request = messages.Observe(*size)
        more_s = self.task.protocol.load_deadline_s if self.task.load.compile else 0.0
        observed, _ = self._ask(
            request,
            messages.Observed,
            "forward",
            payload=payload,
            more_s=more_s,  # watched, it may be compiled once more
            most_s=self._most_s(image),
        )
        return of_answer(WatchedForward, observed, "forward")

    def peak_rates(self) -> PeakRates:
        """What the device does at its best."""
        return self._ask(messages.MeasurePeakRates(), PeakRates, "load")[0]

    @contextmanager
    def awake(self) -> Iterator[None]:
        """The worker's turn: at any other time all of its processes are stopped.

        It has no part in what others take, so that neither its time nor the processor's is its own.
        """
        if self._rested is not None:
            since, cpu_s = self._rested
            self._until += time.monotonic() - since
            now = proc.tree(self.root)
            self._restless_s += max(now.cpu_s - cpu_s, 0.0) if now else 0.0
        self._worker.wake()
        try:
            yield
        finally:
            self._worker.rest()
            tree = proc.tree(self.root)
            self._rested = time.monotonic(), tree.cpu_s if tree else 0.0

    def end(self) -> None:
        """Kill the worker."""
        self._worker.kill()

    @property
    def root(self) -> int:
        """The process that everything of the worker stands below."""
        return self._worker.root

    def reset_peak(self) -> None:
        """What was allocated so far no longer counts."""
        self.inspect("warmup")

    @property
    def memory_forward(self) -> bool:
        """Whether peak memory is that of a forward of its own; of a graph's rounds one has that."""
        once = self.task.thorough or not self.task.protocol.audits
        return once and self.task.load.device != "cuda" and not self.task.audited_code

    def memory(self, largest: LrImage) -> Memory | None:
        """Peak memory of the timed forwards so far, None where it is another round's.

        Or where the system does not tell. On a CPU it is that of one more forward, of the `largest`
        image, after a rest: the heap that earlier ones left is cut up, and may grow where it need
        not. Audited code could tell that forward, so all of its own count; and since it may hold
        something all the time, its level is no more than a worker's without a submission, and its
        weights.
        """
        state = self.inspect("collect")  # after which it holds no output
        if self.task.load.device == "cuda":
            return Memory(
                state.cuda_peak_bytes,
                "cuda_allocated",
                reserved_bytes=state.cuda_reserved_bytes,
                nvml_bytes=nvml.process_bytes(self._worker.pid),
            )
        if self.memory_forward:
            with self._memory.counting():
                self.forward(largest)
        known = self.task.calibration
        held = known.rest_bytes if known and self.task.audited_code else 0
        return self._memory.above(held + self._weights_bytes() if held else None)

    def _weights_bytes(self) -> int:
        """Of the parameters in float32, but no more than their file has."""
        told = 4 * self.ready.params
        weights = self.task.load.weights
        return min(told, Path(weights).stat().st_size) if weights else told

    def watch_memory(self, image: LrImage) -> None:
        """An untimed forward whose peak counts, that of processes which end within it too."""
        with self._memory.watching():
            self.forward(image)

    def _cpu_s(self) -> float | None:
        now = proc.tree(self.root) if self.task.protocol.audits else None
        return now.cpu_s if now else None


def refuse_negative(stage: Stage, claims: tuple[float | None, ...]) -> None:
    """No honest process needs or counts less than nothing."""
    least = min((claim for claim in claims if claim is not None), default=0)
    if least < 0:
        raise WorkerFailed(failed(stage, "protocol", f"claims a negative figure: {least:g}"))
