"""What both sides of a check are measured as: the graphs captured from them, or their code."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from harness.core.challenge import TimingProtocol
from harness.core.outcome import BadInput
from harness.gate.baseline import Baseline
from harness.gate.blocks import Arm
from harness.gate.pair import CheckPair, CheckRequest
from harness.machine import environment as machine
from harness.measure.captures import Capturing, as_graph
from harness.measure.loads import Contender
from harness.measure.worker_group import concurrently

AS_GRAPHS = (
    "both sides were measured as the graphs captured from them, which hold no Python: what only "
    "their code costs is not in these figures, but in those of --capture off"
)
SAME_GRAPH = (
    "the graphs captured from both sides are the same, so only their code can differ: that was "
    "measured"
)


def refuse_form(request: CheckRequest, base: Baseline) -> None:
    """BadInput for a record of the form that the request rules out."""
    if base.stored is None:
        return
    refused, said = ("off", "a graph") if base.stored.form == "graph" else ("required", "code")
    if request.capture == refused:
        raise BadInput(
            f"{base.path} was measured as {said}: save it again, or leave out "
            f"--capture {request.capture}"
        )


def as_measured(request: CheckRequest, pair: CheckPair, folder: Path) -> CheckPair | str:
    """Both sides as graphs, or both as code, with a note; or why they can't be what was asked for.

    `folder` keeps the graphs. Sides of one graph could only be found to be equal, so it is their
    code that is measured, unless a graph is required, or compared with another day's.
    """
    then = pair.baseline.stored
    if request.capture == "off":
        return pair
    if then is not None and then.form == "code":
        return _as_code(pair, f"{pair.baseline.name} did")
    return _in_form(request, pair, *_captured(request, pair, folder))


def _in_form(
    request: CheckRequest, pair: CheckPair, old: Contender, new: Contender
) -> CheckPair | str:
    """The pair in the form that what was captured of its sides allows."""
    then = pair.baseline.stored
    faults = [
        f"{pair.names[arm]} could not be captured ({side.captured.as_code})"
        for arm, side in ((Arm.BASELINE, old), (Arm.CANDIDATE, new))
        if side.captured.as_code
    ]
    if faults:
        why = "; ".join(faults)
        if then is not None:
            return f"{why}, and {pair.baseline.name} was measured as a graph"
        return f"{why}, as is required" if request.capture == "required" else _as_code(pair, why)
    lone = request.capture == "preferred" and then is None and request.save is None
    if lone and old.load == new.load:
        return dataclasses.replace(pair, notes=(*pair.notes, SAME_GRAPH))
    sides = {Arm.BASELINE: old, Arm.CONTROL: old, Arm.CANDIDATE: new}
    codes = {arm: pair.sides[arm].load for arm in (Arm.BASELINE, Arm.CANDIDATE)}
    notes = (*pair.notes, AS_GRAPHS)
    return dataclasses.replace(pair, sides=sides, form="graph", notes=notes, codes=codes)


def _as_code(pair: CheckPair, why: str) -> CheckPair:
    note = f"both sides run as code: {why}"
    return dataclasses.replace(pair, notes=(*pair.notes, note))


def _captured(request: CheckRequest, pair: CheckPair, folder: Path) -> list[Contender]:
    """The baseline and the candidate, each as its graph if it has one."""

    def one(arm: Arm) -> Contender:
        capturing = Capturing(
            sizes=(request.lr_size,),
            count=request.complexity,
            folder=folder,
            logs=request.logs / pair.candidate.id / arm,
            protocol=TimingProtocol(threads=request.threads),
            confinement=pair.confinement,
        )
        return as_graph(pair.sides[arm], capturing, tuple(crop.lr for crop in pair.inputs))

    return concurrently(one, (Arm.BASELINE, Arm.CANDIDATE), workers=machine.usable_cores())
