"""Shards made by hand, and folders as a node leaves them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from fakes import audited

from harness.board.store import Store
from harness.core.model_counts import Counts
from harness.core.outcome import failed
from harness.core.record import (
    CountFigures,
    Environment,
    Outcome,
    Phases,
    QualityFigures,
    Record,
    RoundFigures,
)
from harness.core.run import ListedEntry, Run
from harness.machine.environment import fingerprint
from harness.measure.jobs import Job
from harness.measure.shards import NodeSetting, Shard
from harness.rules import rulebook

STABLE = {"cpu": "fast", "device": "cpu", "threads": "1", "isolation": "none", "torch": "2"}
ROUND = RoundFigures(7, 0.1, (), (), None, Phases())
QUALITY = QualityFigures(())
COUNT = CountFigures(Counts(8, 8, 7, 7, 7, ()))
CRASH = failed("forward", "crash", "no")


def environment(node: str = "a" * 12, **changes: str) -> Environment:
    """A machine of one kind, or of another one."""
    stable = STABLE | changes
    return Environment(fingerprint(stable), stable, node=node)


def shard(challenge: Path, *names: str, rounds: int = 2, **changes: Any) -> Shard:
    """A timed shard of these entries, or a probe without any."""
    task = audited.task()
    rules = rulebook.read(str(challenge))
    entries = tuple(ListedEntry(it, "Team", it, "entry", weights="own") for it in names)
    run = Run("s1", "2026-01-01T00:00:00+00:00", rules, entries, environment())
    jobs = tuple(
        Job(
            *(name, kind, number, task.load, name, "w", task.protocol, (8, 8), "ntire", "d"),
            log=Path(f"{kind}-{number}.log"),
        )
        for name in names
        for kind, number in [("count", 0), *(("round", it) for it in range(rounds))]
    )
    return replace(Shard(run, jobs, NodeSetting("cpu", 1, "none"), "d"), **changes)


def record(of: Shard, job: Job, at: Environment, outcome: Outcome | None = None) -> Record:
    """What a node in this environment makes of a job."""
    usual = {"count": COUNT, "round": ROUND, "quality": QUALITY}[job.kind]
    return Record(
        key=job.key(at).key,
        entry=job.entry,
        challenge=of.run.challenge.id,
        job=job.kind,
        round=job.round,
        session=of.run.session,
        started="2026-01-01T00:00:00+00:00",
        environment=at,
        outcome=outcome or usual,
        weights="own",
    )


def measured(of: Shard, folder: Path, at: Environment | None = None) -> Store:
    """The folder of a node that has measured all of a shard."""
    store = Store(folder)
    for job in of.jobs:
        store.save(record(of, job, at or environment()))
    return store
