"""One candidate beside its baseline: measured and judged, or kept as a baseline for later."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from harness.core.progress import Progress
from harness.gate import block_figures, stored_baseline
from harness.gate.blocks import Arm
from harness.gate.configuration import for_gates
from harness.gate.costs import SideCosts, costs
from harness.gate.gates import (
    COUNTED,
    NOISY,
    QUALITY,
    Gate,
    GateMetric,
    exact_findings,
    gate_for,
    new_findings,
    with_code,
)
from harness.gate.judgement import doubt, judge
from harness.gate.pair import CheckPair, CheckRequest, environment, inputs, sampled
from harness.gate.result import Checked, Conditions
from harness.gate.sampling import Sampling
from harness.gate.settings import CheckSettings


def check_pair(request: CheckRequest, pair: CheckPair, progress: Progress) -> Checked:
    """What the gates say of the pair; with `request.save` its ratios are kept, and no gate applied.

    Counts and outputs are had only where a gate or the record needs them, and so are runtimes.
    Raises WriteError.
    """
    asked, keeps = gate_for(request.gates, pair.candidate.id), request.save is not None
    settings = for_gates(request.settings, asked)
    gates = {} if keeps else asked
    plain = Checked(pair.candidate.id, pair.baseline.name, None, notes=pair.notes)
    needed = keeps or {*asked} & {*COUNTED, *QUALITY}
    arms = (Arm.BASELINE, Arm.CANDIDATE)
    known: Mapping[Arm, SideCosts] | str = _known(request, pair, arms, progress) if needed else {}
    if isinstance(known, str):
        return dataclasses.replace(plain, failure=known)
    given = dataclasses.asdict(inputs(request, pair.loads[Arm.CANDIDATE].scale))
    conditions = Conditions(settings, tuple(gates.values()), given, environment(request), pair.form)
    plain = dataclasses.replace(_without_noise(plain, pair, known, gates), conditions=conditions)
    if not keeps and not {*gates} & {*NOISY}:
        return plain
    # a record is of use to checks of any effect, and has scatter of its own: the more the better
    sampling = sampled(request, pair, settings, progress, patient=keeps)
    if sampling.failure is not None:
        text = f"{pair.names[sampling.failure.arm]}: {sampling.failure}"
        return dataclasses.replace(plain, failure=text, sampling=sampling)
    found = _with_figures(plain, sampling, settings, pair)
    if request.save is None:
        return _judged(found, pair, gates, settings)
    return _kept(found, request.save, request, pair, known[Arm.CANDIDATE], settings)


def check_new(request: CheckRequest, pair: CheckPair, progress: Progress) -> Checked:
    """The figures of a candidate without a baseline: it has to run, and passes no gate.

    Its pair has the candidate as both sides; nothing is timed.
    """
    plain = Checked(pair.candidate.id, pair.baseline.name, None, notes=pair.notes)
    known = _known(request, pair, (Arm.CANDIDATE,), progress)
    if isinstance(known, str):
        return dataclasses.replace(plain, failure=known)
    side, asked = known[Arm.CANDIDATE], gate_for(request.gates, pair.candidate.id)
    findings = new_findings(side.costs, asked)
    return dataclasses.replace(plain, findings=findings, notes=(*plain.notes, *side.notes))


def _known(
    request: CheckRequest, pair: CheckPair, arms: tuple[Arm, ...], progress: Progress
) -> Mapping[Arm, SideCosts] | str:
    """What is without noise of these sides, or why it can't be had."""
    progress.step(f"{pair.candidate.id}: counts and outputs")
    known = costs(
        {arm: pair.loads[arm] for arm in arms},
        pair.inputs,
        codes=pair.codes,
        size=request.complexity,
        logs=request.logs / pair.candidate.id,
        confinement=pair.confinement,
    )
    sides = pair.names
    broken = [f"{sides[arm]}: {it}" for arm, it in known.items() if isinstance(it, str)]
    whole = {arm: it for arm, it in known.items() if not isinstance(it, str)}
    return "; ".join(broken) if broken else whole


