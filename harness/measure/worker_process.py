"""One worker process: started clean, asked with deadlines, stopped for certain."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self, TypeVar

from harness.core.outcome import Failed, Stage, failed
from harness.machine import proc
from harness.measure import worker_group
from harness.measure.worker_log import Log
from harness.sandbox.confinement import (
    Confinement,
    Hold,
    NotConfined,
    signal_group,
    worker_environment,
)
from harness.wire.channel import Channel, Closed
from harness.wire.codec import ProtocolError
from harness.wire.messages import Answer, Request, Stop, Trouble

GRACE_S = 2.0  # for each rung of the stop ladder
STOPPED_S = 2.0  # in which a system call that has begun ends, so that the process is stopped
LOOK_S = 0.0005
A = TypeVar("A", bound=Answer)


class WorkerFailed(Exception):
    """The submission failed; the reason is a value."""

    def __init__(self, failure: Failed) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Abandoned(Exception):
    """The harness itself ended the worker (see `abandon`): nothing is known of the submission."""


class WorkerProcess:
    """A running worker. Use it as a context manager: leaving stops its whole process group.

    What it prints goes to the file `log`, which is emptied first (see `worker_log`). A folder of
    `packages` is found before those of the harness.
    """

    def __init__(
        self,
        log: Path,
        *,
        threads: int,
        readable: tuple[Path, ...] = (),
        packages: str = "",
        confinement: Confinement,
    ) -> None:
        ours, theirs = socket.socketpair()
        # as -I, which would also ignore PYTHONHASHSEED: the allow-list lets no other PYTHON* in
        # utf8: what an entry prints and reads does not depend on whose locale it runs under
        options = ("-s", "-P", "-B", "-X", "utf8", "-m", "harness.worker", str(theirs.fileno()))
        command = [sys.executable, *options, *filter(None, [packages])]
        self._channel = Channel(ours, asking=True)
        self._log = Log(log)
        self._abandoned = False
        try:
            with (
                theirs,
                contextlib.closing(confinement.wrap(command, readable=readable)) as confined,
            ):
                self._process = subprocess.Popen(
                    confined.command,
                    stdin=subprocess.DEVNULL,
                    stdout=self._log.sink,
                    stderr=self._log.sink,
                    pass_fds=[theirs.fileno(), *confined.descriptors],
                    start_new_session=True,
                    env=worker_environment(threads) | confined.environment,
                )
        except NotConfined as error:
            self._closed()
            raise WorkerFailed(failed("load", "not_confined", str(error))) from None
        except BaseException:
            self._closed()
            raise
        self._group = worker_group.current()
        self._group.add(self)
        self._hold = Hold(self._process.pid)
        try:
            self._hold = confinement.hold(self._process.pid)
        except BaseException as error:
            self.kill()
            self.stop()
            if self._abandoned:
                raise Abandoned("the harness gave up the run") from None
            if isinstance(error, ProcessLookupError):
                message = f"{confinement.name} ended before the worker had begun (see the log)"
                raise WorkerFailed(failed("load", "not_confined", message)) from None
            raise

    def _closed(self) -> None:
        self._channel.close()
        self._log.close()

    @property
    def pid(self) -> int:
        """The process id of the worker."""
        return self._hold.pid

    @property
    def root(self) -> int:
        """The process that the worker and all of its children stand below."""
        return self._hold.root

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
        """The answer to `request`, or WorkerFailed with the reason at this `stage`.

        `deadline_s` is for both ways together. Abandoned after `abandon`.
        """
        until = time.monotonic() + deadline_s
        try:
            self._channel.send(request, payload, deadline_s=deadline_s)
            answer, attachment = self._channel.receive(
                deadline_s=until - time.monotonic(), payload_cap=payload_cap
            )
        except TimeoutError:
            message = f"no answer within {deadline_s:g} s"
            raise WorkerFailed(failed(stage, "timeout", message)) from None
        except Closed:
            raise WorkerFailed(self._ended(stage)) from None
        except ProtocolError as error:
            raise WorkerFailed(failed(stage, "protocol", str(error))) from None
        if isinstance(answer, Trouble):
            if answer.detail:
                self._log.note(answer.detail)
            raise WorkerFailed(failed(stage, answer.reason, answer.message))
        if not isinstance(answer, expected):
            message = f"{type(answer).__name__} is no answer to {type(request).__name__}"
            raise WorkerFailed(failed(stage, "protocol", message))
        return answer, attachment

    def rest(self) -> None:
        """Stop every process of the worker where it is, until `wake`."""
        self._signal(signal.SIGSTOP)
        until = time.monotonic() + STOPPED_S
        while proc.running(self.root) and time.monotonic() < until:
            time.sleep(LOOK_S)

    def wake(self) -> None:
        """Let every process of the worker go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process.poll() is None:  # else its process ids may be others' by now
            signal_group(self._process.pid, number)
            proc.signalled(self.root, number)

    def stop(self) -> None:
        """Ask, then terminate, then kill the process group, and wait for the end."""
        self.wake()
        with contextlib.suppress(Closed, TimeoutError, OSError):
            self._channel.send(Stop(), deadline_s=GRACE_S)
        for rung in (None, signal.SIGTERM, signal.SIGKILL):
            if rung is not None:
                signal_group(self._process.pid, rung)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE_S)
                break
        self.kill()  # children that outlived the worker
        self._process.wait()
        self._hold.close()
        self._closed()
        self._group.discard(self)

    def kill(self) -> None:
        """End the process group at once, and whatever else the confinement started."""
        self._hold.kill()
        signal_group(self._process.pid, signal.SIGKILL)

    def abandon(self) -> None:
        """Kill it for a reason of our own: whoever waits for an answer gets Abandoned."""
        self._abandoned = True
        self.kill()
        self._channel.hang_up()  # a child that left the process group may hold the other end open

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.kill()
        self.stop()

    def _ended(self, stage: Stage) -> Failed:
        if self._abandoned:
            raise Abandoned("the harness gave up the run") from None
        try:
            status = self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            return failed(stage, "protocol", "the process closed its channel and went on running")
        if breach := self._hold.breach(stage):
            return breach
        status = self._hold.status(status)
        if status >= 0:
            return failed(stage, "exited", f"the process ended by itself with status {status}")
        hint = "; the machine may have run out of memory" if -status == signal.SIGKILL else ""
        return failed(stage, "killed", f"the process was ended by {_signal_name(-status)}{hint}")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most real-time signals have no name
        return f"signal {number}"
