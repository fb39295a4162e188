"""Jobs run on this machine: each in a worker of its own, scored by this process."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path

from harness.core.audit import LEVELS, worst
from harness.core.outcome import Failed, failed
from harness.core.progress import Progress
from harness.core.record import Calibration, Environment, ImageScore, Outcome, RoundFigures
from harness.core.run import JobKey
from harness.machine import environment as machine
from harness.measure import calibration
from harness.measure.jobs import Job, JobResult
from harness.measure.run_images import RunImages, Scorer, again
from harness.measure.session import Task
from harness.measure.stored_images import stored_images
from harness.measure.tasks import run_count, run_round
from harness.sandbox.isolation import Isolation

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
    _calibration: Calibration | Failed | None = None  # of this run, since load drifts
    _taken: float = 0.0  # when

    def key(self, job: Job) -> JobKey:
        """The job's content key here."""
        return job.key(self.environment)

    def run(self, job: Job) -> JobResult:
        """Start a worker, ask it, stop it; what drifts is looked at when it has just ended."""
        task = self._task(job)
        outcome: Outcome
        if job.kind == "count":
            graph = job.load.form == "graph"
            sizes = {image.size for image in self.images.lr} if graph else ()
            outcome = run_count(task, *job.count_size, tuple(sorted(sizes)))
        else:
            score = again(self.scorer, job.first) if job.first else self.scorer
            timed = run_round(task, self.images.lr, score, self.scorer)
            if odd(timed):
                task = replace(task, calibration=self._calibrated(task, at_most_s=0.0))
                timed = better(timed, run_round(task, self.images.lr, score, self.scorer))
            outcome = unstable(timed, job.first, job.protocol.output_tolerance_db) or timed
            if isinstance(outcome, RoundFigures) and task.thorough and task.load.form == "graph":
                outcome = self._with_constants(outcome, task)
        device = self.environment.stable["device"]
        seen = machine.seen(device) | self.isolation.seen
        return JobResult(outcome, replace(self.environment, seen=seen))

    def _task(self, job: Job) -> Task:
        task = Task(job.load, job.protocol, job.log, self.isolation.confinement)
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

    def _with_constants(self, figures: RoundFigures, task: Task) -> RoundFigures:
        """With what a graph's tensors tell: of its code's nobody has them."""
        graph = Path(task.load.weights)
        found = stored_images(graph, self.images.lr, self.scorer, task.load.scale)
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
