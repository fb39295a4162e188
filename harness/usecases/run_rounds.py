"""The jobs of a run: those that have no record yet, counts first, then rounds in blocks."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from harness.board.store import Store
from harness.core.challenge import Challenge
from harness.core.leaderboard import counts_of, rounds_of
from harness.core.model_counts import Counts
from harness.core.outcome import Failed
from harness.core.progress import Progress
from harness.core.record import ImageScore, Record, RoundFigures
from harness.core.run import JobKey, Run
from harness.machine import environment as machine
from harness.measure.jobs import Executor, Job, JobResult
from harness.measure.worker_group import concurrently

# failures that are the entry's own for certain; any other may have been the moment's, or that of
# a package that is installed by now, and is tried again by the next run
LASTING = ("bad_weights", "wrong_output", "non_finite", "unstable_output")


@dataclass(frozen=True)
class RunContext:
    """What the jobs of a run share: who runs them, and where their records are."""

    run: Run
    executor: Executor
    store: Store
    fresh: bool
    progress: Progress
    sharing: Mapping[str, Sequence[str]]  # see `sharers`

    @property
    def base(self) -> str:
        """The entry that every block holds, or the one that is measured for it; "" without any."""
        measured = {name: first for first, others in self.sharing.items() for name in others}
        base = base_of(self.run.challenge, (*self.sharing, *measured))
        return measured.get(base, base)

    def known(self, entry: str, key: JobKey) -> Record | None:
        """The record of a job, unless it is to be taken again."""
        record = self.store.take(entry, key.job, key.round, key.key)
        if record is None or record.session == self.run.session:
            return record
        lasting = not isinstance(record.outcome, Failed) or record.outcome.reason in LASTING
        return record if lasting and not self.fresh else None

    def counts(self, count: Job) -> Counts | None:
        """What a count came to, if it has been done."""
        record = self.known(count.entry, self.executor.key(count))
        return None if record is None else counts_of((record,))

    def save(self, entry: str, key: JobKey, result: JobResult) -> Record:
        """Keep what came of a job."""
        weights = {listed.id: listed.weights for listed in self.run.entries}
        record = Record(
            key=key.key,
            entry=entry,
            challenge=self.run.challenge.id,
            job=key.job,
            round=key.round,
            session=self.run.session,
            started=now(),
            environment=result.environment,
            outcome=result.outcome,
            weights=weights[entry],
        )
        self.store.save(record)
        return record

    def share(self, record: Record) -> None:
        """Keep the record for entries of the same graph too, where they have none of their own."""
        weights = {listed.id: listed.weights for listed in self.run.entries}
        outcome = record.outcome
        if isinstance(outcome, RoundFigures):
            note = f"measured once with {record.entry}, whose graph is the same"
            outcome = replace(outcome, notes=(*outcome.notes, note))
        for other in self.sharing[record.entry]:
            if self.known(other, JobKey(record.job, record.round, record.key)) is None:
                self.store.save(
                    replace(record, entry=other, weights=weights[other], outcome=outcome)
                )


def base_of(challenge: Challenge, names: Collection[str]) -> str:
    """The challenge's baseline, else its first reference; "" where neither is among `names`."""
    return next((it for it in (challenge.baseline, *challenge.references) if it in names), "")


def measure(context: RunContext, planned: Sequence[tuple[Job, ...]]) -> None:
    """Every job that has no record yet: the counts, then round after round in blocks of entries.

    Or, where nothing is timed, the scores.
    """
    count_all(context, planned)
    if any(job.kind == "quality" for its in planned for job in its):
        score_all(context, planned)
    else:
        time_all(context, planned)


def count_all(context: RunContext, planned: Sequence[tuple[Job, ...]]) -> None:
    """The counts, as many at once as there are cores, on one thread each: nothing is timed."""
    counts = [its[0] for its in planned]
    _at_once(context, "Counting", counts, context.executor.count, machine.usable_cores())


def score_all(context: RunContext, planned: Sequence[tuple[Job, ...]]) -> None:
    """The outputs' quality, as many processes at once as the cores have threads for."""
    jobs = [its[-1] for its in planned]
    at_once = machine.usable_cores() // max(context.run.challenge.protocol.threads, 1)
    on_gpu = any(job.load.device == "cuda" for job in jobs)
    _at_once(context, "Scoring", jobs, context.executor.score, 1 if on_gpu else max(at_once, 1))


