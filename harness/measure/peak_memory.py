"""How much memory a worker's forwards need, on a CPU: a peak above a level, as the system tells."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from harness.core.record import Memory
from harness.machine import proc
from harness.measure.worker_process import WorkerProcess
from harness.sandbox.bubblewrap import SCRATCH

LOOK_S = 0.002  # between two looks at a worker's memory, each of which takes 0.1 ms a process


class PeakMemory:
    """The most that a worker and all below it have held in forwards, and the least before them."""

    def __init__(self, worker: WorkerProcess) -> None:
        self._worker = worker
        self._levels: list[int] = []  # bytes held before each forward
        self._peak_bytes = 0  # 0: the system tells none

    @contextmanager
    def counting(self) -> Iterator[None]:
        """A forward whose peak counts. What ends with it, before it is looked at, does not show."""
        root = self._worker.root
        before = proc.tree_resident(root) if proc.reset_peak(root) else None
        yield
        if before and (now := proc.tree_resident(root)):
            self._levels.append(before.now_bytes)
            self._peak_bytes = max(self._peak_bytes, now.peak_bytes)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """An untimed forward that is looked at all along.

        Processes that end before it does count too, and what lies in files in memory.
        """
        over = threading.Event()
        looks: list[int] = []

        def look() -> None:
            while not over.wait(LOOK_S):
                now = proc.tree_resident(self._worker.root)
                files = proc.held_in_files(self._worker.pid, SCRATCH)
                looks.append(now.now_bytes + files if now else 0)

        watch = threading.Thread(target=look, name="memory watch", daemon=True)
        watch.start()
        try:
            yield
        finally:
            over.set()
            watch.join()
        if self._peak_bytes:  # else there are no peaks to hold it against
            self._peak_bytes = max(self._peak_bytes, *looks, 0)

    def above(self, most_bytes: int | None) -> Memory | None:
        """The peak above the level, of a worker at rest; None where the system does not tell.

        The level is the least that was seen, so that what is held for a while hides nothing: before
        each forward, and now. It is no more than `most_bytes`, if given: what a worker without a
        submission holds, and weights.
        """
        if not self._peak_bytes:
            return None
        rest = proc.tree_resident(self._worker.root)
        seen = [*self._levels, rest.now_bytes if rest else self._peak_bytes]
        level = min(*seen, most_bytes or self._peak_bytes)
        peak = max(self._peak_bytes - level, 0)
        if most_bytes:
            return Memory(peak, "rss_above_null", level_bytes=level)
        return Memory(peak, "rss_above_rest", level_bytes=level)
