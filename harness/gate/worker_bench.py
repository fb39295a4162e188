"""The sides of a check: workers that live together and take turns, each idle between its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from harness.audits.clocks import Exchange
from harness.core.outcome import Failed
from harness.gate.blocks import Arm, ArmReport
from harness.gate.sampling import ArmFailed
from harness.measure.answer_validation import unseen
from harness.measure.passes import warm_up
from harness.measure.probes import PlainRound
from harness.measure.session import LrImage, Session, Task
from harness.measure.turns import together
from harness.measure.worker_process import WorkerFailed


class LaunchedSide:
    """One worker as a side of a check: `gate.Side`."""

    def __init__(self, arm: Arm, session: Session, images: tuple[LrImage, ...]) -> None:
        self._arm = arm
        self._session = session
        self._images = images
        self._taken: list[Exchange] = []

    def warm_up(self) -> float:
        """The protocol's warm-up; seconds of the very first forward."""
        with _turn(self._arm, self._session):
            first = warm_up(self._session, self._images, PlainRound())
            self._session.reset_peak()
            return first

    def forward(self, turn: int) -> float:
        """Seconds of a forward: turn after turn of another image, the same for every side."""
        with _turn(self._arm, self._session):
            taken = self._session.timed(self._images[turn % len(self._images)])
        self._taken.append(taken)
        return taken.seconds

    def told(self) -> ArmReport:
        """What is known of the process after its forwards."""
        with _turn(self._arm, self._session):
            largest = max(self._images, key=lambda image: image.pixels.size)
            memory = self._session.memory(largest)
        return ArmReport(
            None if memory is None else memory.peak_bytes,
            self._session.compile_s,
            (*self._session.disturbances(), *unseen(self._taken)),
        )


@dataclass(frozen=True)
class WorkerBench:
    """Fresh workers of all sides: `gate.Bench`."""

    tasks: Mapping[Arm, Task]
    images: tuple[LrImage, ...]

    @contextmanager
    def block(self, order: Sequence[Arm]) -> Iterator[Mapping[Arm, LaunchedSide]]:
        """All, started in this order and killed on leaving.

        Killed, since a farewell of three interpreters takes time in which a budget could sample.
        """
        with together({arm: self.tasks[arm] for arm in order}) as found:
            for arm, it in found.items():
                if isinstance(it, Failed):
                    raise ArmFailed(arm, it.told)
            sessions = {arm: it for arm, it in found.items() if not isinstance(it, Failed)}
            yield {arm: LaunchedSide(arm, it, self.images) for arm, it in sessions.items()}
            for session in sessions.values():
                session.end()


@contextmanager
def _turn(arm: Arm, session: Session) -> Iterator[None]:
    """Of one side, while the others rest; a worker's failure as that of its side."""
    try:
        with session.awake():
            yield
    except WorkerFailed as error:
        raise ArmFailed(arm, error.failure.told) from None
