"""What this machine is fit for: what is seen of it, a model against itself, and its sandbox."""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack
from dataclasses import dataclass

from harness.core.progress import SILENT, Progress
from harness.gate.baseline import baseline
from harness.gate.candidates import candidates
from harness.gate.forecast import Forecast, forecast
from harness.gate.pair import CheckRequest, paired, sampled
from harness.machine.host_checks import HostCheck, gpu_checks, host_checks, isolation
from harness.measure.loads import refuse_device, refuse_threads
from harness.sandbox import bubblewrap, trial
from harness.sandbox.bubblewrap import Bubblewrap
from harness.sandbox.confinement import Confinement, NoConfinement
from harness.sandbox.isolation import why_not
from harness.sandbox.limits import Limits
from harness.sandbox.trial import AttackOutcome

MODEL = "rlfn_ntire_x4"
KEPT_BY = (
    "the kernel for each process (data, file size, descriptors, and the number of tasks unless "
    "root runs the harness), the size of the scratch folder, and a watch of the harness over the "
    "memory and the tasks of the whole process tree"
)


@dataclass(frozen=True)
class Diagnosis:
    """What was seen, and what a check can find here; `problem` says why that is not known."""

    checks: tuple[HostCheck, ...]
    forecast: Forecast | None = None
    problem: str = ""


def doctor(request: CheckRequest, *, sample_s: float, progress: Progress = SILENT) -> Diagnosis:
    """Look at the machine, then sample the request's model against itself for that many seconds.

    What is told is the power of a check with the request's settings. 0 s: nothing is sampled.
    Changes no setting.
    """
    refuse_threads(request.threads)
    refuse_device(request.device)
    progress.stage("Looking", 1)
    seen = (*host_checks(), *gpu_checks(), isolation(why_not(gpu=request.device == "cuda")))
    progress.done()
    if not sample_s:
        return Diagnosis(seen, problem="not sampled")
    progress.stage("Sampling", 1)
    settings = dataclasses.replace(request.settings, budget_s=sample_s)
    (model,) = candidates(request.candidates, request.against, progress)
    base = baseline(request.against, model, ExitStack())  # a model of ours needs nothing on disk
    pair = paired(request, base.entry, base)
    sampling = sampled(request, pair, settings, progress, patient=True)
    progress.done()
    if sampling.failure is not None:
        return Diagnosis(seen, problem=str(sampling.failure))
    found = forecast(sampling, request.settings)
    if found is None:
        text = f"{len(sampling.blocks)} of the 3 blocks that a forecast needs: sample for longer"
        return Diagnosis(seen, problem=text)
    return Diagnosis(seen, found)


@dataclass(frozen=True)
class Trial:
    """What was tried, under which isolation. `trouble` says why it can't be relied on, or ""."""

    isolation: str
    version: str
    trouble: str
    limits: dict[str, int]
    kept_by: str
    findings: tuple[AttackOutcome, ...]


def try_out(*, gpu: bool = False, unconfined: bool = False) -> Trial:
    """Every attempt of the trial, under the sandbox or without one.

    What exhausts something is tried under small limits, so that it harms nobody where it succeeds.
    """
    if unconfined:
        return Trial("none", "", "", {}, "nobody", _all(NoConfinement(), NoConfinement()))
    trouble = why_not(gpu=gpu)
    program = bubblewrap.executable()
    limits = Limits()
    usual = Bubblewrap(gpu=gpu, limits=limits)
    findings = _all(usual, dataclasses.replace(usual, limits=trial.LIMITS)) if program else ()
    return Trial(
        bubblewrap.NAME,
        bubblewrap.version(program) if program else "",
        trouble,
        dataclasses.asdict(limits),
        KEPT_BY,
        findings,
    )


def _all(usual: Confinement, small: Confinement) -> tuple[AttackOutcome, ...]:
    return (*trial.look(usual), *trial.burden(small, trial.LIMITS))
