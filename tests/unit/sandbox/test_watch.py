from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import psutil
import pytest

from harness.machine import proc
from harness.sandbox import watch
from harness.sandbox.limits import MIB, Limits
from harness.sandbox.watch import Watch

WORKER = "import time; held = bytearray({size}); held[::4096] = b'x' * len(held[::4096]); {then}"
THREADS = """
import threading, time
for _ in range(12):
    threading.Thread(target=time.sleep, args=(60,)).start()
"""
WAIT_S = 20.0


@contextmanager
def _nested(work: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that starts one that starts the one that works, as bubblewrap does."""
    inner = f"import subprocess, sys; subprocess.call([sys.executable, '-S', '-c', {work!r}])"
    outer = f"import subprocess, sys; subprocess.call([sys.executable, '-S', '-c', {inner!r}])"
    process = subprocess.Popen([sys.executable, "-S", "-c", outer], start_new_session=True)
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _limits(**own: int) -> Limits:
    usual = {"memory_bytes": 2**40, "reserve_bytes": 0, "tasks": 1000}
    return Limits(**{**usual, **own})


def _eventually(happened: Callable[[], object]) -> None:
    until = time.monotonic() + WAIT_S
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_the_worker_is_the_process_two_below() -> None:
    with _nested("import time; time.sleep(60)") as process:
        held = Watch(process.pid, _limits(), limit_data=True)
        assert psutil.Process(held.pid).parent().parent().pid == process.pid  # type: ignore[union-attr]
        held.close()
        held.close()  # twice harms nobody


@pytest.mark.parametrize(
    ("work", "limits", "reason", "message"),
    [
        (
            WORKER.format(size=300 * MIB, then="time.sleep(60)"),
            _limits(memory_bytes=200 * MIB),
            "out_of_memory",
            "used more than the 200 MiB it may",
        ),
        (
            THREADS,
            _limits(tasks=10),
            "limit",
            "had more than the 10 processes and threads it may",
        ),
        (
            "import time; time.sleep(60)",
            _limits(reserve_bytes=2**50),
            "out_of_memory",
            "the machine's memory was almost used up",
        ),
    ],
)
def test_what_goes_over_a_limit_is_ended(
    work: str, limits: Limits, reason: str, message: str
) -> None:
    with _nested(work) as process:
        held = Watch(process.pid, limits, limit_data=False)
        worker = psutil.Process(held.pid)
        _eventually(lambda: held.breach("forward"))
        breach = held.breach("forward")
        assert breach is not None
        assert (breach.stage, breach.reason, breach.message) == ("forward", reason, message)
        held.close()
        _eventually(lambda: process.poll() is not None)
        worker.kill()  # it has no namespace that would end with its parent


def test_where_the_machine_runs_out_of_memory_the_largest_worker_is_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    memory = SimpleNamespace(available=2**40)
    monkeypatch.setattr(watch.psutil, "virtual_memory", lambda: memory)
    large = WORKER.format(size=200 * MIB, then="time.sleep(60)")
    with _nested("import time; time.sleep(60)") as one, _nested(large) as other:
        small, hog = (
            Watch(it.pid, _limits(reserve_bytes=2**30), limit_data=False) for it in (one, other)
        )
        _eventually(lambda: proc.tree(hog.root).memory_bytes > 200 * MIB)  # type: ignore[union-attr]
        time.sleep(4 * watch.POLL_S)
        memory.available = 0
        _eventually(lambda: hog.breach("forward"))
        memory.available = 2**40
        assert small.breach("forward") is None
        os.kill(hog.pid, signal.SIGKILL)  # it has no namespace that would end with its parent
        small.close()
        hog.close()


def test_what_stays_below_is_left_alone() -> None:
    with _nested("import time; time.sleep(60)") as process:
        held = Watch(process.pid, _limits(), limit_data=False)
        time.sleep(4 * watch.POLL_S)
        assert held.breach("forward") is None
        assert process.poll() is None
        held.close()


def test_a_program_that_ends_at_once_is_no_process() -> None:
    process = subprocess.Popen(["true"])
    with pytest.raises(ProcessLookupError):
        Watch(process.pid, _limits(), limit_data=False)
    process.wait()


@pytest.mark.parametrize(
    ("returned", "status"),
    [(0, 0), (3, 3), (128, 128), (137, -9), (139, -11), (255, 255), (-15, -15)],
)
def test_a_signal_is_read_from_the_returned_status(returned: int, status: int) -> None:
    with _nested("import time; time.sleep(60)") as process:
        held = Watch(process.pid, _limits(), limit_data=False)
        assert held.status(returned) == status
        held.close()


def test_limits_must_be_limits() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Limits(tasks=0)
