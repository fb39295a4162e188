"""What of this machine decides how well it measures. Reads only: nothing is ever changed.

Everything comes from NVML, and from /proc and /sys below a root that tests can make up; what a
system does not tell is left out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil

from harness.machine import environment as machine
from harness.machine import nvml, proc
from harness.machine.gpu_monitor import THROTTLING

HostLevel = Literal["ok", "note", "warning"]
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_PROC_BIND")
_BUSY = 20.0  # per cent of a core, from which another process disturbs
_STEAL = 0.01  # share of time
_FREE_GIB = 2.0
_ON = {"0": "off", "1": "on"}
# of a GPU: what NVML calls it, its name, what is off with it, and what to do about that
_MODES = (
    ("mig", "MIG", "1", "A slice shares memory and power with its neighbours."),
    ("persistence", "persistence", "0", "`nvidia-smi -pm 1` keeps the driver loaded."),
    ("ecc", "ECC", "", ""),
)


@dataclass(frozen=True)
class HostCheck:
    """One thing that was looked at; `advice` says what to do where it is off."""

    name: str
    value: str
    level: HostLevel = "ok"
    advice: str = ""


def _judged(
    name: str, value: str, advice: str, *, off: bool, level: HostLevel = "warning"
) -> HostCheck:
    return HostCheck(name, value, level, advice) if off else HostCheck(name, value)


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
        advice = (
            f"The container is stopped whenever it has used {quota:g} cores' time: run with "
            f"--threads {max(int(quota), 1)}, or raise the quota."
        )
        return HostCheck("cores", f"{text}, a quota of {quota:g}", "warning", advice)
    advice = "The harness and the models share one core: leave a second one to the harness."
    return _judged("cores", text, advice, off=usable < 2)


def governor(root: Path) -> HostCheck | None:
    """How the kernel chooses clocks; None where it does not tell."""
    files = (root / "sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_governor")
    found = sorted({_read(path) for path in files} - {""})
    if not found:
        return None
    advice = "Clocks follow the load: `cpupower frequency-set -g performance` keeps them up."
    return _judged("governor", ", ".join(found), advice, off=found != ["performance"])


def boost(root: Path) -> HostCheck | None:
    """Whether clocks rise while it is cool; None where the system does not tell."""
    off = _read(root / "sys/devices/system/cpu/intel_pstate/no_turbo")
    on = _read(root / "sys/devices/system/cpu/cpufreq/boost")
    if not off and not on:
        return None
    boosts = off != "1" and on != "0"
    advice = "Clocks sink as the machine warms up: interleaved checks bear it, single runs do not."
    return _judged("boost", "on" if boosts else "off", advice, off=boosts, level="note")


def load(average: float, usable: int) -> HostCheck:
    """Load average of the last minute."""
    advice = "Something else computes: wait for it or stop it."
    text = f"{average:.2f} on {usable} cores"
    return _judged("load", text, advice, off=average > 0.25 * usable)


def steal(before: Mapping[str, int] | None, after: Mapping[str, int] | None) -> HostCheck | None:
    """The share of time that a hypervisor gave to others; None where the system does not tell."""
    if before is None or after is None:
        return None
    total = sum(after.values()) - sum(before.values())
    share = (after["steal"] - before["steal"]) / total if total > 0 else 0.0
    advice = "The host gives this machine's cores to others: use a dedicated one for figures."
    return _judged("steal", f"{share:.1%}", advice, off=share > _STEAL)


def busy_processes(wait_s: float) -> list[tuple[str, float]]:
    """Names of other processes and per cent of a core that they used over `wait_s`, busiest first.

    The names are the processes' own.
    """
    watched = [it for it in psutil.process_iter(["name"]) if it.pid != os.getpid()]
    for process in watched:
        _percent(process)
    time.sleep(wait_s)
    used = [
        (str(process.info["name"] or process.pid), percent)
        for process in watched
        if (percent := _percent(process))
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
    advice = "Workers do not see them: `--threads` says how many threads a model has."
    text = ", ".join(told) or "none"
    return _judged("thread settings", text, advice, off=bool(told), level="note")


def memory(available: int) -> HostCheck:
    """Memory that can be had without swapping, of `available` bytes."""
    gib = available / 2**30
    advice = "A check holds three processes with torch at once."
    return _judged("memory", f"{gib:.1f} GiB available", advice, off=gib < _FREE_GIB)


def isolation(trouble: str) -> HostCheck:
    """Whether the sandbox for entries holds here; `trouble` says why not."""
    advice = "Entries run with your rights: install bubblewrap; `esr sandbox` tells what holds."
    text = f"none: {trouble}" if trouble else "bubblewrap, tried and holding"
    return _judged("sandbox", text, advice, off=bool(trouble))


def virtual(root: Path) -> HostCheck | None:
    """Whether this is a virtual machine; None where it is not, or does not tell."""
    if "hypervisor" not in proc.cpu_facts(root).get("flags", "").split():
        return None
    advice = "Others may share its cores and caches unseen: trust ratios, not absolute times."
    return HostCheck("virtual machine", "yes", "note", advice)


def gpu_checks(library: Any = None) -> tuple[HostCheck, ...]:
    """Name, driver, clocks, limits, throttling, company and modes; empty without a GPU."""
    told = nvml.conditions(library)
    return (*_of_speed(told), *_of_use(told)) if told else ()


def _of_speed(told: dict[str, str]) -> Iterator[HostCheck]:
    advice = "An idle GPU clocks down: warm up before timing, or lock it (`nvidia-smi -lgc`)."
    yield HostCheck("GPU", told.get("gpu", "unknown"))
    if "driver" in told:
        yield HostCheck("driver", told["driver"])
    for name, key in (("SM clock", "sm_clock"), ("memory clock", "memory_clock")):
        if f"{key}_mhz" in told:
            now, most = told[f"{key}_mhz"], told.get(f"{key}_max_mhz", "")
            text = f"{now} MHz" + (f" of {most}" if most else "")
            yield _judged(name, text, advice, off=int(now) < 0.9 * int(most or 0), level="note")
    if "power_limit_mw" in told:
        limit, usual = int(told["power_limit_mw"]), int(told.get("power_default_mw", 0))
        advice = f"It is usually {usual / 1000:.0f} W: figures of other machines won't compare."
        text = f"{limit / 1000:.0f} W"
        yield _judged("power limit", text, advice, off=limit < usual, level="note")


def _of_use(told: dict[str, str]) -> Iterator[HostCheck]:
    if "throttle_reasons" in told:
        bits = int(told["throttle_reasons"], 16)
        reasons = ", ".join(name for bit, name in THROTTLING.items() if bits & bit)
        advice = "The GPU is slowed down right now: let it cool, or give it less to do."
        yield _judged("throttling", reasons or "none", advice, off=bool(reasons))
    if "processes" in told:
        others = told["processes"] if told["processes"] != "0" else ""
        advice = "Others compute on this GPU."
        yield _judged("GPU processes", others or "none", advice, off=bool(others))
    for key, name, bad, advice in _MODES:
        if told.get(key) in _ON:
            yield _judged(name, _ON[told[key]], advice, off=told[key] == bad, level="note")


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


def _percent(process: psutil.Process) -> float:
    """Per cent of a core since the last call; 0 of one that is gone, or not ours to ask."""
    try:
        return process.cpu_percent(None)
    except psutil.Error:
        return 0.0
