"""Measure every entry and the references alike, keep what is known, and rank."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from harness.board.build import build, save_run
from harness.board.store import Store
from harness.core.challenge import Challenge
from harness.core.leaderboard import Leaderboard, counts_of, rounds_of
from harness.core.model_counts import Counts
from harness.core.outcome import BadInput, Failed
from harness.core.progress import SILENT, Progress
from harness.core.record import FloorFigures, ImageScore, Record, RoundFigures
from harness.core.run import FLOOR_ID, JobKey, ListedEntry, Run
from harness.datasets.find import find_all, truth_folders
from harness.datasets.known import known, usual_layouts
from harness.entries import catalogue, weights
from harness.entries.catalogue import Entry, Rejected
from harness.entries.participants import participants
from harness.machine import environment as machine
from harness.measure import loads
from harness.measure.captures import Capturing, captured
from harness.measure.jobs import (
    Executor,
    Job,
    JobResult,
    beside,
    floor_key,
    jobs,
    listed,
)
from harness.measure.loads import Contender
from harness.measure.local_executor import LocalExecutor
from harness.measure.run_images import Scorer, floor, gather
from harness.measure.worker_group import concurrently
from harness.rules import rulebook
from harness.sandbox.isolation import SandboxMode, choose

# failures that are the entry's own for certain; any other may have been the moment's, or that of
# a package that is installed by now, and is tried again by the next run
LASTING = ("bad_weights", "wrong_output", "non_finite", "unstable_output")


@dataclass(frozen=True)
class RunRequest:
    """What a user asks of a run."""

    entries: tuple[str, ...] | None = None  # None: everything in ./submissions, or of `ntire`
    challenge: str = "sample"
    data_dir: Path | None = None
    reports: Path = field(default=Path("reports"))
    weights: weights.WeightsMode = "bundled"
    weights_dir: Path | None = None
    references: bool = True
    device: str = "cpu"
    threads: int | None = None
    rounds: int | None = None
    budget_s: float | None = None  # in which more rounds may tell apart what the first ones don't
    fresh: bool = False
    sandbox: SandboxMode = "auto"
    ntire: Path | None = None  # an official checkout
    ids: tuple[int, ...] | None = None  # of its entries; None: all


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
            started=_now(),
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


def evaluate(request: RunRequest, progress: Progress = SILENT) -> Leaderboard:
    """The ranked board of a request; every finished process is on disk before the next starts.

    Raises BadInput for what was asked wrongly; a submission's own failure is a row. WriteError when
    the reports folder can't be written.
    """
    loads.refuse_device(request.device)
    if request.budget_s is not None and request.budget_s <= 0.0:
        raise BadInput(f"budget must be above 0 seconds, got {request.budget_s:g}")
    challenge = read_challenge(request)
    candidates = participants(
        challenge,
        entries=request.entries,
        references=request.references,
        checkout=request.ntire,
        ids=request.ids,
    )
    challenge, found, notes = find_all(challenge, request.data_dir)
    contenders = tuple(
        loads.contender(
            candidate,
            challenge.protocol,
            device=request.device,
            mode=request.weights,
            weights_dir=request.weights_dir,
        )
        for candidate in candidates
    )
    hidden = (request.reports, *truth_folders(found, request.data_dir))
    isolation = choose(request.sandbox, gpu=request.device == "cuda", hidden=hidden)
    if isolation.note:
        progress.warn(isolation.note)
    environment = machine.environment(
        device=request.device,
        threads=challenge.protocol.threads,
        isolation=isolation.confinement.name,
    )
    if request.device == "cuda" and "gpu" not in environment.stable:
        raise BadInput("no NVIDIA GPU found (NVML does not answer): run with --device cpu")
    images = gather(challenge, found, (*notes, *filter(None, (isolation.note,))))
    executor = LocalExecutor(environment, isolation, images, Scorer(challenge, images), progress)
    folder = request.reports / challenge.id
    contenders = _as_graphs(contenders, challenge, executor, request.fresh, folder)
    run = Run(
        session=f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}",
        started=_now(),
        challenge=challenge,
        entries=(),
        environment=environment,
        notes=images.notes,
    )
    store = Store(folder / "records", progress.warn)
    with store.locked():
        run = _measured(request, run, contenders, executor, store)
    return build(run, store)


def _measured(
    request: RunRequest,
    run: Run,
    contenders: tuple[Contender | Rejected, ...],
    executor: LocalExecutor,
    store: Store,
) -> Run:
    """The run with the entries that take part, measured; a budget may have added rounds."""
    folder, images, scorer = store.folder.parent, executor.images, executor.scorer
    ends = time.monotonic() + (request.budget_s or 0.0)
    new = run.challenge.protocol.rounds
    while True:
        began, challenge = time.monotonic(), run.challenge
        planned = _planned(contenders, challenge, images.digest, folder / "logs")
        bicubic = floor_key(challenge, images.digest)
        floor_row = ListedEntry(FLOOR_ID, "", "Bicubic (MATLAB)", "floor", jobs=(bicubic,))
        has_floor = challenge.show_floor and scorer.has_truth
        rows = (*_listed(contenders, planned, executor), *([floor_row] if has_floor else []))
        run = replace(run, entries=rows)
        sharing = sharers(executor, tuple(planned.values()))
        context = RunContext(run, executor, store, request.fresh, executor.progress, sharing)
        save_run(folder, run)
        if has_floor and context.known(FLOOR_ID, bicubic) is None:
            scores = FloorFigures(floor(challenge, images, scorer))
            context.save(FLOOR_ID, bicubic, JobResult(scores, run.environment))
        measure(context, tuple(planned[entry] for entry in sharing))
        round_s = (time.monotonic() - began) / new
        if time.monotonic() + round_s > ends or not open_ranks(build(run, store)):
            return run
        protocol, new = challenge.protocol, 1
        protocol = replace(protocol, rounds=protocol.rounds + 1)
        run = replace(run, challenge=replace(challenge, protocol=protocol))


def open_ranks(board: Leaderboard) -> bool:
    """Whether more rounds could tell ranked rows apart."""
    spans = [row.runtime_span for row in board.rows if row.ranked]
    return len(spans) > 1 and any(it is None or it.first != it.last for it in spans)


def _listed(
    contenders: tuple[Contender | Rejected, ...],
    planned: Mapping[str, tuple[Job, ...]],
    executor: Executor,
) -> Iterator[ListedEntry]:
    for it in contenders:
        its = () if isinstance(it, Rejected) else planned[it.entry.id]
        yield listed(it, tuple(map(executor.key, its)))


def _as_graphs(
    contenders: tuple[Contender | Rejected, ...],
    challenge: Challenge,
    executor: LocalExecutor,
    fresh: bool,
    folder: Path,
) -> tuple[Contender | Rejected, ...]:
    """The contenders by their captured networks, as far as the rules want it."""
    if challenge.capture == "off":
        return contenders
    capturing = Capturing(
        sizes=tuple(sorted({image.size for image in executor.images.lr})),
        count=challenge.complexity_input,
        folder=folder / "graphs",
        logs=folder / "logs",
        protocol=challenge.protocol,
        confinement=executor.isolation.confinement,
        fresh=fresh,
    )
    return captured(contenders, capturing, executor.images.lr, executor.progress)


def base_of(challenge: Challenge, names: Collection[str]) -> str:
    """The challenge's baseline, else its first reference; "" where neither is among `names`."""
    return next((it for it in (challenge.baseline, *challenge.references) if it in names), "")


