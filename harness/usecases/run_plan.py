"""A run made ready to be measured: its rows and their jobs listed on disk, its floor scored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from harness.board.build import save_run
from harness.board.store import Store
from harness.core.record import FloorFigures
from harness.core.run import FLOOR_ID, ListedEntry, Run
from harness.entries.catalogue import Rejected
from harness.measure.jobs import Executor, Job, JobResult, beside, floor_key, jobs, listed
from harness.measure.loads import Contender
from harness.measure.local_executor import LocalExecutor
from harness.measure.run_images import floor
from harness.usecases.run_rounds import RunContext, base_of, sharers

Contenders = Sequence[Contender | Rejected]


def ready(
    run: Run,
    contenders: Contenders,
    executor: LocalExecutor,
    store: Store,
    *,
    fresh: bool,
    timed: bool = True,
) -> tuple[RunContext, tuple[tuple[Job, ...], ...]]:
    """The run with its rows as it is kept from now on, and the jobs of each that is measured.

    The baseline comes first, so that of rows of one graph it is the one that is measured.
    """
    folder, images, challenge = store.folder.parent, executor.images, run.challenge
    made = (
        jobs(it, challenge, data=images.digest, logs=folder / "logs", timed=timed)
        for it in contenders
        if isinstance(it, Contender)
    )
    planned = {its[0].entry: its for its in made}
    planned = beside(base_of(challenge, planned), planned)
    bicubic = floor_key(challenge, images.digest)
    floor_row = ListedEntry(FLOOR_ID, "", "Bicubic (MATLAB)", "floor", jobs=(bicubic,))
    has_floor = challenge.show_floor and executor.scorer.has_truth
    rows = (*_listed(contenders, planned, executor), *([floor_row] if has_floor else []))
    run = replace(run, entries=rows)
    base = base_of(challenge, planned)
    sharing = sharers(executor, sorted(planned.values(), key=lambda its: its[0].entry != base))
    context = RunContext(run, executor, store, fresh, executor.progress, sharing)
    save_run(folder, run)
    if has_floor and context.known(FLOOR_ID, bicubic) is None:
        scores = FloorFigures(floor(challenge, images, executor.scorer))
        context.save(FLOOR_ID, bicubic, JobResult(scores, run.environment))
    return context, tuple(planned[entry] for entry in sharing)


def _listed(
    contenders: Contenders, planned: Mapping[str, tuple[Job, ...]], executor: Executor
) -> Iterator[ListedEntry]:
    for it in contenders:
        its = () if isinstance(it, Rejected) else planned[it.entry.id]
        yield listed(it, tuple(map(executor.key, its)))
