"""What NVML says of the GPUs, through pynvml (the package nvidia-ml-py). Reads only."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

VISIBLE = "CUDA_VISIBLE_DEVICES"


def stable(library: Any = None) -> dict[str, str]:
    """Name, driver and memory of the GPU; empty where there is none."""
    with opened(library) as found:
        if found is None:
            return {}
        nvml, handle = found
        return _facts(
            {
                "gpu": lambda: _text(nvml.nvmlDeviceGetName(handle)),
                "driver": lambda: _text(nvml.nvmlSystemGetDriverVersion()),
                "gpu_memory_mib": lambda: nvml.nvmlDeviceGetMemoryInfo(handle).total >> 20,
            },
            nvml.NVMLError,
        )


def seen(library: Any = None) -> dict[str, str]:
    """Clocks, temperature, throttle reasons and foreign processes at this moment."""
    with opened(library) as found:
        if found is None:
            return {}
        nvml, handle = found
        return _facts(
            {
                "sm_clock_mhz": lambda: nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM),
                "memory_clock_mhz": lambda: nvml.nvmlDeviceGetClockInfo(
                    handle, nvml.NVML_CLOCK_MEM
                ),
                "temperature_c": lambda: nvml.nvmlDeviceGetTemperature(
                    handle, nvml.NVML_TEMPERATURE_GPU
                ),
                "throttle_reasons": lambda: hex(
                    nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle)
                ),
                "processes": lambda: len(nvml.nvmlDeviceGetComputeRunningProcesses(handle)),
            },
            nvml.NVMLError,
        )


def conditions(library: Any = None) -> dict[str, str]:
    """What decides how fast and how evenly the GPU runs: clocks, limits, modes, company."""
    with opened(library) as found:
        if found is None:
            return {}
        nvml, gpu = found
        sm, memory = nvml.NVML_CLOCK_SM, nvml.NVML_CLOCK_MEM
        return _facts(
            {
                "gpu": lambda: _text(nvml.nvmlDeviceGetName(gpu)),
                "driver": lambda: _text(nvml.nvmlSystemGetDriverVersion()),
                "sm_clock_mhz": lambda: nvml.nvmlDeviceGetClockInfo(gpu, sm),
                "sm_clock_max_mhz": lambda: nvml.nvmlDeviceGetMaxClockInfo(gpu, sm),
                "memory_clock_mhz": lambda: nvml.nvmlDeviceGetClockInfo(gpu, memory),
                "memory_clock_max_mhz": lambda: nvml.nvmlDeviceGetMaxClockInfo(gpu, memory),
                "power_limit_mw": lambda: nvml.nvmlDeviceGetPowerManagementLimit(gpu),
                "power_default_mw": lambda: nvml.nvmlDeviceGetPowerManagementDefaultLimit(gpu),
                "throttle_reasons": lambda: hex(
                    nvml.nvmlDeviceGetCurrentClocksThrottleReasons(gpu)
                ),
                "ecc": lambda: int(nvml.nvmlDeviceGetEccMode(gpu)[0]),
                "mig": lambda: int(nvml.nvmlDeviceGetMigMode(gpu)[0]),
                "persistence": lambda: int(nvml.nvmlDeviceGetPersistenceMode(gpu)),
                "processes": lambda: len(nvml.nvmlDeviceGetComputeRunningProcesses(gpu)),
            },
            nvml.NVMLError,
        )


def process_bytes(pid: int, library: Any = None) -> int | None:
    """GPU memory of one process in bytes, None where NVML does not tell (in a container, say)."""
    with opened(library) as found:
        if found is None:
            return None
        nvml, handle = found
        with contextlib.suppress(nvml.NVMLError):
            for process in nvml.nvmlDeviceGetComputeRunningProcesses(handle):
                if process.pid == pid and process.usedGpuMemory is not None:
                    return int(process.usedGpuMemory)
        return None


@contextlib.contextmanager
def opened(library: Any) -> Iterator[tuple[Any, Any] | None]:
    """The library and the GPU's handle between init and shutdown, None without driver or GPU."""
    nvml = library or _pynvml()
    if nvml is None:
        yield None
        return
    with contextlib.ExitStack() as stack:
        found = None
        with contextlib.suppress(nvml.NVMLError):
            nvml.nvmlInit()
            stack.callback(nvml.nvmlShutdown)
            handle = _handle(nvml)
            found = None if handle is None else (nvml, handle)
        yield found


def _handle(nvml: Any) -> Any:
    """The GPU that a worker sees first, by index or UUID; None where it sees none.

    As CUDA reads it: number 0 where nothing is set, and no GPU at all from the first entry on that
    names none ("", "-1").
    """
    first = os.environ.get(VISIBLE, "0").partition(",")[0].strip()
    if first.startswith(("GPU-", "MIG-")):
        return nvml.nvmlDeviceGetHandleByUUID(first)
    return nvml.nvmlDeviceGetHandleByIndex(int(first)) if first.isdecimal() else None


def _pynvml() -> Any:
    try:
        import pynvml
    except ImportError:
        return None
    return pynvml


def _facts(asked: dict[str, Callable[[], object]], error: type[Exception]) -> dict[str, str]:
    """Each answer as text; one that this GPU does not support is left out."""
    facts = {}
    for name, ask in asked.items():
        with contextlib.suppress(error):
            facts[name] = str(ask())
    return facts


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
