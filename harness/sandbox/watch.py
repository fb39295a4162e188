"""The trusted side's watch over a confined worker: memory and tasks of the whole process tree.

Looked at ten times a second. A look must cost next to nothing, for it may fall into a timed
forward: the usual one reads three small files, and every fifth one asks each thread of each process
for its children.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import threading
import time
from typing import ClassVar

import psutil

from harness.core.outcome import Failed, Stage, failed
from harness.machine import proc
from harness.machine.proc import ProcessTree
from harness.sandbox.confinement import Hold
from harness.sandbox.limits import MIB, Limits, impose

POLL_S = 0.1
THOROUGH = 5  # looks
BEGIN_S = 20.0  # for the sandbox to start its first process: the machine may be busy


class Watch(Hold):
    """A hold on a bubblewrap process: its inner init, the worker below that, and their limits."""

    _alive: ClassVar[dict[Watch, int]] = {}  # with the memory that each held at its last look

    def __init__(self, pid: int, limits: Limits, *, limit_data: bool) -> None:
        root, worker = _begun(pid)  # the inner init, below which all of the name space stands
        super().__init__(worker, root=root)
        self._descriptor = os.pidfd_open(root)  # a process id could be another's later
        self._limits = limits
        self._breach: tuple[str, str] | None = None
        self._over = threading.Event()
        for process in (root, worker):
            impose(limits, process, data=limit_data)
        self._alive[self] = 0
        self._thread = threading.Thread(target=self._look, name="sandbox watch", daemon=True)
        self._thread.start()

    def breach(self, stage: Stage) -> Failed | None:
        """The limit for which the worker was ended, as the failure that it is."""
        return failed(stage, *self._breach) if self._breach else None

    def status(self, returned: int) -> int:
        """Bubblewrap returns 128 + n for a worker that signal n ended."""
        return 128 - returned if 128 < returned < 128 + signal.NSIG else returned

    def kill(self) -> None:
        """End the inner init, and by that every process of its namespace."""
        if self._descriptor < 0:
            return
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)

    def close(self) -> None:
        """Stop looking."""
        self._over.set()
        self._thread.join()
        self._alive.pop(self, None)
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _look(self) -> None:
        for look in itertools.count():
            if self._over.wait(POLL_S):
                return
            now = proc.tree(self.root, thorough=look % THOROUGH == 0)
            if now:
                self._alive[self] = now.memory_bytes
                largest = now.memory_bytes >= max(self._alive.copy().values())
                self._breach = _breach(now, self._limits, largest=largest)
            if self._breach:
                self.kill()
                return


def _breach(now: ProcessTree, limits: Limits, *, largest: bool) -> tuple[str, str] | None:
    """Of several workers the `largest` one is to blame where the machine has no memory left."""
    if now.memory_bytes > limits.memory_bytes:
        return "out_of_memory", f"used more than the {limits.memory_bytes // MIB} MiB it may"
    if now.tasks > limits.tasks:
        return "limit", f"had more than the {limits.tasks} processes and threads it may"
    if largest and psutil.virtual_memory().available < limits.reserve_bytes:
        return "out_of_memory", "the machine's memory was almost used up"
    return None


def _begun(pid: int) -> tuple[int, int]:
    """The inner init and the worker, once they are there; ProcessLookupError if they never are."""
    until = time.monotonic() + BEGIN_S
    while time.monotonic() < until:
        for init in proc.children(pid):
            for worker in proc.children(init):
                return init, worker
        if proc.ended(pid):
            break
        time.sleep(0.001)
    raise ProcessLookupError(f"process {pid} has started none of its own")
