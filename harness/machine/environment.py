"""What machine and software this is: the fingerprint that makes runtimes comparable."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import hmac
import json
import os
import platform
from importlib import metadata
from pathlib import Path

import psutil

from harness.core.counter_registry import COUNTERS
from harness.core.record import Environment
from harness.machine import nvml, proc

LIBRARIES = ("torch", "numpy", "safetensors")
MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
NAMED = "ESR_NODE"  # a variable: the name of a node whose machine id is not its own, as in images
M_ARENA_MAX = -8  # of mallopt(3)
COUNTING = ("torch", *(it.package for it in COUNTERS if it.package))


def usable_cores() -> int:
    """Processors that this process may run on."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1


def share_heap() -> None:
    """Threads of this process share one heap from now on, where the system's C library is glibc.

    In heaps of their own each keeps what it has freed: of 2K images 100 MiB more.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def environment(*, device: str, threads: int, isolation: str = "none") -> Environment:
    """The machine as it is now, with the name of the workers' confinement.

    Nothing here imports torch or touches a GPU's state.
    """
    stable = {
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu_name(),
        "cores": str(usable_cores()),
        "memory_gib": str(round(psutil.virtual_memory().total / 2**30)),
        "python": platform.python_version(),
        "device": device,
        "threads": str(threads),
        "isolation": isolation,
        **versions(LIBRARIES),
        **(nvml.stable() if device == "cuda" else {}),
    }
    return Environment(fingerprint(stable), stable, seen(device), node(device))


def fingerprint(stable: dict[str, str]) -> str:
    """The digest of what must be equal for runtimes to be comparable."""
    return hashlib.sha256(json.dumps(stable, sort_keys=True).encode()).hexdigest()[:16]


def node(device: str) -> str:
    """Which machine this is, and for "cuda" which of its GPUs: 12 hexadecimal digits.

    A keyed digest, since a machine id is confidential (machine-id(5)). `ESR_NODE` comes first, then
    the machine id; a machine without either goes by its host name.
    """
    name = os.environ.get(NAMED) or _machine_id() or platform.node()
    gpu = nvml.uuid() if device == "cuda" else ""
    return hmac.new(name.encode(), f"esr node {gpu}".encode(), hashlib.sha256).hexdigest()[:12]


def seen(device: str) -> dict[str, str]:
    """What may drift while a run goes on, as it is at this moment: a fresh look for each round.

    Load average and kernel; for "cuda" also the GPU's clocks (MHz), temperature (degrees Celsius),
    throttle reasons and number of processes, as far as NVML tells.
    """
    return {
        "load_average": " ".join(f"{load:.2f}" for load in psutil.getloadavg()),
        "kernel": platform.release(),
        **(nvml.seen() if device == "cuda" else {}),
    }


def versions(names: tuple[str, ...]) -> dict[str, str]:
    """Installed versions, read from package metadata: the packages are not imported."""
    return {name: _version(name) for name in names}


def _machine_id() -> str:
    for path in MACHINE_IDS:
        try:
            found = path.read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            continue
        if found and found != "uninitialized":  # as systemd leaves it in an image
            return found
    return ""


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _cpu_name() -> str:
    facts = proc.cpu_facts()
    model = facts.get("model name", platform.processor() or "unknown")
    family = "/".join(facts[key] for key in ("cpu family", "model", "stepping") if key in facts)
    return f"{model} ({family})" if family else model
