"""The seam for a sandbox: how a worker's command becomes a confined one, and what watches it."""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from harness.core.outcome import Failed, Stage

PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")
PASSED_ON_PREFIXES = ("COVERAGE_", "OPENBLAS_")
HEAP = "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=1099511627776"
"""Memory that was freed stays with the process until its worker rests. By glibc's defaults it goes
back to the system and is mapped again within each forward, or not, as the heap has happened to
grow: up to a third of a forward's time, which one process has and the next has not."""


class NotConfined(ValueError):
    """A command or an entry can't be put into a sandbox; the message says why."""


@dataclass(frozen=True)
class Confined:
    """A command that is ready to be started, and the descriptors that it needs besides its own.

    `environment` replaces or adds variables; `close` is called when the command has been started.
    """

    command: list[str]
    descriptors: tuple[int, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)

    def close(self) -> None:
        """Close our copies of the descriptors."""
        for descriptor in self.descriptors:
            os.close(descriptor)


class Hold:
    """What the trusted side has of a worker that runs: its process, and an end to it.

    Of one that is not confined: nothing is watched, and the group that it leads can be ended.

    pid   the process that holds the submission
    root  the process that the submission and whatever it starts stand below
    """

    def __init__(self, pid: int, *, root: int = 0) -> None:
        self.pid = pid
        self.root = root or pid

    def breach(self, stage: Stage) -> Failed | None:  # noqa: ARG002
        """The limit that the worker went over, if that is why it was ended."""
        return None

    def status(self, returned: int) -> int:
        """The worker's own status from that of the process that was started: -n for signal n."""
        return returned

    def kill(self) -> None:
        """End everything that was started, at once."""
        signal_group(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Stop watching."""


class Confinement(Protocol):
    """How workers are started."""

    @property
    def name(self) -> str:
        """What records and pages say of it; "none" isolates nothing."""

    def wrap(self, command: list[str], *, readable: tuple[Path, ...]) -> Confined:
        """What runs `command` with nothing but `readable` in reach."""

    def hold(self, pid: int) -> Hold:
        """Take hold of what was started as `pid`; ProcessLookupError when it has ended already."""


class NoConfinement:
    """A process of its own, with the rights of whoever runs the harness."""

    name = "none"

    def wrap(self, command: list[str], *, readable: tuple[Path, ...]) -> Confined:  # noqa: ARG002
        """The command as it is."""
        return Confined(command)

    def hold(self, pid: int) -> Hold:
        """The process group."""
        return Hold(pid)


def signal_group(pid: int, number: signal.Signals) -> None:
    """A signal to the group that `pid` leads, if there is one."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def worker_environment(threads: int) -> dict[str, str]:
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
        "GLIBC_TUNABLES": HEAP,
        "PYTHONHASHSEED": "0",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # the order that NVML numbers GPUs in
    }
