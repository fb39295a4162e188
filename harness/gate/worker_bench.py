"""The sides of a check: workers that live together and take turns, each idle between its own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from harness.audits.clocks import Exchange
from harness.gate.blocks import Arm, ArmReport
from harness.gate.sampling import ArmFailed
from harness.measure.answer_validation import unseen
from harness.measure.passes import warm_up
from harness.measure.probes import turned
from harness.measure.session import LrImage, Session, Task
from harness.measure.tasks import loaded, spawned
from harness.measure.worker_group import WorkerGroup, concurrently
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
        with _named(self._arm):
            first = warm_up(self._session, self._images, turned)
            self._session.memory()  # a GPU's peak begins anew with each question
            return first

    def forward(self, turn: int) -> float:
        """Seconds of a forward: turn after turn of another image, the same for every side."""
        with _named(self._arm):
            taken = self._session.timed(self._images[turn % len(self._images)])
        self._taken.append(taken)
        return taken.seconds

    def told(self) -> ArmReport:
        """What is known of the process after its forwards."""
        with _named(self._arm):
            memory = self._session.memory()
        return ArmReport(
            None if memory is None else memory.peak_bytes,
            self._session.compile_s,
            (*self._session.retaken(), *unseen(self._taken)),
        )


@dataclass(frozen=True)
class WorkerBench:
    """Fresh workers of all sides: `gate.Bench`."""

    tasks: Mapping[Arm, Task]
    images: tuple[LrImage, ...]

    @contextmanager
    def block(self, order: Sequence[Arm]) -> Iterator[Mapping[Arm, LaunchedSide]]:
        """All, spawned in this order, loaded at once as nothing is timed yet, killed on leaving.

        They are spawned by the calling thread: a worker dies with the thread that spawned it.
        Killed, since a farewell of three interpreters takes time in which a budget could sample.
        """
        with ExitStack() as stack:
            began = time.perf_counter()
            with WorkerGroup() as group:
                workers = {arm: stack.enter_context(spawned(self.tasks[arm])) for arm in order}

            def side(arm: Arm) -> LaunchedSide:
                with _named(arm):
                    session = loaded(workers[arm], self.tasks[arm], began)
                return LaunchedSide(arm, session, self.images)

            ready = concurrently(side, order, workers=len(order), group=group)
            yield dict(zip(order, ready, strict=True))
            for worker in workers.values():
                worker.kill()


@contextmanager
def _named(arm: Arm) -> Iterator[None]:
    """A worker's failure as that of its side."""
    try:
        yield
    except WorkerFailed as error:
        raise ArmFailed(arm, error.failure.told) from None
