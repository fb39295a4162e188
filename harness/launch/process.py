"""One worker process: started clean, asked with deadlines, stopped for certain."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Protocol, Self, TypeVar

from harness.core.outcome import Failed, Stage, failed
from harness.wire.channel import Channel, Closed
from harness.wire.codec import ProtocolError
from harness.wire.messages import Answer, Request, Stop, Trouble

PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")
PASSED_ON_PREFIXES = ("COVERAGE_", "OPENBLAS_")
GRACE_S = 2.0  # for each rung of the stop ladder
LOG_CAP = 4 * 1024 * 1024  # bytes of a submission's output that are kept
A = TypeVar("A", bound=Answer)


class WorkerFailed(Exception):
    """The submission failed; the reason is a value."""

    def __init__(self, failure: Failed) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Confinement(Protocol):
    """The seam for a sandbox: how a worker's command line becomes a confined one."""

    name: str

    def wrap(self, command: list[str], *, readable: tuple[Path, ...]) -> list[str]:
        """The command that runs `command` with nothing but `readable` in reach."""


class NoConfinement:
    """A process of its own, with the rights of whoever runs the harness."""

    name = "none"

    def wrap(self, command: list[str], *, readable: tuple[Path, ...]) -> list[str]:  # noqa: ARG002
        """The command as it is."""
        return command


class WorkerProcess:
    """A running worker. Use it as a context manager: leaving stops its whole process group."""

    def __init__(
        self,
        log: Path,
        *,
        threads: int,
        readable: tuple[Path, ...] = (),
        confinement: Confinement | None = None,
    ) -> None:
        ours, theirs = socket.socketpair()
        # as -I, which would also ignore PYTHONHASHSEED: the allow-list lets no other PYTHON* in
        command = [sys.executable, "-s", "-P", "-B", "-m", "harness.worker", str(theirs.fileno())]
        log.parent.mkdir(parents=True, exist_ok=True)
        with theirs, log.open("ab") as sink:
            self._process = subprocess.Popen(
                (confinement or NoConfinement()).wrap(command, readable=readable),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                env=environment(threads),
            )
        self._channel = Channel(ours)
        self._log = log

    @property
    def pid(self) -> int:
        """The process id of the worker."""
        return self._process.pid

    def ask(
        self,
        request: Request,
        expected: type[A],
        payload: bytes | memoryview = b"",
        *,
        stage: Stage,
        deadline_s: float,
        payload_cap: int = 0,
    ) -> tuple[A, bytearray]:
        """The answer to `request`, or WorkerFailed with the reason at this `stage`."""
        try:
            self._channel.send(request, payload, deadline_s=deadline_s)
            answer, attachment = self._channel.receive(
                deadline_s=deadline_s, payload_cap=payload_cap
            )
        except TimeoutError:
            message = f"no answer within {deadline_s:g} s"
            raise WorkerFailed(failed(stage, "timeout", message)) from None
        except Closed:
            raise WorkerFailed(self._ended(stage)) from None
        except ProtocolError as error:
            raise WorkerFailed(failed(stage, "protocol", str(error))) from None
        if isinstance(answer, Trouble):
            self._note(answer.detail)
            raise WorkerFailed(failed(stage, answer.reason, answer.message))
        if not isinstance(answer, expected):
            message = f"{type(answer).__name__} is no answer to {type(request).__name__}"
            raise WorkerFailed(failed(stage, "protocol", message))
        return answer, attachment

    def stop(self) -> None:
        """Ask, then terminate, then kill the process group, and wait for the end."""
        with contextlib.suppress(Closed, TimeoutError, OSError):
            self._channel.send(Stop(), deadline_s=GRACE_S)
        for rung in (None, signal.SIGTERM, signal.SIGKILL):
            if rung is not None:
                self._signal(rung)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE_S)
                break
        self._signal(signal.SIGKILL)  # children that outlived the worker
        self._process.wait()
        self._channel.close()
        _cut(self._log)

    def kill(self) -> None:
        """End the process group at once."""
        self._signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.kill()
        self.stop()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _ended(self, stage: Stage) -> Failed:
        try:
            status = self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            return failed(stage, "protocol", "the process closed its channel and went on running")
        if status >= 0:
            return failed(stage, "exited", f"the process ended by itself with status {status}")
        hint = "; the machine may have run out of memory" if -status == signal.SIGKILL else ""
        return failed(stage, "killed", f"the process was ended by {_signal_name(-status)}{hint}")

    def _note(self, detail: str) -> None:
        """Keep a traceback in the log, as far as the submission has left that one alone."""
        if detail:
            with (
                contextlib.suppress(OSError),
                self._log.open("a", encoding="utf-8", errors="replace") as log,
            ):
                log.write(f"\n{detail}\n")


def environment(threads: int) -> dict[str, str]:
    """What a worker sees of the environment: an allow-list, and the thread count in every form."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES)
    }
    count = str(threads)
    return kept | {
        "OMP_NUM_THREADS": count,
        "MKL_NUM_THREADS": count,
        "OPENBLAS_NUM_THREADS": count,
        "PYTHONHASHSEED": "0",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # the order that NVML numbers GPUs in
    }


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most real-time signals have no name
        return f"signal {number}"


def _cut(log: Path) -> None:
    with contextlib.suppress(OSError):
        if log.stat().st_size > LOG_CAP:
            os.truncate(log, LOG_CAP)
