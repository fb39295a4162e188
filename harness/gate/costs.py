"""What of a check has no noise: counts, and the quality and pixels of the outputs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.core.challenge import TimingProtocol
from harness.core.outcome import Failed
from harness.core.record import CountFigures
from harness.counts.verdict import judge
from harness.gate.blocks import Arm
from harness.gate.counted_costs import of_code, with_counts
from harness.gate.crops import Crop, quality
from harness.gate.gates import Costs
from harness.machine import environment
from harness.measure import loads
from harness.measure.session import LrImage, OutputReply, Task
from harness.measure.tasks import run_count, run_outputs, run_trial
from harness.measure.worker_group import concurrently
from harness.quality.pixels import pixel_digest
from harness.sandbox.confinement import Confinement
from harness.wire.messages import Load


@dataclass(frozen=True)
class SideCosts:
    """A side's figures, and what to know of them.

    `code` is what a forward of its code runs, where the figures are those of its graph.
    """

    costs: Costs
    notes: tuple[str, ...]
    code: Costs | None = None


def costs(
    loads: Mapping[Arm, Load],
    inputs: tuple[Crop, ...],
    *,
    codes: Mapping[Arm, Load],
    size: tuple[int, int],
    logs: Path,
    confinement: Confinement,
) -> dict[Arm, SideCosts | str]:
    """Each side's figures, or why it has none; nothing is timed, so the sides run at once.

    On one thread, where sums are taken in one order: outputs on the device and with the options
    that are timed, counts on the CPU without them. `size` is the LR height and width of the counts.
    `codes` are of the sides whose `loads` are graphs: what nobody needs the result of is in none.
    """
    images = tuple(crop.lr for crop in inputs)

    def one(arm: Arm) -> SideCosts | str:
        load = loads[arm]

        def task(load: Load) -> Task:
            name = f"{arm}-trial.log" if load.form == loads[arm].form else f"{arm}-code.log"
            return Task(load, _protocol(load), logs / name, confinement)

        outcome = _outcome(load, task, images, size)
        if isinstance(outcome, Failed):
            return outcome.told
        replies, counted = outcome
        good = tuple(it.pixels for it in replies if isinstance(it, OutputReply))
        if len(good) < len(replies):
            return next(it.told for it in replies if isinstance(it, Failed))
        scored = quality(good, inputs, load.scale)
        known = Costs(scored, tuple(map(pixel_digest, good)))
        if isinstance(counted, CountFigures):
            known = with_counts(known, counted.counts)
        code = _code(codes[arm], task, size) if arm in codes else None
        return SideCosts(known, _notes(load, counted), code)

    found = concurrently(one, list(loads), workers=environment.usable_cores())
    return dict(zip(loads, found, strict=True))


def _protocol(load: Load) -> TimingProtocol:
    """With time to compile in the first forward."""
    usual = TimingProtocol(threads=1)
    if not load.compile:
        return usual
    deadline_s = usual.forward_deadline_s + usual.load_deadline_s
    return dataclasses.replace(usual, forward_deadline_s=deadline_s)


def _outcome(
    load: Load, task: Callable[[Load], Task], images: tuple[LrImage, ...], size: tuple[int, int]
) -> tuple[tuple[OutputReply | Failed, ...], CountFigures | Failed] | Failed:
    """Outputs as the entry is timed and counts as it is written: one process where that is one."""
    counting = loads.counting(load)
    running = dataclasses.replace(load, threads=1, seeded_if_absent=True)
    if running == counting:
        return run_trial(task(counting), images, size)
    replies = run_outputs(task(running), images)
    return replies if isinstance(replies, Failed) else (replies, run_count(task(counting), *size))


def _code(load: Load, task: Callable[[Load], Task], size: tuple[int, int]) -> Costs:
    return of_code(run_count(task(loads.counting(load)), *size))


def _notes(load: Load, counted: CountFigures | Failed) -> tuple[str, ...]:
    seeded = load.seeded if load.form == "graph" else not load.weights
    notes = ["runs with seeded weights: its quality means nothing"] if seeded else []
    if isinstance(counted, Failed):
        return (*notes, f"not counted: {counted.message}")
    verdict = judge(counted.counts)
    if verdict.level != "verified":
        notes += [f"counts: {reason}" for reason in verdict.reasons]
    return (*notes, *counted.notes)
