"""One worker's life: load, warm up, time, collect. Nothing else runs here during a forward."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from harness.core.outcome import Failed
from harness.core.record import CountFigures
from harness.measure.answer_validation import told_notes
from harness.measure.session import (
    LrImage,
    OutputReply,
    Session,
    Task,
    refuse_negative,
)
from harness.measure.worker_process import WorkerFailed, WorkerProcess
from harness.wire.codec import PAYLOAD_CAP
from harness.wire.messages import Convert, Converted, Ready

R = TypeVar("R")
ENDING = ("timeout", "exited", "killed", "protocol")  # reasons after which a worker is of no use


@dataclass(frozen=True)
class Exports:
    """A loaded model in figures and files: how it loaded, its weights, and what became of images.

    Some models refuse some sizes.
    """

    ready: Ready
    weights: bytes  # a safetensors file; never read on this side
    replies: tuple[OutputReply | Failed, ...]


def run_count(
    task: Task, height: int, width: int, sizes: tuple[tuple[int, int], ...] = ()
) -> CountFigures | Failed:
    """Count the model at a 3 x height x width LR input; see `Session.count`."""
    return ask_worker(task, lambda session: session.count(height, width, sizes))


def run_outputs(
    task: Task, images: tuple[LrImage, ...]
) -> tuple[OutputReply | Failed, ...] | Failed:
    """Outputs of `images`, of one process."""
    return ask_worker(task, lambda session: outputs(session, images))


def outputs(
    session: Session, images: tuple[LrImage, ...]
) -> tuple[OutputReply | Failed, ...] | Failed:
    """Outputs of `images`, or why the worker has come to its end.

    A submission that raises for one image may still manage the next, so each has its own outcome.
    """
    try:
        return tuple(tried(session.reply, image) for image in images)
    except WorkerFailed as failure:
        return failure.failure


def run_trial(
    task: Task, images: tuple[LrImage, ...], size: tuple[int, int]
) -> tuple[tuple[OutputReply | Failed, ...], CountFigures | Failed] | Failed:
    """As `run_outputs`, and the counts at `size`, of one process."""
    return ask_worker(
        task,
        lambda session: (
            tuple(tried(session.reply, image) for image in images),
            tried(session.count, *size),
        ),
    )


@dataclass(frozen=True)
class DryRun:
    """What the participant's dry run sees; `costs` are multiply-adds of images of one size.

    `params` are those of the model before its first forward.
    """

    params: int
    replies: tuple[OutputReply | Failed, ...]
    costs: tuple[int, ...]
    counted: CountFigures | Failed


def run_dry(
    task: Task, images: tuple[LrImage, ...], alike: tuple[LrImage, ...], size: tuple[int, int]
) -> DryRun | Failed:
    """Outputs of `images`, what those of one size cost, and the counts at `size`."""

    def dry(session: Session) -> DryRun:
        replies = tuple(tried(session.reply, image) for image in images)
        watched = [tried(session.observe, image) for image in alike]
        costs = tuple(it.macs for it in watched if not isinstance(it, Failed))
        return DryRun(session.ready.params, replies, costs, tried(session.count, *size))

    return ask_worker(task, dry)


def run_export(task: Task, images: tuple[LrImage, ...]) -> Exports | Failed:
    """The weights of a model as it stands after its load, and what it makes of `images`.

    In this order: some models fuse themselves in their first forward.
    """

    def export(session: Session) -> Exports:
        weights = session.export()
        replies = tuple(tried(session.reply, image) for image in images)
        return Exports(session.ready, weights, replies)

    return ask_worker(task, export)


def run_conversion(task: Task, request: Convert) -> tuple[Converted, bytes] | Failed:
    """The tensors of a file that the task's worker may read: a safetensors file."""
    try:
        with spawned(task) as worker:
            limit = task.protocol.start_deadline_s + task.protocol.load_deadline_s
            answer, payload = worker.ask(
                request, Converted, stage="load", deadline_s=limit, payload_cap=PAYLOAD_CAP
            )
            return replace(answer, notes=told_notes(answer.notes)), bytes(payload)
    except WorkerFailed as failure:
        return failure.failure


def ask_worker(task: Task, ask: Callable[[Session], R]) -> R | Failed:
    """What `ask` gets of a fresh worker, or why it gets nothing."""
    try:
        with started(task) as session:
            return ask(session)
    except WorkerFailed as failure:
        return failure.failure


def tried(step: Callable[..., R], *arguments: object) -> R | Failed:
    """A step's value, or its failure as long as the process is there for another step."""
    try:
        return step(*arguments)
    except WorkerFailed as failure:
        if failure.failure.reason in ENDING:
            raise
        return failure.failure


def spawned(task: Task) -> WorkerProcess:
    """A worker that has been started and told nothing; a context manager."""
    load = task.load
    return WorkerProcess(
        task.log,
        threads=load.threads,
        readable=tuple(map(Path, filter(None, (load.folder, load.weights, load.packages)))),
        packages=load.packages,
        confinement=task.confinement,
    )


def loaded(worker: WorkerProcess, task: Task, began: float) -> Session:
    """The session of a worker that was spawned at `began` and loads its model now."""
    limit = task.protocol.start_deadline_s + task.protocol.load_deadline_s
    ready, _ = worker.ask(task.load, Ready, stage="load", deadline_s=limit)
    refuse_negative("load", (ready.params, ready.load_s))
    return Session(worker, task, ready, time.perf_counter() - began)


@contextmanager
def started(task: Task) -> Iterator[Session]:
    """A worker that has loaded its model."""
    began = time.perf_counter()
    with spawned(task) as worker:
        yield loaded(worker, task, began)
