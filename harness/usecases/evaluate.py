"""Measure every entry and the references alike, keep what is known, and rank."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from harness.board.build import build, save_run
from harness.board.store import Store
from harness.core.challenge import Challenge
from harness.core.leaderboard import Leaderboard
from harness.core.outcome import BadInput, Failed, failed
from harness.core.progress import Progress, Silent
from harness.core.record import (
    Calibration,
    Environment,
    FloorFigures,
    ImageScore,
    Outcome,
    Record,
    RoundFigures,
)
from harness.core.run import JobKey, ListedEntry, Run
from harness.entries.catalogue import Rejected
from harness.machine import environment as machine
from harness.measure import calibration, loads
from harness.measure.executor import concurrently
from harness.measure.loads import Contender
from harness.measure.run_images import RunImages, Scorer, again, floor, gather
from harness.measure.tasks import Task, run_count, run_round
from harness.sandbox.isolation import Isolation, choose
from harness.usecases import plan
from harness.usecases.plan import RunRequest

# failures that are the entry's own for certain; any other may have been the moment's, or that of
# a package that is installed by now, and is tried again by the next run
LASTING = ("bad_weights", "wrong_output", "non_finite", "unstable_output")
_YARDSTICKS: dict[str, Calibration] = {}  # by environment: of this process, since load drifts


@dataclass(frozen=True)
class RunContext:
    """What every job of a run shares."""

    challenge: Challenge
    material: RunImages
    judge: Scorer
    environment: Environment
    store: Store
    session: str
    device: str
    isolation: Isolation
    fresh: bool
    progress: Progress
    yardstick: Calibration | None = None


@dataclass(frozen=True)
class PlannedJob:
    """One process to start for one contender."""

    contender: Contender
    key: JobKey


def evaluate(request: RunRequest, progress: Progress | None = None) -> Leaderboard:
    """The ranked board of a request; every finished process is on disk before the next starts.

    Raises BadInput for what was asked wrongly; a submission's own failure is a row. WriteError when
    the reports folder can't be written.
    """
    progress = progress or Silent()
    plan.refuse_device(request.device)
    challenge = plan.read_challenge(request)
    candidates = plan.candidates(request, challenge)
    challenge, found, notes = plan.find_datasets(challenge, request.data_dir)
    field = tuple(
        loads.contender(
            candidate,
            challenge.protocol,
            device=request.device,
            mode=request.weights,
            weights_dir=request.weights_dir,
        )
        for candidate in candidates
    )
    isolation = choose(request.sandbox, gpu=request.device == "cuda")
    if isolation.note:
        progress.warn(isolation.note)
    environment = machine.environment(
        device=request.device,
        threads=challenge.protocol.threads,
        isolation=isolation.confinement.name,
    )
    if request.device == "cuda" and "gpu" not in environment.stable:
        raise BadInput("no NVIDIA GPU found (NVML does not answer): run with --device cpu")
    material = gather(challenge, found, (*notes, *filter(None, (isolation.note,))))
    bench = RunContext(
        challenge=challenge,
        material=material,
        judge=Scorer(challenge, material),
        environment=environment,
        store=Store(request.reports / challenge.id / "records", progress.warn),
        session=f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}",
        device=request.device,
        isolation=isolation,
        fresh=request.fresh,
        progress=progress,
    )
    run = _run(bench, field)
    with bench.store.locked():
        save_run(request.reports / challenge.id, run)
        measure(bench, tuple(it for it in field if isinstance(it, Contender)))
    return build(run, bench.store)


def measure(bench: RunContext, contenders: tuple[Contender, ...]) -> None:
    """Every job that has no record yet: the floor, the counts, then round after round."""
    jobs = {
        it.entry.id: plan.jobs(it, bench.challenge, bench.material, bench.environment)
        for it in contenders
    }
    if bench.challenge.show_floor and bench.judge.has_truth:
        _floor(bench)
    _count(bench, [PlannedJob(it, jobs[it.entry.id][0]) for it in contenders])
    if any(_is_due(bench, it, jobs[it.entry.id][1:]) for it in contenders):
        bench = replace(bench, yardstick=_yardstick(bench))
    rounds = bench.challenge.protocol.rounds
    bench.progress.stage("Measuring", rounds * len(contenders))
    lost: set[str] = set()
    for number in range(rounds):
        order = list(contenders)
        random.Random(f"{bench.session}/{number}").shuffle(order)  # noqa: S311 - no secret
        for contender in order:
            name = contender.entry.id
            if name in lost:
                bench.progress.done()
            elif not _round(bench, PlannedJob(contender, jobs[name][1 + number]), jobs[name][1]):
                lost.add(name)


def _is_due(bench: RunContext, contender: Contender, rounds: Sequence[JobKey]) -> bool:
    """Whether any round of a contender is still to be measured."""
    return any(_known(bench, contender.entry.id, key) is None for key in rounds)


def _yardstick(bench: RunContext) -> Calibration | None:
    """What the machine does at its best, taken once a process: None where there are no audits."""
    if not bench.challenge.protocol.audits:
        return None
    known = _YARDSTICKS.get(bench.environment.fingerprint)
    if known is not None:
        return known
    bench.progress.step("the machine's own speed")
    threads = bench.challenge.protocol.threads
    load = calibration.null(device=bench.device, threads=threads)
    log = bench.store.folder.parent / "logs" / "yardstick.log"
    found = calibration.take(Task(load, bench.challenge.protocol, log, bench.isolation.confinement))
    if isinstance(found, Failed):
        bench.progress.warn(f"The machine's own speed could not be taken: {found.message}")
        return None
    _YARDSTICKS[bench.environment.fingerprint] = found
    return found


def _run(bench: RunContext, field: tuple[Contender | Rejected, ...]) -> Run:
    """The run as it is planned, so that a board can be drawn while it goes on."""
    entries = tuple(
        plan.listed(it)
        if isinstance(it, Rejected)
        else plan.listed(it, plan.jobs(it, bench.challenge, bench.material, bench.environment))
        for it in field
    )
    if bench.challenge.show_floor and bench.judge.has_truth:
        key = plan.floor_job(bench.challenge, bench.material)
        entries += (ListedEntry(plan.FLOOR_ID, "", "Bicubic (MATLAB)", "floor", jobs=(key,)),)
    return Run(
        session=bench.session,
        started=_now(),
        challenge=bench.challenge,
        entries=entries,
        environment=bench.environment,
        notes=bench.material.notes,
    )


def _floor(bench: RunContext) -> None:
    key = plan.floor_job(bench.challenge, bench.material)
    if _known(bench, plan.FLOOR_ID, key) is None:
        scores = floor(bench.challenge, bench.material, bench.judge)
        _save(bench, plan.FLOOR_ID, key, FloorFigures(scores))


def _count(bench: RunContext, jobs: list[PlannedJob]) -> None:
    """Count with as many single-threaded workers at once as there are cores: nothing is timed."""
    bench.progress.stage("Counting", len(jobs))
    height, width = bench.challenge.complexity_input

    def count(job: PlannedJob) -> None:
        name = job.contender.entry.id
        if _known(bench, name, job.key) is None:
            task = _task(bench, job)
            task = replace(task, load=loads.counting(task.load))
            _save(bench, name, job.key, run_count(task, height, width), job.contender)
        bench.progress.done()

    concurrently(count, jobs, workers=machine.usable_cores())


def _round(bench: RunContext, job: PlannedJob, first: JobKey) -> bool:
    """Measure one round unless it is known; False when the entry failed."""
    name = job.contender.entry.id
    known = _known(bench, name, job.key)
    if known is None:
        bench.progress.step(f"{name}, round {job.key.round + 1}")
        scored = _scored(bench, name, first) if job.key.round else ()
        judge: Callable[..., ImageScore] = again(bench.judge, scored) if scored else bench.judge
        outcome = run_round(_task(bench, job), bench.material.lr, judge)
        if isinstance(outcome, RoundFigures) and scored:
            outcome = _same_output(outcome, scored, bench.challenge)
        known = _save(bench, name, job.key, outcome, job.contender)
    failure = known.outcome if isinstance(known.outcome, Failed) else None
    bench.progress.done(f"{name}: {failure.message}" if failure else "")
    return failure is None


def _same_output(
    outcome: RoundFigures, scored: tuple[ImageScore, ...], challenge: Challenge
) -> RoundFigures | Failed:
    """The outcome, or the failure of an entry whose output is another one in each process.

    An output may differ in bits (threads sum in another order) as long as its PSNR stays within
    the protocol's tolerance. Without HR images the pixels have to be the same.
    """
    tolerance = challenge.protocol.output_tolerance_db
    for now, then in zip(outcome.scores, scored, strict=True):
        if now.digest == then.digest:
            continue
        if now.psnr_db is None or then.psnr_db is None:
            text = f"{now.image} of {now.dataset} came out differently than in the first round"
            return failed("collect", "unstable_output", text)
        if abs(now.psnr_db - then.psnr_db) > tolerance:
            text = (
                f"{now.image} of {now.dataset} came out with {now.psnr_db:.3f} dB, "
                f"{then.psnr_db:.3f} dB in the first round"
            )
            return failed("collect", "unstable_output", text)
    return outcome


def _task(bench: RunContext, job: PlannedJob) -> Task:
    name = f"{job.key.job}-{job.key.round}.log"
    log = bench.store.folder.parent / "logs" / job.contender.entry.id / name
    return Task(
        job.contender.load,
        bench.challenge.protocol,
        log,
        bench.isolation.confinement,
        yardstick=bench.yardstick,
        thorough=job.key.job == "round" and job.key.round == 0,
    )


def _scored(bench: RunContext, name: str, first: JobKey) -> tuple[ImageScore, ...]:
    record = bench.store.find(name, first.job, first.round, first.key)
    if record is None or not isinstance(record.outcome, RoundFigures):
        return ()
    return record.outcome.scores


def _known(bench: RunContext, name: str, key: JobKey) -> Record | None:
    """The record of a job, unless it is to be taken again."""
    record = bench.store.take(name, key.job, key.round, key.key)
    if record is None or record.session == bench.session:
        return record
    if bench.fresh:
        return None
    if isinstance(record.outcome, Failed) and record.outcome.reason not in LASTING:
        return None
    return record


def _save(
    bench: RunContext, name: str, key: JobKey, outcome: Outcome, contender: Contender | None = None
) -> Record:
    record = Record(
        key=key.key,
        entry=name,
        challenge=bench.challenge.id,
        job=key.job,
        round=key.round,
        session=bench.session,
        started=_now(),
        # what drifts is looked at when the process has just ended, not once for the whole run
        environment=replace(
            bench.environment, seen=machine.seen(bench.device) | bench.isolation.seen
        ),
        outcome=outcome,
        weights=contender.weights.kind if contender else "",
    )
    bench.store.save(record)
    return record


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
