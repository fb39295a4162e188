"""What kept the processors from those who were measured: other processes, the host, a quota."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from harness.core.disturbances import OTHERS, STEAL, THROTTLED
from harness.machine import proc

LEAST_S = 0.5  # ticks are 10 ms
_CPU_STAT = "sys/fs/cgroup/cpu.stat"
_IDLE = ("idle", "iowait", "steal")


@dataclass(frozen=True)
class ProcessorTimes:
    """Seconds until now: `busy_s` of all processors, `own_s` of this process and all below it."""

    at_s: float
    busy_s: float
    steal_s: float
    own_s: float
    throttled_s: float = 0.0  # for which a quota stopped the control group


def until_now(root: Path = Path("/")) -> ProcessorTimes | None:
    """As they are now; None where the system does not tell."""
    ticks, own = proc.cpu_ticks(root), proc.tree(os.getpid())
    if ticks is None or own is None:
        return None
    busy = sum(ticks.values()) - sum(ticks[name] for name in _IDLE)
    return ProcessorTimes(
        time.monotonic(),
        busy / proc.TICKS,
        ticks["steal"] / proc.TICKS,
        own.cpu_s,
        _throttled_s(root),
    )


def between(before: ProcessorTimes | None, after: ProcessorTimes | None) -> dict[str, str]:
    """Cores that others used, and shares of the time that a host or a quota took.

    For `Environment.seen`; empty where the system does not tell, or in too short a time.
    """
    if before is None or after is None or (took_s := after.at_s - before.at_s) < LEAST_S:
        return {}
    others_s = after.busy_s - before.busy_s - (after.own_s - before.own_s)
    return {
        OTHERS: f"{max(others_s, 0.0) / took_s:.2f}",
        STEAL: f"{(after.steal_s - before.steal_s) / took_s:.3f}",
        THROTTLED: f"{(after.throttled_s - before.throttled_s) / took_s:.3f}",
    }


def _throttled_s(root: Path) -> float:
    for line in proc.lines(root / _CPU_STAT):
        name, _, microseconds = line.partition(" ")
        if name == "throttled_usec" and microseconds.isdecimal():
            return int(microseconds) / 1e6
    return 0.0
