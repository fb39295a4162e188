"""The participant's dry run: whether the entry loads, runs, and costs what it should."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from harness.audits.outputs import came_differently, levels_apart
from harness.core.challenge import TimingProtocol
from harness.core.counter_registry import HOOKS
from harness.core.model_counts import BeforeDeploy, CountVerdict
from harness.core.outcome import Failed
from harness.core.progress import SILENT, Progress
from harness.core.record import CountFigures
from harness.counts.fusing import comparison, fused_itself, suspicion
from harness.counts.routing import routed
from harness.counts.verdict import judge
from harness.datasets.dataset import read_lr
from harness.datasets.find import find
from harness.entries import weights
from harness.entries.catalogue import Entry, Rejected
from harness.machine import environment
from harness.measure import loads
from harness.measure.captures import Capturing, as_graph
from harness.measure.conversion import Conversion
from harness.measure.loads import Contender
from harness.measure.session import LrImage, OutputReply, Task
from harness.measure.tasks import run_count, run_dry
from harness.measure.worker_group import concurrently
from harness.sandbox.isolation import SandboxMode, choose
from harness.wire.messages import Load

TRIAL_DATASET = "sample_valid"  # a photograph: some networks give NaN on noise
TRIAL_SIZES = ((48, 48), (37, 29))  # LR height and width: even, and odd
ROUTED_AT = (0, 20, 40, 60)  # LR pixels: places of crops that look different
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
    """What the dry run found of one entry. `failure` ends it; findings are in order."""

    candidate: Entry | Rejected
    weights: str
    findings: tuple[InspectFinding, ...]
    counts: CountFigures | None
    verdict: CountVerdict | None  # None though there are counts: one counter alone was asked
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
    progress: Progress = SILENT,
) -> tuple[Inspected, ...]:
    """Each candidate in a worker of its own, as many at once as there are cores.

    `size` is the LR height and width of the counts, `logs` the folder that keeps what entries
    print. Entries of an official checkout are counted in the convention of NTIRE 2022 alone,
    unless `full` asks for every counter and a verdict. BadInput where a sandbox is required and
    does not work here, for a size that is none, and where official weights were asked for and are
    not at hand.
    """
    loads.refuse_size("size", size)
    isolation = choose(sandbox, hidden=(logs,))
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
            if found.failure is None and not quick:
                captured = tuple(_captured(ready, task, size))
                found = replace(found, findings=(*found.findings, *captured))
        progress.done(candidate.id)
        return replace(found, isolation=isolation.confinement.name)

    return tuple(concurrently(one, candidates, workers=environment.usable_cores()))


def _inspect(
    entry: Entry, chosen: weights.ChosenWeights, task: Task, size: tuple[int, int]
) -> Inspected:
    ended = functools.partial(Inspected, entry, counts=None, verdict=None, log=task.log)
    images = trial_images(entry.submission.scale)
    alike = crops_of_photograph(entry.submission.scale, (TRIAL_SIZES[0],), ROUTED_AT)
    outcome = run_dry(task, images, alike, size)
    if isinstance(outcome, Failed):
        return ended(chosen.kind, (), failure=outcome)
    replies, counted = outcome.replies, outcome.counted
    first = next((it for it in replies[:2] if isinstance(it, Failed)), None)
    if first is not None and entry.form == "entry":
        return ended(chosen.kind, (), failure=first)
    # an entry of a checkout is not held to small images, but to some
    lost = first if all(isinstance(it, Failed) for it in replies) else None
    kind: str = chosen.kind
    if not isinstance(counted, Failed):  # the load found whose weights ran
        # a model without parameters is whole without a file
        whole = "own" if chosen.kind == "seeded" else chosen.kind
        kind = "seeded" if counted.untrained else whole
    found = [
        *_given(entry, task.load),
        *_findings(images, replies, task.load, seeded=kind == "seeded"),
    ]
    if isinstance(counted, Failed):
        found.append(InspectFinding("counts", "failed", counted.message))
        return ended(kind, tuple(found), failure=counted)
    found += (InspectFinding("load and settings", "warning", note) for note in counted.notes)
    if dear := routed(outcome.costs, TRIAL_SIZES[0]):
        found.append(InspectFinding("counts", "warning", dear))
    if outcome.params > counted.counts.params:  # the forwards before the count have done it
        shrunk = fused_itself(outcome.params, counted.counts.params)
        found.append(InspectFinding("counts", "warning", shrunk))
    found += (InspectFinding("counts", "ok", note) for note in counted.counts.notes)
    unfused = counted.counts.unfused
    if unfused is not None:
        found.append(_deploy(unfused))
    verdict = None if task.quick else judge(counted.counts)
    return Inspected(entry, kind, tuple(found), counted, verdict, lost, task.log)


def _captured(ready: Contender, task: Task, size: tuple[int, int]) -> Iterator[InspectFinding]:
    """Whether a run would measure the network without a line of the entry's code, and its counts:
    those are the table's, and code may have counted something else.
    """
    images = trial_images(ready.entry.submission.scale)
    with tempfile.TemporaryDirectory() as folder:
        capturing = Capturing(
            sizes=TRIAL_SIZES,
            count=size,
            folder=Path(folder),
            logs=task.log.parent,
            protocol=task.protocol,
            confinement=task.confinement,
        )
        graph = as_graph(ready, capturing, images)
        known = graph.captured
        if known.as_code:
            yield InspectFinding(
                "capture", "warning", f"would be measured as code: {known.as_code}"
            )
            return
        sizes = f"one for each of {known.graphs} sizes" if known.graphs else "one for every size"
        yield InspectFinding("capture", "ok", f"captured as a graph, {sizes}")
        yield _of_graph(run_count(replace(task, load=loads.counting(graph.load)), *size))


def _of_graph(counted: CountFigures | Failed) -> InspectFinding:
    if isinstance(counted, Failed):
        return InspectFinding("counts of the graph", "failed", counted.message)
    verdict = judge(counted.counts)
    hooks = counted.counts.counter(HOOKS)
    macs = f"{hooks.macs:,}" if hooks and hooks.macs is not None else "no"
    text = f"{counted.counts.params:,} parameters and {macs} multiply-adds, {verdict.level}"
    level: InspectLevel = "ok" if verdict.level == "verified" else "warning"
    return InspectFinding("counts of the graph", level, ": ".join([text, *verdict.reasons]))


def _deploy(unfused: BeforeDeploy) -> InspectFinding:
    doubt = suspicion(unfused)
    return InspectFinding("deploy", "warning" if doubt else "ok", doubt or comparison(unfused))


def trial_images(scale: int) -> tuple[LrImage, ...]:
    """The first stands twice, to see whether its output is the same."""
    crops = crops_of_photograph(scale, TRIAL_SIZES)
    return (crops[0], *crops)


@functools.cache
def crops_of_photograph(
    scale: int, sizes: tuple[tuple[int, int], ...], places: tuple[int, ...] = (0,)
) -> tuple[LrImage, ...]:
    """Crops of one photograph, of LR heights and widths, at places down its diagonal."""
    pair = find(TRIAL_DATASET, data_dir=None, scale=scale).pairs[0]
    photograph = read_lr(pair, scale=scale)
    return tuple(
        LrImage(
            "trial",
            f"{height}x{width}",
            np.ascontiguousarray(photograph[place : place + height, place : place + width]),
        )
        for height, width in sizes
        for place in places
    )


def _given(entry: Entry, load: Load) -> Iterator[InspectFinding]:
    """What the model is given, where that is no LR image, and which packages of its own."""
    if entry.lock:
        own = ", ".join(f"{it.name} {it.version}" for it in entry.lock.packages)
        yield InspectFinding("packages", "ok", own or "all of them are the harness's own")
    if note := Conversion.of(load).note:
        yield InspectFinding("input", "ok", note)


def _findings(
    images: Sequence[LrImage],
    replies: Sequence[OutputReply | Failed],
    load: Load,
    *,
    seeded: bool,
) -> Iterator[InspectFinding]:
    """What the outputs tell. Seeded weights may give any range."""
    for image, reply in zip(images[1:], replies[1:], strict=True):
        check = f"LR {image.pixels.shape[0]}x{image.pixels.shape[1]}"
        if isinstance(reply, Failed):
            yield InspectFinding(check, "failed", f"{reply.reason}: {reply.message}")
        else:
            size = f"{reply.output.height}x{reply.output.width}"
            yield InspectFinding(check, "ok", f"gives {size}")
    good = [reply for reply in replies if isinstance(reply, OutputReply)]
    if good:
        yield InspectFinding("output dtype", "ok", good[0].output.dtype)
    one, other = replies[:2]
    if isinstance(one, OutputReply) and isinstance(other, OutputReply):
        yield _determinism(one, other)
    if good and not seeded:
        yield _range(good, load.black, load.data_range)


def _range(replies: Sequence[OutputReply], black: float, white: float) -> InspectFinding:
    low = min(reply.output.low for reply in replies)
    high = max(reply.output.high for reply in replies)
    slack = RANGE_SLACK * (white - black)
    doubt = ": is data_range right?" if high < black + (white - black) / 50 else ""
    if low < black - slack or high > white + slack:
        doubt = ": much of it will be clipped"
    text = f"{low:.3g} to {high:.3g}, declared {black:g} to {white:g}{doubt}"
    return InspectFinding("output range", "warning" if doubt else "ok", text)


def _determinism(one: OutputReply, other: OutputReply) -> InspectFinding:
    apart = levels_apart(one.pixels, other.pixels)
    if not apart:
        return InspectFinding("determinism", "ok", "the same output twice for the same image")
    level: InspectLevel = "failed" if apart > 1 else "warning"
    return InspectFinding("determinism", level, came_differently(apart))
