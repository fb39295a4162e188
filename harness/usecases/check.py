"""Is a candidate slower, bigger or worse than its baseline? Both measured in one invocation."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from harness.core.outcome import BadInput
from harness.core.progress import Progress, Silent
from harness.entries.catalogue import CatalogError, Entry, Rejected
from harness.entries.weights import WeightsError
from harness.gate import stored_baseline
from harness.gate.baseline import Baseline, baseline, candidates
from harness.gate.block_figures import (
    Names,
    drifting,
    drifts,
    first_calls,
    memory,
    names,
    seconds,
    told,
)
from harness.gate.blocks import Arm
from harness.gate.configuration import for_gates
from harness.gate.costs import SideCosts, costs
from harness.gate.gates import (
    COUNTED,
    NOISY,
    QUALITY,
    Gate,
    GateFinding,
    GateMetric,
    exact_findings,
    gate_for,
)
from harness.gate.judgement import corrected, judge
from harness.gate.pair import (
    CheckPair,
    CheckRequest,
    environment,
    inputs,
    isolation,
    paced,
    paired,
    refuse_absent_gpu,
    sampled,
)
from harness.gate.result import Checked, Conditions
from harness.gate.sampling import Sampling
from harness.gate.save_baseline import keep
from harness.gate.settings import CheckSettings
from harness.measure.loads import refuse_device, refuse_size, refuse_threads
from harness.sandbox.isolation import Isolation

EXACT = (*COUNTED, *QUALITY)


def check(request: CheckRequest, progress: Progress | None = None) -> tuple[Checked, ...]:
    """One answer for each candidate, in order; several are corrected for their number (Holm).

    What is wrong with a candidate is its answer; what is wrong with the request or the baseline
    raises BadInput. WriteError where a baseline can't be saved.
    """
    refuse_size("complexity", request.complexity)
    refuse_threads(request.threads)
    refuse_device(request.device)
    request = dataclasses.replace(request, settings=paced(request.settings, request.threads))
    progress = progress or Silent()
    chosen = isolation(request)
    if chosen.note:
        progress.warn(chosen.note)
    refuse_absent_gpu(request)
    found = candidates(request.candidates)
    if request.save is not None and len(found) != 1:
        raise BadInput(f"--save keeps one entry's baseline, not {len(found)}: name one variant")
    with ExitStack() as stack:
        held = [(it.id, _held(request, it, stack, alone=len(found) == 1)) for it in found]
        progress.stage("Checking", len(held))
        checked = [_one(request, name, sides, progress) for name, sides in held]
    return _corrected([_told(it, chosen) for it in checked], request.settings)


def _told(it: Checked, chosen: Isolation) -> Checked:
    """With what a reader must know of how its workers ran."""
    notes = (*filter(None, (chosen.note,)), *it.notes)
    return dataclasses.replace(it, isolation=chosen.confinement.name, notes=notes)


def _held(
    request: CheckRequest, candidate: Entry | Rejected, stack: ExitStack, *, alone: bool
) -> tuple[Entry, Baseline] | str:
    """A candidate and its baseline, or why they can't be held against each other.

    One of several candidates that has no baseline (it is new, say) stops no other one.
    """
    try:
        base = baseline(request.against, candidate, stack)
        _refuse_elsewhere(request, candidate, base)
    except BadInput as error:
        if alone or isinstance(error, CatalogError):
            raise
        return str(error)
    return (candidate, base) if isinstance(candidate, Entry) else "; ".join(candidate.faults)


def _refuse_elsewhere(request: CheckRequest, candidate: Entry | Rejected, base: Baseline) -> None:
    """BadInput for a record of another machine or of other inputs, or one that can't be kept."""
    if request.save is not None and (base.entry.role != "reference" or base.stored):
        raise BadInput("--save keeps ratios to a reference model: name one with --against")
    if base.stored is None or base.path is None:
        return
    stored_baseline.refuse_other(base.path, base.stored, environment=environment(request))
    if isinstance(candidate, Entry):
        given = inputs(request, candidate.submission.scale)
        stored_baseline.refuse_other_inputs(base.path, base.stored, given)


def _one(
    request: CheckRequest, name: str, sides: tuple[Entry, Baseline] | str, progress: Progress
) -> Checked:
    if isinstance(sides, str):
        progress.done()
        return Checked(name, request.against, None, failure=sides, faulty=True)
    candidate, base = sides
    try:
        pair = paired(request, candidate, base)
    except WeightsError as error:
        if candidate.role == "reference":  # whoever asked for official weights can bring them
            raise
        progress.done()
        return Checked(candidate.id, base.name, None, failure=str(error), faulty=True)
    if request.save is None and not {*gate_for(request.gates, candidate.id)} & {*EXACT}:
        return _measured(request, pair, {}, progress)
    progress.step(f"{candidate.id}: counts and outputs")
    known = costs(
        {arm: pair.loads[arm] for arm in (Arm.BASELINE, Arm.CANDIDATE)},
        pair.inputs,
        size=request.complexity,
        logs=request.logs / candidate.id,
        confinement=pair.confinement,
    )
    called = _sides(pair)
    broken = [f"{called[arm]}: {it}" for arm, it in known.items() if isinstance(it, str)]
    if broken:
        progress.done()
        return Checked(candidate.id, base.name, None, failure="; ".join(broken))
    whole = {arm: it for arm, it in known.items() if not isinstance(it, str)}
    return _measured(request, pair, whole, progress)


