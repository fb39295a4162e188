"""Is a candidate slower, bigger or worse than its baseline? Both measured in one invocation."""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.core.outcome import BadInput
from harness.core.progress import SILENT, Progress
from harness.entries.catalogue import CatalogError, Entry, Rejected
from harness.entries.weights import WeightsError
from harness.gate import stored_baseline
from harness.gate.baseline import Baseline, baseline
from harness.gate.candidates import candidates
from harness.gate.entry_check import check_new, check_pair
from harness.gate.judgement import corrected
from harness.gate.measured_form import as_measured, refuse_form
from harness.gate.pair import (
    CheckRequest,
    environment,
    inputs,
    isolation,
    paired,
    refuse_absent_gpu,
)
from harness.gate.result import Checked
from harness.gate.revision import NotInRevision
from harness.measure.loads import refuse_device, refuse_size, refuse_threads
from harness.rules import rulebook


def check(request: CheckRequest, progress: Progress = SILENT) -> tuple[Checked, ...]:
    """One answer for each candidate, in order; several are corrected for their number (Holm).

    What is wrong with a candidate is its answer; what is wrong with the request or the baseline
    raises BadInput. WriteError where a baseline can't be saved.
    """
    refuse_size("complexity", request.complexity)
    refuse_threads(request.threads)
    refuse_device(request.device)
    chosen = isolation(request)
    if chosen.note:
        progress.warn(chosen.note)
    refuse_absent_gpu(request)
    found = candidates(request.candidates, request.against, progress)
    if request.save is not None and len(found) != 1:
        raise BadInput(f"--save keeps one entry's baseline, not {len(found)}: name one variant")
    checked: list[Checked] = []
    with ExitStack() as stack:
        held = [(it.id, _held(request, it, stack, alone=len(found) == 1)) for it in found]
        graphs = Path(stack.enter_context(TemporaryDirectory(prefix="esr-graphs-")))
        progress.stage("Checking", len(held))
        for name, sides in held:
            answer = _one(request, name, sides, graphs, progress)
            progress.done()
            notes = (*filter(None, (chosen.note,)), *answer.notes)
            workers = chosen.confinement.name
            checked.append(dataclasses.replace(answer, isolation=workers, notes=notes))
    judged = [it.verdict for it in checked if it.verdict is not None]
    verdicts = iter(corrected(judged, level=request.settings.alarm) if len(judged) > 1 else judged)
    return tuple(
        it if it.verdict is None else dataclasses.replace(it, verdict=next(verdicts))
        for it in checked
    )


_RENAMED = "if it had another name, --against git:REV:PATH tells it"


@dataclass(frozen=True)
class _Sides:
    """A candidate and its baseline; a new one is its own, and `new` says why."""

    candidate: Entry
    base: Baseline
    new: str = ""


def _held(
    request: CheckRequest, candidate: Entry | Rejected, stack: ExitStack, *, alone: bool
) -> _Sides | str:
    """A candidate and its baseline, or why they can't be held against each other.

    One of several candidates that has no usable baseline stops no other one.
    """
    try:
        base, new = _baseline(request, candidate, stack)
        _refuse_elsewhere(request, candidate, base)
    except BadInput as error:
        if alone or isinstance(error, CatalogError):
            raise
        return str(error)
    if isinstance(candidate, Rejected):
        return "; ".join(candidate.faults)
    return _Sides(candidate, base or Baseline(request.against, candidate), new)


def _baseline(
    request: CheckRequest, candidate: Entry | Rejected, stack: ExitStack
) -> tuple[Baseline | None, str]:
    """The baseline, or why there is none: the candidate is new. BadInput where that may not be."""
    try:
        return baseline(request.against, candidate, stack), ""
    except NotInRevision as error:
        text = str(error)
    if request.missing_baseline == "fail":
        raise BadInput(
            f"{text}: name what it was called as git:REV:PATH, or an older revision; a new entry "
            "passes with --missing-baseline pass, or is held against a reference model with "
            "--missing-baseline reference"
        )
    if request.missing_baseline == "pass":
        return None, text
    name = rulebook.read(request.challenge).baseline
    try:
        found = baseline(name, candidate, stack)
    except CatalogError as error:
        raise CatalogError(f"the baseline of {request.challenge}: {error}") from None
    note = f"{text}: held against {name}, the baseline of {request.challenge}"
    return dataclasses.replace(found, notes=(note,)), ""


def _refuse_elsewhere(
    request: CheckRequest, candidate: Entry | Rejected, base: Baseline | None
) -> None:
    """BadInput for a record of another machine or of other inputs, or one that can't be kept."""
    kept = base is not None and base.entry.role == "reference" and not base.stored
    if request.save is not None and not kept:
        raise BadInput("--save keeps ratios to a reference model: name one with --against")
    if base is None or base.stored is None or base.path is None:
        return
    refuse_form(request, base)
    here = environment(request)
    given = inputs(request, candidate.submission.scale) if isinstance(candidate, Entry) else None
    stored_baseline.refuse_other(base.path, base.stored, environment=here, given=given)


def _one(
    request: CheckRequest,
    name: str,
    sides: _Sides | str,
    graphs: Path,
    progress: Progress,
) -> Checked:
    if isinstance(sides, str):
        return Checked(name, request.against, None, failure=sides, faulty=True)
    candidate, base = sides.candidate, sides.base
    try:
        pair = paired(request, candidate, base)
    except WeightsError as error:
        if candidate.role == "reference":  # whoever asked for official weights can bring them
            raise
        return Checked(candidate.id, base.name, None, failure=str(error), faulty=True)
    if sides.new:
        pair = dataclasses.replace(pair, notes=(f"new entry: {sides.new}; {_RENAMED}",))
        return check_new(request, pair, progress)
    progress.step(f"{candidate.id}: capturing")
    measured = as_measured(request, pair, graphs)
    if isinstance(measured, str):
        return Checked(candidate.id, base.name, None, failure=measured)
    return check_pair(request, measured, progress)
