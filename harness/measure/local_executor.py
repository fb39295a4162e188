"""Jobs run on this machine: each in a worker of its own, scored by this process."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.core.audit import LEVELS, worst
from harness.core.outcome import Failed, failed
from harness.core.progress import Progress
from harness.core.record import (
    Calibration,
    Environment,
    ImageScore,
    QualityFigures,
    RoundFigures,
    TimedBeside,
)
from harness.core.run import JobKey
from harness.machine import environment as machine
from harness.machine import processor_times
from harness.machine.processor_times import ProcessorTimes
from harness.measure import calibration
from harness.measure.answer_validation import told_notes
from harness.measure.jobs import Job, JobResult
from harness.measure.loads import with_packages
from harness.measure.run_images import RunImages, Scorer, again, keeping
from harness.measure.session import ScoreOutput, Session, Task
from harness.measure.stored_images import stored_images
from harness.measure.tasks import ask_worker, run_count, tried
from harness.measure.turns import BlockMember, run_block
from harness.pictures.keeper import Keeper
from harness.quality.pixels import pixel_digest
from harness.sandbox.isolation import Isolation
from harness.wire.messages import Load

CALIBRATION_S = 120.0  # of the age at which load may be another one


@dataclass
class LocalExecutor:
    """`Executor` on this machine.

    Audited rounds share a calibration: of the run, or of the last minutes where a submission's own
    code runs.
    """

    environment: Environment
    isolation: Isolation
    images: RunImages
    scorer: Scorer
    progress: Progress
    keeper: Keeper | None = None  # of the pictures that were asked for
    _calibration: Calibration | Failed | None = None  # of this run, since load drifts
    _taken: float = 0.0  # when
    _disturbed: dict[str, str] = field(default_factory=dict)  # the last block

    def key(self, job: Job) -> JobKey:
        """The job's content key here."""
        return job.key(self.environment)

    def count(self, job: Job) -> JobResult:
        """Start a worker, ask it, stop it."""
        graph = job.load.form == "graph"
        sizes = {image.size for image in self.images.lr} if graph else ()
        outcome = run_count(self._task(job), *job.count_size, tuple(sorted(sizes)))
        return JobResult(outcome, self._seen())

    def score(self, job: Job) -> JobResult:
        """Ask one worker for the outputs of all images; nothing is timed."""

        def scored(session: Session) -> QualityFigures:
            replies = ((image, session.reply(image)) for image in self.images.lr)
            scores = tuple(self.scorer(image, reply.pixels) for image, reply in replies)
            notes = told_notes(session.ready.notes)
            return QualityFigures(scores, notes, untrained=session.ready.untrained)

        return JobResult(ask_worker(self._plain_task(job), scored), self._seen())

    def run_block(self, jobs: Sequence[Job], base: str) -> Mapping[str, JobResult]:
        """Start the workers, let them take turns, stop them; those that are odd once more."""
        found = self._block(jobs, base)
        again = [job for job in jobs if job.entry in found and odd(found[job.entry])]
        if again:
            self._calibrated(self._plain_task(again[0]), at_most_s=0.0)
            beside = [job for job in jobs if job.entry == base and job not in again]
            second = self._block([*beside, *again], base)
            for name, looked in second.items():
                found[name] = better(found[name], looked) if odd(found[name]) else found[name]
        seen = self._seen()
        return {
            job.entry: JobResult(self._finished(job, found[job.entry]), seen)
            for job in jobs
            if job.entry in found
        }

    def show(self, job: Job, scores: Sequence[ImageScore]) -> tuple[str, ...]:
        """Keep pictures of what was scored in a round that is not measured again; what went wrong.

        An output that is not the scored one is not kept.
        """
        wanted = {(it.dataset, it.image): it for it in scores}
        images = [it for it in self.images.lr if (it.dataset, it.image) in wanted]
        keeper = self.keeper

        def shown(session: Session) -> tuple[str, ...]:
            told = []
            for image in images:
                score, reply = wanted[image.dataset, image.image], tried(session.reply, image)
                if isinstance(reply, Failed):
                    told.append(f"{image.image} of {image.dataset}: {reply.message}")
                elif pixel_digest(reply.pixels) != score.digest:
                    told.append(f"{image.image} of {image.dataset} came out another time otherwise")
                elif keeper is not None:
                    keeper.keep(score, reply.pixels)
            return tuple(told)

        found = ask_worker(self._plain_task(job), shown)
        return (found.message,) if isinstance(found, Failed) else found

    def _block(self, jobs: Sequence[Job], base: str) -> dict[str, RoundFigures | Failed]:
        """The rounds with what they have in common: the block, and what its base took."""
        members = [
            BlockMember(
                job.entry,
                self._task(job),
                self._judge(job),
            )
            for job in jobs
        ]

        def watch(timed: int, number: int) -> None:
            # with the workers alive, since what ended ones used is lost with some
            times.append(processor_times.until_now())
            of = len(self.images.lr) * jobs[0].protocol.passes
            entries = f"{number} entries in turns" if number > 1 else jobs[0].entry
            text = f"round {jobs[0].round + 1}: image {timed + 1} of {of}, {entries}"
            self.progress.step(text, number * timed / max(of, 1))

        times: list[ProcessorTimes | None] = []
        outcomes = run_block(members, self.images.lr, self.scorer, base=base, watch=watch)
        self._disturbed = processor_times.between(times[0], times[-1]) if times else {}
        block, its = secrets.token_hex(8), outcomes.get(base)
        beside = TimedBeside(base, its.samples) if isinstance(its, RoundFigures) else None
        return {
            name: replace(it, block=block, beside=None if name == base else beside)
            if isinstance(it, RoundFigures)
            else it
            for name, it in outcomes.items()
        }

    def _judge(self, job: Job) -> ScoreOutput:
        """Who is given each output: of the first round, pictures are kept beside."""
        if job.first:
            return again(self.scorer, job.first)
        return keeping(self.scorer, self.keeper) if self.keeper else self.scorer

    def _finished(self, job: Job, timed: RoundFigures | Failed) -> RoundFigures | Failed:
        """With what can be told once a round has ended."""
        outcome = unstable(timed, job.first, job.protocol.output_tolerance_db) or timed
        if isinstance(outcome, RoundFigures) and job.thorough and job.load.form == "graph":
            return self._with_constants(outcome, job.load)
        return outcome

    def _seen(self) -> Environment:
        """The environment, with what drifts as it is when workers have just ended."""
        device = self.environment.stable["device"]
        seen = machine.seen(device) | self.isolation.seen | self._disturbed
        return replace(self.environment, seen=seen)

    def _plain_task(self, job: Job) -> Task:
        load = job.load if job.lock is None else with_packages(job.load, job.lock)
        return Task(load, job.protocol, job.log, self.isolation.confinement)

    def _task(self, job: Job) -> Task:
        task = self._plain_task(job)
        if job.kind == "count" or not job.protocol.audits:
            return task
        at_most_s = CALIBRATION_S if task.as_code else math.inf
        known = self._calibrated(task, at_most_s=at_most_s)
        return replace(
            task,
            calibration=known,
            thorough=job.thorough,
            later=bool(job.first),
            counts=job.counts,
        )

    def _with_constants(self, figures: RoundFigures, load: Load) -> RoundFigures:
        """With what a graph's tensors tell: of its code's nobody has them."""
        graph = Path(load.weights)
        luma = load.channels == 1
        found = stored_images(graph, self.images.lr, self.scorer, load.scale, luma=luma)
        return replace(figures, audits=(*figures.audits, *filter(None, (found,))))

    def _calibrated(self, task: Task, *, at_most_s: float) -> Calibration | None:
        """What the machine does, at most so old; None, and one warning, where it can't be taken."""
        known = self._calibration if isinstance(self._calibration, Calibration) else None
        age_s = time.monotonic() - self._taken
        if self._calibration is None or (known and age_s >= at_most_s):
            self.progress.step("the machine's own speed")
            load = calibration.null(device=task.load.device, threads=task.load.threads)
            log = task.log.parents[1] / "calibration.log"
            found = calibration.take(replace(task, load=load, log=log), known)
            if isinstance(found, Calibration):
                self._calibration, self._taken = found, time.monotonic()
            elif known is None:
                self.progress.warn(f"The machine's own speed could not be taken: {found.message}")
                self._calibration = found
        return self._calibration if isinstance(self._calibration, Calibration) else None


