"""What of this machine decides how well it measures. Reads only: nothing is ever changed.

Everything comes from /proc and /sys below a root that tests can make up, and what a system does
not tell is left out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from harness.machine import environment as machine
from harness.machine import proc

HostLevel = Literal["ok", "note", "warning"]
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_PROC_BIND")
_BUSY = 20.0  # per cent of a core, from which another process disturbs
_STEAL = 0.01  # share of time
_FREE_GIB = 2.0


@dataclass(frozen=True)
class HostCheck:
    """One thing that was looked at; `advice` says what to do where it is off."""

    name: str
    value: str
    level: HostLevel = "ok"
    advice: str = ""


def host_checks(root: Path = Path("/"), *, wait_s: float = 1.0) -> tuple[HostCheck, ...]:
    """Cores, governor, load, steal, company, threads, memory, by the order of their weight.

    Takes `wait_s` seconds, over which steal and other processes are watched.
    """
    before = proc.cpu_ticks(root)
    busy = busy_processes(wait_s)
    found = (
        cores(root, machine.usable_cores(), os.cpu_count() or 1),
        governor(root),
        boost(root),
        load(os.getloadavg()[0], machine.usable_cores()),
        steal(before, proc.cpu_ticks(root)),
        company(busy),
        threads(os.environ),
        memory(psutil.virtual_memory().available),
        virtual(root),
    )
    return tuple(it for it in found if it is not None)


def cores(root: Path, usable: int, present: int) -> HostCheck:
    """Processors at hand, and the quota that a container may have of them."""
    quota = _quota(root)
    text = f"{usable} of {present} usable"
    if quota is not None and quota < usable:
        return HostCheck(
            "cores",
            f"{text}, a quota of {quota:g}",
            "warning",
            f"The container is stopped whenever it has used {quota:g} cores' time: run with "
            f"--threads {max(int(quota), 1)}, or raise the quota.",
        )
    if usable < 2:
        advice = "The harness and the models share one core: leave a second one to the harness."
        return HostCheck("cores", text, "warning", advice)
    return HostCheck("cores", text)


def governor(root: Path) -> HostCheck | None:
    """How the kernel chooses clocks; None where it does not tell."""
    files = (root / "sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_governor")
    found = sorted({_read(path) for path in files} - {""})
    if not found:
        return None
    text = ", ".join(found)
    if found == ["performance"]:
        return HostCheck("governor", text)
    advice = "Clocks follow the load: `cpupower frequency-set -g performance` keeps them up."
    return HostCheck("governor", text, "warning", advice)


def boost(root: Path) -> HostCheck | None:
    """Whether clocks rise while it is cool; None where the system does not tell."""
    off = _read(root / "sys/devices/system/cpu/intel_pstate/no_turbo")
    on = _read(root / "sys/devices/system/cpu/cpufreq/boost")
    if not off and not on:
        return None
    if off == "1" or on == "0":
        return HostCheck("boost", "off")
    advice = "Clocks sink as the machine warms up: interleaved checks bear it, single runs do not."
    return HostCheck("boost", "on", "note", advice)


def load(average: float, usable: int) -> HostCheck:
    """Load average of the last minute."""
    text = f"{average:.2f} on {usable} cores"
    if average <= 0.25 * usable:
        return HostCheck("load", text)
    return HostCheck("load", text, "warning", "Something else computes: wait for it or stop it.")


def steal(before: Mapping[str, int] | None, after: Mapping[str, int] | None) -> HostCheck | None:
    """The share of time that a hypervisor gave to others; None where the system does not tell."""
    if before is None or after is None:
        return None
    total = sum(after.values()) - sum(before.values())
    share = (after["steal"] - before["steal"]) / total if total > 0 else 0.0
    if share <= _STEAL:
        return HostCheck("steal", f"{share:.1%}")
    advice = "The host gives this machine's cores to others: use a dedicated one for figures."
    return HostCheck("steal", f"{share:.1%}", "warning", advice)


def busy_processes(wait_s: float) -> list[tuple[str, float]]:
    """Names of other processes and per cent of a core that they used over `wait_s`, busiest first.

    The names are the processes' own.
    """
    watched = [it for it in psutil.process_iter(["name"]) if it.pid != os.getpid()]
    for process in watched:
        _quietly(lambda it=process: it.cpu_percent(None))  # type: ignore[misc]
    time.sleep(wait_s)
    used = [
        (str(process.info["name"] or process.pid), percent)
        for process in watched
        if (percent := _quietly(lambda it=process: it.cpu_percent(None)))  # type: ignore[misc]
    ]
    return sorted(used, key=lambda it: -it[1])


def company(busy: list[tuple[str, float]]) -> HostCheck:
    """Other processes that compute."""
    loud = [f"{name} ({percent:.0f} %)" for name, percent in busy if percent >= _BUSY]
    if not loud:
        return HostCheck("other processes", "none that computes")
    text = ", ".join(loud[:5]) + (f" and {len(loud) - 5} more" if len(loud) > 5 else "")
    return HostCheck("other processes", text, "warning", "They take turns with what is measured.")


def threads(environment: Mapping[str, str]) -> HostCheck:
    """Thread settings of the shell, which workers do not see."""
    told = [f"{name}={environment[name]}" for name in THREADS if name in environment]
    if not told:
        return HostCheck("thread settings", "none")
    advice = "Workers do not see them: `--threads` says how many threads a model has."
    return HostCheck("thread settings", ", ".join(told), "note", advice)


def memory(available: int) -> HostCheck:
    """Memory that can be had without swapping, of `available` bytes."""
    gib = available / 2**30
    text = f"{gib:.1f} GiB available"
    if gib >= _FREE_GIB:
        return HostCheck("memory", text)
    return HostCheck("memory", text, "warning", "A check holds three processes with torch at once.")


def isolation(trouble: str) -> HostCheck:
    """Whether the sandbox for entries holds here; `trouble` says why not."""
    if not trouble:
        return HostCheck("sandbox", "bubblewrap, tried and holding")
    advice = "Entries run with your rights: install bubblewrap; `esr sandbox` tells what holds."
    return HostCheck("sandbox", f"none: {trouble}", "warning", advice)


def virtual(root: Path) -> HostCheck | None:
    """Whether this is a virtual machine; None where it is not, or does not tell."""
    if "hypervisor" not in proc.cpu_facts(root).get("flags", "").split():
        return None
    advice = "Others may share its cores and caches unseen: trust ratios, not absolute times."
    return HostCheck("virtual machine", "yes", "note", advice)


def _quota(root: Path) -> float | None:
    """Cores that the control group may use, None where it is not limited."""
    limit, _, period = _read(root / "sys/fs/cgroup/cpu.max").partition(" ")
    if not limit.isdecimal() or not period.isdecimal() or not int(period):
        return None
    return int(limit) / int(period)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _quietly(ask: Callable[[], float]) -> float:
    """A process may be gone, or not ours to ask."""
    try:
        return ask()
    except psutil.Error:
        return 0.0
