"""What machine and software this is: the fingerprint that makes runtimes comparable."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from importlib import metadata

import psutil

from harness.core.counter_registry import COUNTERS
from harness.core.record import Environment
from harness.machine import nvml, proc

LIBRARIES = ("torch", "numpy", "safetensors")
COUNTING = ("torch", *(it.package for it in COUNTERS if it.package))


def usable_cores() -> int:
    """Processors that this process may run on."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1


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
    digest = hashlib.sha256(json.dumps(stable, sort_keys=True).encode()).hexdigest()[:16]
    return Environment(digest, stable, seen(device))


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