def odd(outcome: RoundFigures | Failed) -> bool:
    """Whether clocks alone speak against a round: a burst of load may be to blame."""
    if isinstance(outcome, Failed):
        return False
    against = {it.id for it in outcome.audits if it.verdict != "ok"}
    return bool(against) and against <= {"clock", "collect"}


def better(first: RoundFigures | Failed, second: RoundFigures | Failed) -> RoundFigures | Failed:
    """Of two looks at an odd round: load hits one of them, a trick both."""
    looks = [it for it in (second, first) if isinstance(it, RoundFigures)]
    return min(looks, key=lambda it: LEVELS.index(worst(it.audits)), default=first)


def unstable(
    outcome: RoundFigures | Failed, first: tuple[ImageScore, ...], tolerance_db: float
) -> Failed | None:
    """The failure of an entry whose output is another one than in the `first` round, None if not.

    An output may differ in bits (threads sum in another order) as long as its PSNR stays within
    the tolerance. Without HR images the pixels have to be the same. A later round may score some of
    the images alone.
    """
    if isinstance(outcome, Failed) or not first:
        return None
    known = {(then.dataset, then.image): then for then in first}
    for now in outcome.scores:
        then = known[now.dataset, now.image]
        if now.digest == then.digest:
            continue
        if now.psnr_db is None or then.psnr_db is None:
            how = "differently than in the first round"
        elif abs(now.psnr_db - then.psnr_db) > tolerance_db:
            how = f"with {now.psnr_db:.3f} dB, {then.psnr_db:.3f} dB in the first round"
        else:
            continue
        text = f"{now.image} of {now.dataset} came out {how}"
        return failed("collect", "unstable_output", text)
    return None
