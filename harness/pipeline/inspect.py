"""The participant's dry run: whether the entry loads, runs, and costs what it should."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from harness import datasets, weights
from harness.catalog import Candidate
from harness.core.challenge import Protocol
from harness.core.outcome import Failed, failed
from harness.core.record import CountFigures
from harness.core.verdict import Verdict, judge
from harness.launch import machine
from harness.launch.measure import LrImage, Reply, Task, run_trial
from harness.pipeline.plan import counting, declared
from harness.pipeline.progress import Progress, Silent

TRIAL_DATASET = "sample_valid"  # a photograph: some networks give NaN on noise
TRIAL_SIZES = ((64, 64), (61, 47))  # LR height and width: even, and odd
RANGE_SLACK = 0.25  # of the data range that an output may leave it by
Level = Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    check: str
    level: Level
    text: str


@dataclass(frozen=True)
class Inspected:
    """What the dry run found of one entry. `failure` ends it; findings are in order."""

    candidate: Candidate
    weights: str
    findings: tuple[Finding, ...]
    counts: CountFigures | None
    verdict: Verdict | None
    failure: Failed | None
    log: Path


def inspect(
    candidates: Sequence[Candidate],
    *,
    size: tuple[int, int] = (256, 256),
    mode: weights.Mode = "bundled",
    weights_dir: Path | None = None,
    logs: Path,
    progress: Progress | None = None,
) -> tuple[Inspected, ...]:
    """Each candidate in a worker of its own, as many at once as there are cores.

    `size` is the LR height and width of the counts, `logs` the folder that keeps what entries
    print. WeightsError where official weights were asked for and are not at hand.
    """
    progress = progress or Silent()
    progress.stage("Inspecting", len(candidates))
    place = weights.folder(weights_dir)

    def one(candidate: Candidate) -> Inspected:
        found = _inspect(candidate, size, _chosen(candidate, mode, place), logs)
        progress.done(candidate.id)
        return found

    with ThreadPoolExecutor(machine.usable_cores()) as pool:
        return tuple(pool.map(one, candidates))


def _chosen(candidate: Candidate, mode: weights.Mode, place: Path) -> weights.Chosen | None:
    if candidate.submission is None:
        return None
    return weights.choose(candidate.submission, candidate.folder, mode=mode, weights_dir=place)


def _inspect(
    candidate: Candidate, size: tuple[int, int], chosen: weights.Chosen | None, logs: Path
) -> Inspected:
    log = logs / f"{candidate.id}.log"
    if candidate.submission is None or chosen is None:
        failure = failed("manifest", "bad_manifest", "; ".join(candidate.faults))
        return Inspected(candidate, "", (), None, None, failure, log)
    protocol = Protocol()
    load = counting(declared(candidate, candidate.submission, chosen, protocol))
    images = _trial_images(candidate.submission.scale)
    outcome = run_trial(Task(load, protocol, log), images, size)
    if isinstance(outcome, Failed):
        return Inspected(candidate, chosen.kind, (), None, None, outcome, log)
    replies, counted = outcome
    checks = _CHECKS if chosen.path else _CHECKS_OF_SEEDED
    findings = tuple(check(images, replies, load.data_range) for check in checks)
    if isinstance(counted, Failed):
        findings += (Finding("counts", "failed", counted.message),)
        return Inspected(candidate, chosen.kind, findings, None, None, counted, log)
    findings += tuple(Finding("settings", "warning", note) for note in counted.notes)
    verdict = judge(counted.counts)
    return Inspected(candidate, chosen.kind, findings, counted, verdict, None, log)


def _trial_images(scale: int) -> tuple[LrImage, ...]:
    """Crops of one photograph; the first stands twice, to see whether its output is the same."""
    pair = datasets.find(TRIAL_DATASET, data_dir=None, scale=scale).pairs[0]
    photograph = datasets.read_lr(pair, scale=scale)
    crops = [
        LrImage("trial", f"{height}x{width}", np.ascontiguousarray(photograph[:height, :width]))
        for height, width in TRIAL_SIZES
    ]
    return (crops[0], replace(crops[0], image="again"), *crops[1:])


def _sizes(images: Sequence[LrImage], replies: Sequence[Reply], data_range: float) -> Finding:  # noqa: ARG001 - every check takes the same
    text = ", ".join(
        f"{image.pixels.shape[0]}x{image.pixels.shape[1]} -> "
        f"{reply.output.height}x{reply.output.width}"
        for image, reply in zip(images, replies, strict=True)
        if image.image != "again"
    )
    return Finding("output size", "ok", text)


def _type(images: Sequence[LrImage], replies: Sequence[Reply], data_range: float) -> Finding:  # noqa: ARG001
    return Finding("output dtype", "ok", replies[0].output.dtype)


def _range(images: Sequence[LrImage], replies: Sequence[Reply], data_range: float) -> Finding:  # noqa: ARG001
    low = min(reply.output.low for reply in replies)
    high = max(reply.output.high for reply in replies)
    text = f"{low:.3g} to {high:.3g}, declared 0 to {data_range:g}"
    slack = RANGE_SLACK * data_range
    if low < -slack or high > data_range + slack:
        return Finding("output range", "warning", f"{text}: much of it will be clipped")
    if high < data_range / 50:
        return Finding("output range", "warning", f"{text}: is data_range right?")
    return Finding("output range", "ok", text)


def _determinism(images: Sequence[LrImage], replies: Sequence[Reply], data_range: float) -> Finding:  # noqa: ARG001
    first, second = replies[0].pixels, replies[1].pixels
    if np.array_equal(first, second):
        return Finding("determinism", "ok", "the same output twice for the same image")
    apart = int(np.abs(first.astype(np.int16) - second).max())
    text = f"the same image came out differently, by up to {apart} of 255"
    return Finding("determinism", "failed" if apart > 1 else "warning", text)


_Check = Callable[[Sequence[LrImage], Sequence[Reply], float], Finding]
_CHECKS_OF_SEEDED: tuple[_Check, ...] = (_sizes, _type, _determinism)  # random output has any range
_CHECKS = (*_CHECKS_OF_SEEDED, _range)
