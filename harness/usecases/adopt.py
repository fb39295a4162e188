"""Entries of an official checkout written as submissions, each proved by running both."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.core.challenge import TimingProtocol
from harness.core.outcome import BadInput, Failed, failed
from harness.core.progress import SILENT, Progress
from harness.documents.atomic import WriteError
from harness.entries import checkouts, weights
from harness.entries.catalogue import Entry, Rejected, read_folder
from harness.entries.checkouts import adoption as folders
from harness.machine import environment
from harness.measure import loads
from harness.measure.session import OutputReply, Task
from harness.measure.tasks import Exports, run_export
from harness.measure.worker_group import concurrently
from harness.sandbox.confinement import Confinement
from harness.sandbox.isolation import SandboxMode, choose
from harness.usecases.inspect import crops_of_photograph

PROOF_SIZES = ((48, 48), (37, 29), (64, 96), (81, 67))
"""LR heights and widths at which a folder must give the checkout's output: some pad, some cut."""


@dataclass(frozen=True)
class Adopted:
    """An id of the checkout and the folder that it became, or why it did not."""

    candidate: Entry | Rejected
    folder: Path
    isolation: str  # what confined the workers
    failure: Failed | None = None
    notes: tuple[str, ...] = ()


def adopt(
    checkout: Path,
    ids: Sequence[int],
    *,
    to: Path,
    logs: Path,
    requirements: Path | None = None,
    sandbox: SandboxMode = "auto",
    progress: Progress = SILENT,
) -> tuple[Adopted, ...]:
    """Write each id as a folder under `to`. A folder stays only if it gives the checkout's output.

    It has the packages of the file of `requirements`, with their lock. Raises BadInput for what is
    no checkout, where the packages can't be had, and where a sandbox is required and does not work
    here, WriteError where `to` can't be written. What goes wrong with one entry is its `failure`.
    """
    candidates = checkouts.candidates(checkout, ids, requirements)
    isolation = choose(sandbox, hidden=(logs,))
    if isolation.note:
        progress.warn(isolation.note)
    progress.stage("Adopting", len(candidates))

    def one(candidate: Entry | Rejected) -> Adopted:
        folder = to / candidate.id
        outcome = _adopted(candidate, folder, logs, isolation.confinement)
        progress.done(candidate.id)
        workers = isolation.confinement.name
        if isinstance(outcome, Failed):
            return Adopted(candidate, folder, workers, outcome)
        return Adopted(candidate, folder, workers, notes=outcome)

    return tuple(concurrently(one, candidates, workers=environment.usable_cores()))


def _adopted(
    candidate: Entry | Rejected, folder: Path, logs: Path, confinement: Confinement
) -> tuple[str, ...] | Failed:
    if isinstance(candidate, Rejected):
        return failed("manifest", "bad_manifest", "; ".join(candidate.faults))
    there = _run(candidate, logs / f"{candidate.id}.log", confinement)
    if isinstance(there, Failed):
        return there
    ready = there.ready
    facts = folders.Facts(
        ready.files,
        there.weights,
        ready.data_range,
        ready.tile,
        ready.tile_overlap,
        ready.precision,
    )
    try:
        folders.write(candidate, facts, folder)
    except BadInput as error:
        return failed("manifest", "bad_manifest", str(error))
    except WriteError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    fault = _unlike(there, folder, logs / f"{candidate.id}_adopted.log", confinement)
    if fault is not None:
        shutil.rmtree(folder, ignore_errors=True)
        return fault
    return ready.notes


def _unlike(there: Exports, folder: Path, log: Path, confinement: Confinement) -> Failed | None:
    """Why the folder does not do what the entry does in its checkout, None if it does."""
    (candidate,) = read_folder(folder)
    if isinstance(candidate, Rejected):
        return failed("manifest", "bad_manifest", "; ".join(candidate.faults))
    here = _run(candidate, log, confinement)
    if isinstance(here, Failed):
        text = f"scored with --ntire only, as a folder of its own it fails: {here.message}"
        return failed(here.stage, here.reason, text)
    pairs = zip(PROOF_SIZES, there.replies, here.replies, strict=True)
    for (height, width), one, other in pairs:
        if not _alike(one, other):
            text = (
                "scored with --ntire only, as a folder of its own it gives another image of "
                f"{height}x{width} LR pixels"
            )
            return failed("collect", "unstable_output", text)
    return None


def _alike(one: OutputReply | Failed, other: OutputReply | Failed) -> bool:
    """The same pixels, or no image of either: a size may be refused, but then by both."""
    if isinstance(one, Failed) or isinstance(other, Failed):
        return isinstance(one, Failed) and isinstance(other, Failed)
    return np.array_equal(one.pixels, other.pixels)


def _run(entry: Entry, log: Path, confinement: Confinement) -> Exports | Failed:
    """What becomes of an entry; an image at least."""
    protocol = TimingProtocol(threads=1)
    load = loads.declared(entry, weights.choose(entry), protocol)
    images = crops_of_photograph(entry.submission.scale, PROOF_SIZES)
    exports = run_export(Task(load, protocol, log, confinement), images)
    if isinstance(exports, Failed):
        return exports
    refused = [it for it in exports.replies if isinstance(it, Failed)]
    return refused[0] if len(refused) == len(images) else exports
