"""Processes and processors as Linux's /proc tells, from outside; other systems tell nothing.

psutil tells much of this too, but reads every process of the machine to find the children of one:
1.1 ms where this takes 0.1 ms, and a look may fall into a timed forward.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RESET_PEAK = b"5"  # proc(5), clear_refs: the peak resident set size becomes the current one
_PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class ProcessTree:
    """A process and all below it."""

    cpu_s: float  # ended children too
    memory_bytes: int  # resident, shared pages included
    tasks: int  # processes and threads


@dataclass(frozen=True)
class Resident:
    """Resident set in bytes, now and at its peak since the last reset."""

    now_bytes: int
    peak_bytes: int
    file_bytes: int = 0  # now, of files that are mapped: libraries, which come and go with pressure


def tree(root: int, *, thorough: bool = True) -> ProcessTree | None:
    """`root` and all below it (see `children`), None if it is gone or the system does not tell."""
    ticks = pages = tasks = 0
    for pid in _below(root, thorough=thorough):
        try:
            fields = _stat(pid)
            ticks += sum(map(int, fields[11:15]))
            tasks += int(fields[17])
            pages += int(fields[21])
        except (OSError, IndexError):  # it has just ended
            if pid == root:
                return None
    return ProcessTree(ticks / TICKS, pages * _PAGE, tasks)


def busy_share(root: int, window_s: float) -> float | None:
    """The share of a core that `root` and all below it use in a window; None where untold."""
    before, began = tree(root), time.perf_counter()
    time.sleep(window_s)
    after, took_s = tree(root), time.perf_counter() - began
    if before is None or after is None:
        return None
    return (after.cpu_s - before.cpu_s) / took_s


def children(pid: int, *, thorough: bool = True) -> list[int]:
    """Of every thread of a process, or of its first one alone."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        threads = os.listdir(f"/proc/{pid}/task") if thorough else (pid,)  # noqa: PTH208 - fast
        for thread in threads:
            with contextlib.suppress(OSError):
                found += map(int, _read(f"/proc/{pid}/task/{thread}/children").split())
    return found


def signalled(root: int, number: signal.Signals) -> None:
    """`root` and all below it get a signal, and what they start meanwhile."""
    reached: set[int] = set()
    while new := set(_below(root)) - reached:
        for pid in new:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        reached |= new


def running(root: int) -> bool:
    """Whether a thread of `root` or of what is below it uses a processor: a long system call goes
    on after SIGSTOP has been sent.
    """
    for pid in _below(root):
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - fast
                if _stat(f"{pid}/task/{thread}")[0] == b"R":
                    return True
    return False


def _below(root: int, *, thorough: bool = True) -> Iterator[int]:
    """`root` and all below it."""
    left = [root]
    while left:
        yield (pid := left.pop())
        left += children(pid, thorough=thorough)


def ended(pid: int) -> bool:
    """Whether a process is gone, or waits for its parent to know."""
    try:
        return _stat(pid)[0] in (b"Z", b"X")
    except OSError:
        return True


def resident(pid: int) -> Resident | None:
    """VmRSS, VmHWM and RssFile of a process; None where the system does not tell."""
    told = lines(Path(f"/proc/{pid}/status"))
    sizes = dict(line.split(":", 1) for line in told if ":" in line)
    if "VmRSS" not in sizes or "VmHWM" not in sizes:
        return None
    fields = (sizes.get(name, "0 kB") for name in ("VmRSS", "VmHWM", "RssFile"))
    return Resident(*map(_bytes, fields))


def tree_resident(root: int) -> Resident | None:
    """Of `root` and all below it, without the mapped files; each has a peak of its own, and shared
    pages count in each.
    """
    found = [it for it in map(resident, _below(root)) if it is not None]
    if not found:
        return None
    files = sum(it.file_bytes for it in found)
    now, peak = sum(it.now_bytes for it in found), sum(it.peak_bytes for it in found)
    return Resident(now - files, peak - files)


def reset_peak(root: int) -> bool:
    """Forget the peaks of `root` and all below it; False where the system lets us forget none."""
    forgotten = False
    for pid in _below(root):
        with contextlib.suppress(OSError):
            Path(f"/proc/{pid}/clear_refs").write_bytes(RESET_PEAK)
            forgotten = True
    return forgotten


def cpu_facts(root: Path = Path("/")) -> dict[str, str]:
    """What /proc/cpuinfo says of the first processor, by name; empty where there is none."""
    facts: dict[str, str] = {}
    for line in lines(root / "proc/cpuinfo"):
        name, _, value = line.partition(":")
        facts.setdefault(name.strip(), value.strip())
    return facts


def cpu_ticks(root: Path = Path("/")) -> dict[str, int] | None:
    """The first line of /proc/stat: ticks by kind, without those that are counted in others."""
    names = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
    fields = "".join(lines(root / "proc/stat")[:1]).split()[1 : len(names) + 1]
    if len(fields) < len(names):
        return None
    return {name: int(ticks) for name, ticks in zip(names, fields, strict=True)}


def lines(path: Path) -> list[str]:
    """Of a file that may not be there, or not be ours to read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _bytes(field: str) -> int:
    amount, _, unit = field.strip().partition(" ")
    return int(amount) * (1024 if unit.strip() == "kB" else 1)


def _stat(pid: int | str) -> list[bytes]:
    """The fields of proc(5) from the third, the state, on; of a process, or PROCESS/task/THREAD."""
    return _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return b"".join(iter(lambda: os.read(descriptor, 65536), b""))
    finally:
        os.close(descriptor)


def held_in_files(pid: int, folder: str) -> int:
    """Bytes in use of the file system that a process has at `folder`, 0 where it is ours as well.

    A confined worker's is in memory.
    """
    try:
        theirs = f"/proc/{pid}/root{folder}"
        if Path(theirs).stat().st_dev == Path(folder).stat().st_dev:
            return 0
        found = os.statvfs(theirs)
    except OSError:
        return 0
    return (found.f_blocks - found.f_bfree) * found.f_frsize
