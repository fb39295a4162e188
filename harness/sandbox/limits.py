"""How much a confined worker may use."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import resource
from dataclasses import dataclass, field

import psutil

MIB = 2**20
_OWN_COUNT = (5, 14)  # since then Linux counts a user namespace's processes apart from the others


@dataclass(frozen=True)
class Limits:
    """Of one worker with all its children."""

    # resident, shared pages included
    memory_bytes: int = field(default_factory=lambda: psutil.virtual_memory().total * 3 // 4)
    reserve_bytes: int = 512 * MIB  # of the machine's memory, which must stay available
    # processes and threads
    tasks: int = field(default_factory=lambda: 256 + 8 * (os.cpu_count() or 1))
    scratch_bytes: int = 256 * MIB  # of the one writable folder, and of any file
    open_files: int = 1024

    def __post_init__(self) -> None:
        if min(self.memory_bytes, self.tasks, self.scratch_bytes, self.open_files) < 1:
            raise ValueError("a limit must be at least 1")


def impose(limits: Limits, pid: int, *, data: bool) -> None:
    """Set the kernel's own limits on a process and the children that it will have.

    They are per process, except for the number of tasks; the watch sees to the rest. `data` limits
    private memory too, which CUDA reserves far more of than it uses.
    """
    caps = {
        resource.RLIMIT_FSIZE: limits.scratch_bytes,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 8 * MIB,
    }
    if data:
        caps[resource.RLIMIT_DATA] = limits.memory_bytes
    if _kernel() >= _OWN_COUNT:  # an older one would count what the user runs elsewhere
        caps[resource.RLIMIT_NPROC] = limits.tasks
    for kind, cap in caps.items():
        with contextlib.suppress(ProcessLookupError):
            _, hard = resource.prlimit(pid, kind)
            cap = cap if hard == resource.RLIM_INFINITY else min(cap, hard)  # noqa: PLW2901
            resource.prlimit(pid, kind, (cap, cap))


def _kernel() -> tuple[int, int]:
    found = re.match(r"(\d+)\.(\d+)", platform.release())
    return (int(found[1]), int(found[2])) if found else (0, 0)
