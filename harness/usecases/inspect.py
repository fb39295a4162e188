"""The participant's dry run: whether the entry loads, runs, and costs what it should."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from harness.core.challenge import TimingProtocol
from harness.core.model_counts import BeforeDeploy, CountVerdict
from harness.core.outcome import Failed
from harness.core.progress import Progress, Silent
from harness.core.record import CountFigures
from harness.counts.fusing import comparison, suspicion
from harness.counts.verdict import judge
from harness.datasets.dataset import read_lr
from harness.datasets.find import find
from harness.entries import weights
from harness.entries.catalogue import Entry, Rejected
from harness.machine import environment
from harness.measure import loads
from harness.measure.session import LrImage, OutputReply, Task
from harness.measure.tasks import run_trial
from harness.measure.worker_group import concurrently
from harness.sandbox.isolation import SandboxMode, choose

TRIAL_DATASET = "sample_valid"  # a photograph: some networks give NaN on noise
TRIAL_SIZES = ((48, 48), (37, 29))  # LR height and width: even, and odd
RANGE_SLACK = 0.25  # of the data range that an output may leave it by
InspectLevel = Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class InspectFinding:
    """One thing that was looked at."""

    check: str
    level: InspectLevel
    text: str


@dataclass(frozen=True)
class Inspected:
    """What the dry run found of one entry. `failure` ends it; findings are in order.

    Without `verdict` but with counts, one counter alone was asked.
    """

    candidate: Entry | Rejected
    weights: str
    findings: tuple[InspectFinding, ...]
    counts: CountFigures | None
    verdict: CountVerdict | None
    failure: Failed | None
    log: Path
    isolation: str = "none"


def inspect(  # noqa: PLR0913 - one for each option of the command
    candidates: Sequence[Entry | Rejected],
    *,
    size: tuple[int, int] = (256, 256),
    mode: weights.WeightsMode = "bundled",
    weights_dir: Path | None = None,
    logs: Path,
    sandbox: SandboxMode = "auto",
    full: bool = False,
    progress: Progress | None = None,
) -> tuple[Inspected, ...]:
    """Each candidate in a worker of its own, as many at once as there are cores.

    `size` is the LR height and width of the counts, `logs` the folder that keeps what entries
    print. Entries of an official checkout are counted in the convention of NTIRE 2022 alone,
    unless `full` asks for every counter and a verdict. BadInput where a sandbox is required and
    does not work here, for a size that is none, and where official weights were asked for and are
    not at hand.
    """
    loads.refuse_size("size", size)
    progress = progress or Silent()
    isolation = choose(sandbox)
    if isolation.note:
        progress.warn(isolation.note)
    progress.stage("Inspecting", len(candidates))

    def one(candidate: Entry | Rejected) -> Inspected:
        protocol = TimingProtocol()
        ready = loads.contender(candidate, protocol, mode=mode, weights_dir=weights_dir)
        log = logs / f"{candidate.id}.log"
        if isinstance(ready, Rejected):
            found = Inspected(ready, "", (), None, None, ready.failure, log)
        else:
            # counted as it is written, but run as it is declared: the row of a run would fail by
            # either
            load = replace(
                loads.counting(ready.load),
                channels_last=ready.load.channels_last,
                compile=ready.load.compile,
            )
            quick = candidate.form == "ntire" and not full
            task = Task(load, protocol, log, isolation.confinement, quick=quick)
            found = _inspect(ready.entry, ready.weights, task, size)
        progress.done(candidate.id)
        return replace(found, isolation=isolation.confinement.name)

    return tuple(concurrently(one, candidates, workers=environment.usable_cores()))


def _inspect(
    entry: Entry, chosen: weights.ChosenWeights, task: Task, size: tuple[int, int]
) -> Inspected:
    images = trial_images(entry.submission.scale)
    outcome = run_trial(task, images, size)
    if isinstance(outcome, Failed):
        return Inspected(entry, chosen.kind, (), None, None, outcome, task.log)
    replies, counted = outcome
    first = next((it for it in replies[:2] if isinstance(it, Failed)), None)
    if first is not None and entry.form == "entry":
        return Inspected(entry, chosen.kind, (), None, None, first, task.log)
    kind = _kind(chosen, counted)
    findings = _findings(images, replies, task.load.data_range, seeded=kind == "seeded")
    if isinstance(counted, Failed):
        findings += (InspectFinding("counts", "failed", counted.message),)
        return Inspected(entry, kind, findings, None, None, counted, task.log)
    findings += tuple(
        InspectFinding("load and settings", "warning", note) for note in counted.notes
    )
    findings += _deploy(counted.counts.unfused)
    verdict = None if task.quick else judge(counted.counts)
    return Inspected(entry, kind, findings, counted, verdict, None, task.log)


def _kind(chosen: weights.ChosenWeights, counted: CountFigures | Failed) -> str:
    """Whose weights ran, as the load found: a model without parameters is whole without a file."""
    if isinstance(counted, Failed):
        return chosen.kind
    if counted.untrained:
        return "seeded"
    return "own" if chosen.kind == "seeded" else chosen.kind


def _deploy(unfused: BeforeDeploy | None) -> tuple[InspectFinding, ...]:
    if unfused is None:
        return ()
    doubt = suspicion(unfused)
    level: InspectLevel = "warning" if doubt else "ok"
    return (InspectFinding("deploy", level, doubt or comparison(unfused)),)


@functools.cache
def trial_images(scale: int) -> tuple[LrImage, ...]:
    """Crops of one photograph; the first stands twice, to see whether its output is the same."""
    pair = find(TRIAL_DATASET, data_dir=None, scale=scale).pairs[0]
    photograph = read_lr(pair, scale=scale)
    crops = [
        LrImage("trial", f"{height}x{width}", np.ascontiguousarray(photograph[:height, :width]))
        for height, width in TRIAL_SIZES
    ]
    return (crops[0], *crops)


def _findings(
    images: Sequence[LrImage],
    replies: Sequence[OutputReply | Failed],
    data_range: float,
    *,
    seeded: bool,
) -> tuple[InspectFinding, ...]:
    """What the outputs tell. Seeded weights may give any range."""
    good = [reply for reply in replies if isinstance(reply, OutputReply)]
    sizes = map(_size, images[1:], replies[1:])
    if not good:
        return tuple(sizes)
    dtype = InspectFinding("output dtype", "ok", good[0].output.dtype)
    twice = [reply for reply in replies[:2] if isinstance(reply, OutputReply)]
    determinism = (_determinism(twice[0], twice[1]),) if len(twice) == 2 else ()
    spread = () if seeded else (_range(good, data_range),)
    return (*sizes, dtype, *determinism, *spread)


def _size(image: LrImage, reply: OutputReply | Failed) -> InspectFinding:
    height, width, _ = image.pixels.shape
    check = f"LR {height}x{width}"
    if isinstance(reply, Failed):
        return InspectFinding(check, "failed", f"{reply.reason}: {reply.message}")
    return InspectFinding(check, "ok", f"gives {reply.output.height}x{reply.output.width}")


def _range(replies: Sequence[OutputReply], data_range: float) -> InspectFinding:
    low = min(reply.output.low for reply in replies)
    high = max(reply.output.high for reply in replies)
    text = f"{low:.3g} to {high:.3g}, declared 0 to {data_range:g}"
    slack = RANGE_SLACK * data_range
    if low < -slack or high > data_range + slack:
        return InspectFinding("output range", "warning", f"{text}: much of it will be clipped")
    if high < data_range / 50:
        return InspectFinding("output range", "warning", f"{text}: is data_range right?")
    return InspectFinding("output range", "ok", text)


def _determinism(one: OutputReply, other: OutputReply) -> InspectFinding:
    if np.array_equal(one.pixels, other.pixels):
        return InspectFinding("determinism", "ok", "the same output twice for the same image")
    apart = int(np.abs(one.pixels.astype(np.int16) - other.pixels).max())
    text = f"the same image came out differently, by up to {apart} of 255"
    return InspectFinding("determinism", "failed" if apart > 1 else "warning", text)
