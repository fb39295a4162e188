"""Pictures of rounds that were measured by an earlier run, which kept none or was killed."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.record import RoundFigures
from harness.measure.jobs import Job
from harness.pictures.keeper import Keeper
from harness.usecases.run_rounds import RunContext


def complete(context: RunContext, firsts: Sequence[Job], keeper: Keeper) -> None:
    """Make what is missing of the first rounds' pictures, without measuring anything again.

    What can't be made, or comes out otherwise than it was scored, is told and left out.
    """
    for job in firsts:
        record = context.known(job.entry, context.executor.key(job))
        if record is None or not isinstance(record.outcome, RoundFigures):
            continue
        missing = tuple(keeper.missing(record.outcome.scores))
        if not missing:
            continue
        context.progress.step(f"pictures of {job.entry}, which were not kept when it was measured")
        for line in context.executor.show(job, missing):
            context.progress.warn(f"{job.entry}: no picture is kept: {line}")