def _planned(
    contenders: tuple[Contender | Rejected, ...], challenge: Challenge, data: str, logs: Path
) -> dict[str, tuple[Job, ...]]:
    """The jobs of each contender."""
    planned = {
        contender.entry.id: jobs(contender, challenge, data=data, logs=logs)
        for contender in contenders
        if isinstance(contender, Contender)
    }
    return beside(base_of(challenge, planned), planned)


def measure(context: RunContext, planned: Sequence[tuple[Job, ...]]) -> None:
    """Every job that has no record yet: the counts, then round after round in blocks of entries.

    Counts run as many at once as there are cores, on one thread each: nothing is timed.
    """
    context.progress.stage("Counting", len(planned))

    def count(its: tuple[Job, ...]) -> None:
        key = context.executor.key(its[0])
        record = context.known(its[0].entry, key)
        if record is None:
            record = context.save(its[0].entry, key, context.executor.count(its[0]))
        context.share(record)
        context.progress.done()

    concurrently(count, planned, workers=machine.usable_cores())
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


def read_rules(name_or_path: str) -> Challenge:
    """A challenge that can be run here: each dataset and reference that it names is known.

    BadInput with all faults.
    """
    scales = {
        it.id: it.submission.scale for it in catalogue.all_references() if isinstance(it, Entry)
    }
    names = tuple(it.name for it in known())
    at_hand = rulebook.AtHand(names, usual_layouts(), scales)
    return rulebook.read(name_or_path, at_hand)


def read_challenge(request: RunRequest) -> Challenge:
    """The challenge with the request's own rounds and threads."""
    challenge = read_rules(request.challenge)
    protocol = challenge.protocol
    threads = request.threads or protocol.threads or machine.usable_cores()
    rounds = request.rounds or protocol.rounds
    return replace(challenge, protocol=replace(protocol, rounds=rounds, threads=threads))


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


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
