"""What both sides of a check run on: the request, the inputs, and the workers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from harness.core.challenge import CaptureRule, TimingProtocol
from harness.core.outcome import BadInput
from harness.core.progress import Progress
from harness.entries import weights
from harness.entries.catalogue import Entry
from harness.gate.baseline import Baseline
from harness.gate.blocks import Arm
from harness.gate.crops import Crop, crops
from harness.gate.gates import DEFAULTS, Gate
from harness.gate.judgement import looks
from harness.gate.sampling import Sampling, SamplingTools, sample
from harness.gate.settings import CheckSettings
from harness.gate.stored_baseline import CheckForm, Inputs
from harness.gate.worker_bench import WorkerBench
from harness.machine import environment as machine
from harness.measure import loads
from harness.measure.loads import Contender
from harness.measure.session import Task
from harness.sandbox.confinement import Confinement
from harness.sandbox.isolation import Isolation, SandboxMode, choose
from harness.wire.messages import Load

WARM_UP = 3  # forwards that count for nothing, in each process
# LR height and width of the inputs; a GPU that is given less waits for the CPU to start its kernels
SIZES = {"cpu": (96, 96), "cuda": (256, 256)}


MissingBaseline = Literal["pass", "fail", "reference"]


@dataclass(frozen=True)
class CheckRequest:
    """What a user asks of a check. `size` and `complexity` are LR height and width.

    Without a `size` the inputs are as large as suits the device (`SIZES`). One thread by default: a
    forward that is spread over every core waits for whichever of them is disturbed, the harness
    itself being one disturber, and what is found then is that.
    """

    candidates: tuple[str, ...]
    against: str
    settings: CheckSettings = field(default_factory=CheckSettings)
    gates: tuple[Gate, ...] = DEFAULTS
    size: tuple[int, int] | None = None
    images: int = 2
    complexity: tuple[int, int] = (256, 256)
    device: str = "cpu"
    threads: int = 1
    sandbox: SandboxMode = "auto"
    capture: CaptureRule = "preferred"  # of both sides, or of neither
    weights: weights.WeightsMode = "bundled"
    weights_dir: Path | None = None
    logs: Path = Path("reports/check")
    save: Path | None = None
    missing_baseline: MissingBaseline = "pass"  # of an entry that the revision does not have
    challenge: str = "sample"  # whose baseline a missing one may be replaced by

    @property
    def lr_size(self) -> tuple[int, int]:
        """Height and width of the inputs."""
        return self.size or SIZES[self.device]


@dataclass(frozen=True)
class CheckPair:
    """A candidate and its baseline, both ready to be started."""

    candidate: Entry
    baseline: Baseline
    sides: Mapping[Arm, Contender]
    inputs: tuple[Crop, ...]
    confinement: Confinement
    form: CheckForm = "code"
    notes: tuple[str, ...] = ()  # on the baseline and the form
    codes: Mapping[Arm, Load] = field(default_factory=dict)  # of sides that are graphs

    @property
    def loads(self) -> Mapping[Arm, Load]:
        """What the process of each side is told."""
        return {arm: side.load for arm, side in self.sides.items()}

    @property
    def names(self) -> Mapping[Arm, str]:
        """What to call the sides: beside a stored baseline runs the reference it is told in."""
        beside = f"reference {self.baseline.entry.id}" if self.baseline.stored else "baseline"
        return {
            Arm.BASELINE: f"the {beside}",
            Arm.CONTROL: f"the {beside}'s second process",
            Arm.CANDIDATE: "the candidate",
        }


def sampled(
    request: CheckRequest,
    pair: CheckPair,
    settings: CheckSettings,
    progress: Progress,
    *,
    patient: bool = False,
) -> Sampling:
    """Blocks of the pair's processes; if `patient`, for the whole budget."""
    protocol = TimingProtocol(warmup=WARM_UP, threads=request.threads, audits=False)
    logs = request.logs / pair.candidate.id
    tasks = {
        arm: Task(load, protocol, logs / f"{arm}.log", pair.confinement)
        for arm, load in pair.loads.items()
    }
    bench = WorkerBench(tasks, tuple(crop.lr for crop in pair.inputs))

    def watch(blocks: int, elapsed_s: float) -> None:
        progress.step(f"{pair.candidate.id}: {blocks} blocks, {elapsed_s:.0f} s")

    tools = SamplingTools(clock=time.monotonic, watch=watch)
    if patient:
        return sample(bench, settings, tools, narrow=lambda _: False, suspect=lambda _: False)
    narrow, suspect = looks(settings, pair.baseline.stored.effects if pair.baseline.stored else ())
    return sample(bench, settings, tools, narrow=narrow, suspect=suspect)


def paired(request: CheckRequest, candidate: Entry, base: Baseline) -> CheckPair:
    """What the sides are started with; BadInput where one can't be."""
    protocol = TimingProtocol(threads=request.threads)

    def side(entry: Entry) -> Contender:
        chosen = weights.choose(entry, mode=request.weights, weights_dir=request.weights_dir)
        return Contender(entry, chosen, loads.declared(entry, chosen, protocol, request.device))

    old, new = side(base.entry), side(candidate)
    inputs = crops(
        scale=new.load.scale, size=request.lr_size, count=request.images, seed=request.settings.seed
    )
    by_arm = {Arm.BASELINE: old, Arm.CONTROL: old, Arm.CANDIDATE: new}
    confinement = isolation(request).confinement
    return CheckPair(candidate, base, by_arm, inputs, confinement, notes=base.notes)


def environment(request: CheckRequest) -> dict[str, str]:
    """What must be equal for ratios to be comparable, the workers' isolation included."""
    return machine.environment(
        device=request.device,
        threads=request.threads,
        isolation=isolation(request).confinement.name,
    ).stable


def isolation(request: CheckRequest) -> Isolation:
    """How the workers of both sides are confined; BadInput where that is required in vain."""
    return choose(request.sandbox, gpu=request.device == "cuda", hidden=(request.logs,))


def refuse_absent_gpu(request: CheckRequest) -> None:
    """BadInput for a device that is not there."""
    if request.device == "cuda" and "gpu" not in environment(request):
        raise BadInput("no NVIDIA GPU found (NVML does not answer): run with --device cpu")


def inputs(request: CheckRequest, scale: int) -> Inputs:
    """What both sides are given, as a stored baseline names it."""
    seed = request.settings.seed
    return Inputs(scale, request.lr_size, request.images, seed, request.complexity)
