"""What this machine is fit for: what can be seen of it, and a model measured against itself."""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack
from dataclasses import dataclass

from harness.core.progress import SILENT, Progress
from harness.gate.baseline import baseline, candidates
from harness.gate.forecast import Forecast, forecast
from harness.gate.pair import CheckRequest, paced, paired, sampled
from harness.machine.host_checks import HostCheck, gpu_checks, host_checks, isolation
from harness.measure.loads import refuse_device, refuse_threads
from harness.sandbox.isolation import why_not

MODEL = "rlfn_ntire_x4"


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
    settings = paced(dataclasses.replace(request.settings, budget_s=sample_s), request.threads)
    (model,) = candidates(request.candidates)
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