def _measured(
    request: CheckRequest, pair: CheckPair, known: Mapping[Arm, SideCosts], progress: Progress
) -> Checked:
    """The answer, given what is `known` without noise: nothing where no gate asks for it."""
    asked, keeps = gate_for(request.gates, pair.candidate.id), request.save is not None
    settings = for_gates(request.settings, asked)
    gates = {} if keeps else asked
    plain = dataclasses.replace(
        _without_noise(pair, known, gates), conditions=_conditions(request, pair, settings, gates)
    )
    if not keeps and not {*gates} & {*NOISY}:
        progress.done()
        return plain
    # a record is of use to checks of any effect, and has scatter of its own: the more the better
    sampling = sampled(request, pair, settings, progress, patient=keeps)
    progress.done()
    if sampling.failure is not None:
        text = f"{_sides(pair)[sampling.failure.arm]}: {sampling.failure}"
        return dataclasses.replace(plain, failure=text, sampling=sampling)
    found = _with_figures(plain, sampling, settings, pair)
    if request.save is None:
        return _judged(found, pair, gates, settings)
    note, why = keep(request.save, request, pair, known[Arm.CANDIDATE].costs, sampling, settings)
    return dataclasses.replace(found, failure=why, notes=(*found.notes, *filter(None, (note,))))


def _without_noise(
    pair: CheckPair, known: Mapping[Arm, SideCosts], gates: Mapping[GateMetric, Gate]
) -> Checked:
    """What the gates of counts and quality say, and the notes of those who were counted."""
    findings: tuple[GateFinding, ...] = ()
    if known:
        then = pair.baseline.stored
        old = then.costs if then else known[Arm.BASELINE].costs
        findings = exact_findings(old, known[Arm.CANDIDATE].costs, gates)
    sides = _sides(pair)
    notes = tuple(f"{sides[arm]}: {note}" for arm, it in known.items() for note in it.notes)
    return Checked(pair.candidate.id, pair.baseline.name, None, findings, notes=notes)


def _judged(
    found: Checked, pair: CheckPair, gates: Mapping[GateMetric, Gate], settings: CheckSettings
) -> Checked:
    """What the gates of runtime and memory say of the sampling."""
    sampling, then = found.sampling, pair.baseline.stored
    findings, verdict = found.findings, None
    if "memory" in gates:
        findings += (memory(gates["memory"], sampling.blocks, settings, then),)
    if "runtime" in gates:
        verdict = judge(sampling, settings, stored=then.effects if then else ())
    return dataclasses.replace(found, verdict=verdict, findings=findings)


def _with_figures(
    plain: Checked, sampling: Sampling, settings: CheckSettings, pair: CheckPair
) -> Checked:
    """With what is there for reading. The times of a reference are none of the baseline's."""
    blocks = sampling.blocks
    sides = _sides(pair)
    arms: tuple[Arm, ...] = (Arm.CANDIDATE,) if pair.baseline.stored else tuple(Arm)
    return dataclasses.replace(
        plain,
        seconds=seconds(blocks, arms),
        first_call_s=first_calls(blocks, arms),
        drifts={arm: it for arm, it in drifts(blocks, settings).items() if arm in arms},
        notes=(*plain.notes, *told(blocks, sides), *drifting(blocks, settings, sides)),
        sampling=sampling,
    )


def _sides(pair: CheckPair) -> Names:
    """What to call the sides: beside a stored baseline runs the reference that it is told in."""
    return names(f"reference {pair.baseline.entry.id}" if pair.baseline.stored else "baseline")


def _conditions(
    request: CheckRequest,
    pair: CheckPair,
    settings: CheckSettings,
    gates: Mapping[GateMetric, Gate],
) -> Conditions:
    given = inputs(request, pair.loads[Arm.CANDIDATE].scale)
    return Conditions(
        settings, tuple(gates.values()), dataclasses.asdict(given), environment(request)
    )


def _corrected(checked: Sequence[Checked], settings: CheckSettings) -> tuple[Checked, ...]:
    judged = [it.verdict for it in checked if it.verdict is not None]
    if len(judged) < 2:
        return tuple(checked)
    kept = iter(corrected(judged, level=settings.alarm))
    return tuple(
        it if it.verdict is None else dataclasses.replace(it, verdict=next(kept)) for it in checked
    )
