"""Processor time and processes of a worker, read from /proc: the worker has no part in it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.audits.exchange import Exchange
from harness.audits.thresholds import (
    EXTRA_THREADS,
    IDLE_LOOKS,
    IDLE_SHARE,
    IDLE_WINDOW_S,
    THREADS_LEAST_S,
)
from harness.core.audit import Audit, AuditVerdict

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Busy:
    """A process and all below it."""

    cpu_s: float
    processes: int


def busy(root: int) -> Busy | None:
    """Processor time of `root` and everything below it, ended children too; None if untold."""
    total, number, left = 0.0, 0, [root]
    while left:
        pid = left.pop()
        try:
            fields = _read(pid, "stat").rpartition(")")[2].split()
        except OSError:
            if pid == root:
                return None
            continue
        number += 1
        total += sum(int(it) for it in fields[11:15]) / _TICKS
        left += _children(pid)
    return Busy(total, number)


def threads(exchanges: Sequence[Exchange], allowed: int) -> Audit | None:
    """Whether forwards used more processor time than `allowed` threads can; None if untold."""
    told = [it for it in exchanges if it.cpu_s is not None]
    wall_s = sum(it.wall_s for it in told)
    if not told:
        return None
    used = sum(it.cpu_s or 0.0 for it in told) / wall_s
    evidence = f"{used:.2f} cores over {wall_s:.2f} s of forwards, {allowed} declared"
    if wall_s < THREADS_LEAST_S:
        return Audit("threads", "ok", f"{evidence}: too short to tell")
    level: AuditVerdict = "suspect" if used > allowed + EXTRA_THREADS else "ok"
    return Audit("threads", level, evidence)


def idle(root: int, *, pause: Callable[[float], None] = time.sleep) -> Audit | None:
    """Whether the worker is at work although nothing was asked of it.

    It is looked at again and again until it rests; only one that never does is suspect.
    """
    shares = []
    for _ in range(IDLE_LOOKS):
        before, began = busy(root), time.perf_counter()
        pause(IDLE_WINDOW_S)
        after, took_s = busy(root), time.perf_counter() - began
        if before is None or after is None:
            return None
        shares.append((after.cpu_s - before.cpu_s) / took_s)
        if shares[-1] <= IDLE_SHARE:
            text = f"{100 * shares[-1]:.0f} % of a core {len(shares) * IDLE_WINDOW_S:.1f} s after"
            return Audit("idle", "ok", f"{text} a forward")
    seconds = IDLE_LOOKS * IDLE_WINDOW_S
    text = f"{min(shares):.2f} cores or more for {seconds:.1f} s after a forward had ended"
    return Audit("idle", "suspect", text)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - fast
            with contextlib.suppress(OSError):
                found += map(int, _read(pid, f"task/{thread}/children").split())
    return found


def _read(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text(encoding="ascii", errors="replace")
