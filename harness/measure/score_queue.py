"""Outputs that wait until nothing is timed, and are then scored on all cores."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from harness.core.record import ImageScore
from harness.machine import environment as machine
from harness.measure.session import LrImage, ScoreOutput
from harness.measure.worker_group import concurrently
from harness.quality.pixels import Uint8

MOST_BYTES = 32 * 2**20  # of outputs that wait: 3 of 2K


@dataclass
class Scoring:
    """An output on its way to its score."""

    judge: ScoreOutput
    image: LrImage
    output: Uint8 | None  # None once it is scored
    score: ImageScore | None = None
    took_s: float = 0.0  # its share of the time in which several were scored

    def work(self) -> None:
        """Score it."""
        if self.output is not None:
            self.score, self.output = self.judge(self.image, self.output), None


@dataclass
class ScoreQueue:
    """What waits to be scored; `work` is called where no forward is timed."""

    most_bytes: int = MOST_BYTES
    _waiting: list[Scoring] = field(default_factory=list)

    def put(self, judge: ScoreOutput, image: LrImage, output: Uint8) -> Scoring:
        """Score an output later."""
        scoring = Scoring(judge, image, output)
        self._waiting.append(scoring)
        return scoring

    @property
    def full(self) -> bool:
        """Whether more should not wait."""
        held = sum(it.output.nbytes for it in self._waiting if it.output is not None)
        return held >= self.most_bytes

    def work(self) -> None:
        """Score all that wait. No thread is left when it returns."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        began = time.perf_counter()
        concurrently(Scoring.work, waiting, workers=machine.usable_cores())
        share_s = (time.perf_counter() - began) / len(waiting)
        for it in waiting:
            it.took_s = share_s