def _at_once(
    context: RunContext,
    title: str,
    jobs: Sequence[Job],
    run: Callable[[Job], JobResult],
    workers: int,
) -> None:
    context.progress.stage(title, len(jobs))

    def one(job: Job) -> None:
        key = context.executor.key(job)
        record = context.known(job.entry, key)
        if record is None:
            record = context.save(job.entry, key, run(job))
        context.share(record)
        context.progress.done()

    concurrently(one, jobs, workers=workers)


def time_all(context: RunContext, planned: Sequence[tuple[Job, ...]]) -> None:
    """Round after round in blocks of entries."""
    rounds = context.run.challenge.protocol.rounds
    context.progress.stage("Measuring", rounds * len(planned))
    close = {timed[0].entry: _thorough_round(context, timed) for _count, *timed in planned}
    counts = {counting.entry: context.counts(counting) for counting, *_timed in planned}
    rows = Rows(context)
    for number in range(rounds):
        jobs = [
            replace(timed[number], thorough=number == close[it.entry], counts=counts[it.entry])
            for it, *timed in planned
        ]
        random.Random(f"{context.run.session}/{number}").shuffle(jobs)  # noqa: S311 - no secret
        rows.measure(jobs)


@dataclass(frozen=True)
class Rows:
    """What has come of the entries of a run until now."""

    context: RunContext
    first: dict[str, tuple[ImageScore, ...]] = field(default_factory=dict)  # scores of each entry
    lost: set[str] = field(default_factory=set)

    def measure(self, jobs: Sequence[Job]) -> None:
        """A round of every entry that has none yet, in as many blocks as the memory asks for.

        The base is timed in each of them: what is known of it from another day compares with none.
        """
        base = self.context.base
        left = {job.entry: job for job in jobs if self._awaited(job)}
        while left := {name: job for name, job in left.items() if name not in self.lost}:
            block = [
                replace(job, first=self.first.get(job.entry, ()))
                for job in jobs
                if job.entry in left or (job.entry == base and base not in self.lost)
            ]
            for name, result in self.context.executor.run_block(block, base).items():
                if name in left:
                    job = left.pop(name)
                    key = self.context.executor.key(job)
                    self._came(self.context.save(name, key, result))
                elif isinstance(result.outcome, Failed):
                    self.lost.add(name)

    def _awaited(self, job: Job) -> bool:
        """Whether the job has no record yet; what there is counts as if it came now."""
        record = self.context.known(job.entry, self.context.executor.key(job))
        if job.entry in self.lost or record is not None:
            self._came(record)
            return False
        return True

    def _came(self, record: Record | None) -> None:
        if record is None:
            self.context.progress.done()
            return
        self.context.share(record)
        outcome = record.outcome
        if isinstance(outcome, Failed):
            self.context.progress.done(f"{record.entry}: {outcome.message}")
            self.lost.add(record.entry)
            return
        self.context.progress.done()
        if isinstance(outcome, RoundFigures):
            self.first.setdefault(record.entry, outcome.scores)


def _thorough_round(context: RunContext, timed: Sequence[Job]) -> int | None:
    """The round that is looked at closely, drawn, so that no entry can tell which it is.

    None where a run that this one goes on with has had it.
    """
    known = {it.round: context.known(it.entry, context.executor.key(it)) for it in timed}
    had = rounds_of(filter(None, known.values()))
    if any(audit.id == "precision" for it in had for audit in it.audits):
        return None
    return secrets.choice([number for number, record in known.items() if record is None] or [None])


def sharers(executor: Executor, planned: Sequence[tuple[Job, ...]]) -> Mapping[str, Sequence[str]]:
    """The entries to be measured, each with those of the same graph that is run in the same way.

    One measurement is for all of them: no noise between two rounds ranks what is one network.
    """
    first: dict[object, str] = {}
    found: dict[str, list[str]] = {}
    for its in planned:
        name = its[0].entry
        key = tuple(map(executor.key, its)) if its[0].load.form == "graph" else name
        if first.setdefault(key, name) == name:
            found[name] = []
        else:
            found[first[key]].append(name)
    return found


def now() -> str:
    """As records and runs state it: ISO 8601, UTC, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")