def _without_noise(
    plain: Checked,
    pair: CheckPair,
    known: Mapping[Arm, SideCosts],
    gates: Mapping[GateMetric, Gate],
) -> Checked:
    """What the gates of counts and quality say, and the notes of those who were counted."""
    if not known:
        return plain
    sides, then = pair.names, pair.baseline.stored
    base, new = known[Arm.BASELINE], known[Arm.CANDIDATE]
    findings = exact_findings(then.costs if then else base.costs, new.costs, gates)
    code = then.code if then else base.code
    if code is not None and new.code is not None:
        findings = with_code(findings, code, new.code, gates)
    notes = tuple(f"{sides[arm]}: {note}" for arm, side in known.items() for note in side.notes)
    return dataclasses.replace(plain, findings=findings, notes=(*plain.notes, *notes))


def _with_figures(
    plain: Checked, sampling: Sampling, settings: CheckSettings, pair: CheckPair
) -> Checked:
    """With what is there for reading. The times of a reference are none of the baseline's."""
    blocks, sides = sampling.blocks, pair.names
    found = block_figures.drifts(blocks, settings)
    changes = (
        block_figures.DRIFTING.format(side=sides[arm], ratio=ratio) for arm, ratio in found.items()
    )
    arms: tuple[Arm, ...] = (Arm.CANDIDATE,) if pair.baseline.stored else tuple(Arm)
    return dataclasses.replace(
        plain,
        seconds=block_figures.seconds(blocks, arms),
        first_call_s=block_figures.first_calls(blocks, arms),
        drifts={arm: ratio for arm, ratio in found.items() if arm in arms},
        notes=(*plain.notes, *block_figures.told(blocks, sides), *changes),
        sampling=sampling,
    )


def _judged(
    found: Checked, pair: CheckPair, gates: Mapping[GateMetric, Gate], settings: CheckSettings
) -> Checked:
    """What the gates of runtime and memory say of the sampling."""
    sampling, then = found.sampling, pair.baseline.stored
    findings, verdict = found.findings, None
    if "memory" in gates:
        findings += (block_figures.memory(gates["memory"], sampling.blocks, settings, then),)
    if "runtime" in gates:
        verdict = judge(sampling, settings, stored=then.effects if then else ())
    return dataclasses.replace(found, verdict=verdict, findings=findings)


def _kept(
    found: Checked,
    path: Path,
    request: CheckRequest,
    pair: CheckPair,
    known: SideCosts,
    settings: CheckSettings,
) -> Checked:
    """With a note of the baseline that was written, or why it was not.

    A baseline that is worth nothing would make every later check inconclusive, so it is not kept.
    """
    sampling = found.sampling
    if why := doubt(sampling, settings):
        return dataclasses.replace(found, failure=f"not kept in {path}: {why}")
    peaks = (block.peak_bytes.get(Arm.CANDIDATE) for block in sampling.blocks)
    record = stored_baseline.Stored(
        entry=pair.candidate.id,
        digest=pair.candidate.digest,
        reference=pair.baseline.entry.id,
        reference_digest=pair.baseline.entry.digest,
        environment=environment(request),
        inputs=inputs(request, pair.loads[Arm.CANDIDATE].scale),
        effects=tuple(block.effects for block in sampling.blocks),
        costs=known.costs,
        code=known.code,
        peaks=tuple(peak for peak in peaks if peak is not None),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        form=pair.form,
    )
    stored_baseline.save(path, record)
    verdict = judge(sampling, settings)
    missing = ", ".join(metric for metric in COUNTED if metric not in known.costs.figures)
    counts = f"its counts (but for {missing}, which could not be had)" if missing else "its counts"
    note = (
        f"kept in {path}: {counts}, its quality, and a runtime of ×{verdict.ratio:.3f} "
        f"({verdict.low:.3f} to {verdict.high:.3f}) that of {record.reference}, "
        f"{verdict.blocks} blocks; no gate was applied"
    )
    return dataclasses.replace(found, notes=(*found.notes, note))
