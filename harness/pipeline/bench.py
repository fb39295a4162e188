"""What both sides of a check run on: the request, the inputs, and the workers."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness import weights
from harness.catalog import Candidate
from harness.core.challenge import Protocol
from harness.gate import Gate, Role, Sampling, Settings, looks, sample
from harness.gate.gates import DEFAULTS
from harness.gate.sample import Tools
from harness.launch import machine
from harness.launch.confinement import Confinement, NoConfinement
from harness.launch.measure import Task
from harness.launch.sandbox.choose import Chosen, Mode, choose
from harness.launch.sides import WorkerBench
from harness.pipeline import plan
from harness.pipeline.baseline import Baseline
from harness.pipeline.crops import Crop, crops
from harness.pipeline.plan import BadInput
from harness.pipeline.progress import Progress
from harness.pipeline.stored import Inputs
from harness.wire.messages import Load

WARM_UP = 3  # forwards that count for nothing, in each process
# LR height and width of the inputs; a GPU that is given less waits for the CPU to start its kernels
SIZES = {"cpu": (96, 96), "cuda": (256, 256)}


@dataclass(frozen=True)
class CheckRequest:
    """What a user asks of a check. `size` and `complexity` are LR height and width.

    Without a `size` the inputs are as large as suits the device (`SIZES`). One thread by default: a
    forward that is spread over every core waits for whichever of them is disturbed, the harness
    itself being one disturber, and what is found then is that.
    """

    candidates: tuple[str, ...]
    against: str
    settings: Settings = field(default_factory=Settings)
    gates: tuple[Gate, ...] = DEFAULTS
    size: tuple[int, int] | None = None
    images: int = 2
    complexity: tuple[int, int] = (256, 256)
    device: str = "cpu"
    threads: int = 1
    sandbox: Mode = "auto"
    weights: weights.Mode = "bundled"
    weights_dir: Path | None = None
    logs: Path = Path("reports/check")
    save: Path | None = None

    @property
    def lr_size(self) -> tuple[int, int]:
        """Height and width of the inputs."""
        return self.size or SIZES[self.device]


@dataclass(frozen=True)
class Pair:
    """A candidate and its baseline, both ready to be started."""

    candidate: Candidate
    baseline: Baseline
    loads: Mapping[Role, Load]
    inputs: tuple[Crop, ...]
    confinement: Confinement = field(default_factory=NoConfinement)


def sampled(
    request: CheckRequest,
    pair: Pair,
    settings: Settings,
    progress: Progress,
    *,
    patient: bool = False,
) -> Sampling:
    """Blocks of the pair's processes; if `patient`, for the whole budget."""
    protocol = Protocol(warmup=WARM_UP, threads=request.threads, audits=False)
    logs = request.logs / pair.candidate.id
    tasks = {
        role: Task(load, protocol, logs / f"{role}.log", pair.confinement)
        for role, load in pair.loads.items()
    }
    bench = WorkerBench(tasks, tuple(crop.lr for crop in pair.inputs))

    def watch(blocks: int, elapsed_s: float) -> None:
        progress.step(f"{pair.candidate.id}: {blocks} blocks, {elapsed_s:.0f} s")

    tools = Tools(clock=time.monotonic, pause=time.sleep, watch=watch)
    if patient:
        return sample(bench, settings, tools, narrow=lambda _: False, suspect=lambda _: False)
    narrow, suspect = looks(settings, pair.baseline.stored.effects if pair.baseline.stored else ())
    return sample(bench, settings, tools, narrow=narrow, suspect=suspect)


def paced(settings: Settings, threads: int) -> Settings:
    """Without a pause between forwards where no thread spins."""
    return dataclasses.replace(settings, settle_s=0.0) if threads == 1 else settings


def paired(request: CheckRequest, candidate: Candidate, base: Baseline) -> Pair:
    """What the sides are started with; BadInput or WeightsError where one can't be."""
    place = weights.folder(request.weights_dir)
    protocol = Protocol(threads=request.threads)

    def load(it: Candidate) -> Load:
        if it.submission is None:
            raise BadInput(f"{it.id} can't be used: {'; '.join(it.faults)}")
        chosen = weights.choose(it.submission, it.folder, mode=request.weights, weights_dir=place)
        told = plan.declared(it, it.submission, chosen, protocol)
        return dataclasses.replace(told, device=request.device)

    old, new = load(base.candidate), load(candidate)
    inputs = crops(
        scale=new.scale, size=request.lr_size, count=request.images, seed=request.settings.seed
    )
    loads: dict[Role, Load] = {"baseline": old, "again": old, "candidate": new}
    return Pair(candidate, base, loads, inputs, isolation(request).confinement)


def environment(request: CheckRequest) -> dict[str, str]:
    """What must be equal for ratios to be comparable, the workers' isolation included."""
    return machine.environment(
        device=request.device,
        threads=request.threads,
        isolation=isolation(request).confinement.name,
    ).stable


def isolation(request: CheckRequest) -> Chosen:
    """How the workers of both sides are confined; SandboxError where that is required in vain."""
    return choose(request.sandbox, gpu=request.device == "cuda")


def refuse_absent_gpu(request: CheckRequest) -> None:
    """BadInput for a device that is not there."""
    if request.device == "cuda" and "gpu" not in environment(request):
        raise BadInput("no NVIDIA GPU found (NVML does not answer): run with --device cpu")


def inputs(request: CheckRequest, scale: int) -> Inputs:
    """What both sides are given, as a stored baseline names it."""
    seed = request.settings.seed
    return Inputs(scale, request.lr_size, request.images, seed, request.complexity)
