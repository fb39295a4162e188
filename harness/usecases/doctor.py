"""What this machine is fit for: what can be seen of it, and a model measured against itself."""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from harness.core.progress import Progress, Silent
from harness.entries import catalogue
from harness.gate import CheckSettings
from harness.gate.baseline import baseline
from harness.gate.forecast import Forecast, forecast
from harness.gate.pair import CheckRequest, paced, paired, sampled
from harness.machine.gpu_checks import gpu_checks
from harness.machine.host_checks import HostCheck, host_checks, isolation
from harness.sandbox.isolation import SandboxMode, why_not
from harness.usecases.plan import refuse_device, refuse_threads

MODEL = "rlfn_ntire_x4"


@dataclass(frozen=True)
class Diagnosis:
    """What was seen, and what a check can find here; `problem` says why that is not known."""

    checks: tuple[HostCheck, ...]
    forecast: Forecast | None = None
    problem: str = ""


@dataclass(frozen=True)
class DoctorRequest:
    """How long to sample, 0 for not at all, and the check whose powers are told."""

    sample_s: float = 30.0
    settings: CheckSettings = dataclasses.field(default_factory=CheckSettings)
    size: tuple[int, int] | None = None
    images: int = 2
    device: str = "cpu"
    threads: int = 1
    sandbox: SandboxMode = "auto"
    logs: Path = Path("reports/doctor")


def doctor(request: DoctorRequest, progress: Progress | None = None) -> Diagnosis:
    """Look at the machine, then sample a reference model against itself. Changes no setting."""
    refuse_threads(request.threads)
    refuse_device(request.device)
    progress = progress or Silent()
    progress.stage("Looking", 1)
    seen = (*host_checks(), *gpu_checks(), isolation(why_not(gpu=request.device == "cuda")))
    progress.done()
    if not request.sample_s:
        return Diagnosis(seen, problem="not sampled")
    progress.stage("Sampling", 1)
    asked = dataclasses.replace(request.settings, budget_s=request.sample_s)
    settings = paced(asked, request.threads)
    check = CheckRequest(
        candidates=(MODEL,),
        against=MODEL,
        settings=settings,
        size=request.size,
        images=request.images,
        device=request.device,
        threads=request.threads,
        sandbox=request.sandbox,
        logs=request.logs,
    )
    (model,) = catalogue.references((MODEL,))
    base = baseline(MODEL, model, ExitStack())  # an entry of ours needs nothing on disk
    pair = paired(check, base.entry, base)
    sampling = sampled(check, pair, settings, progress, patient=True)
    progress.done()
    if sampling.failure is not None:
        return Diagnosis(seen, problem=str(sampling.failure))
    found = forecast(sampling, request.settings)
    if found is None:
        text = f"{len(sampling.blocks)} of the 3 blocks that a forecast needs: sample for longer"
        return Diagnosis(seen, problem=text)
    return Diagnosis(seen, found)
