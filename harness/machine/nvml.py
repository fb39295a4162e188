"""What NVML says of the GPUs, through pynvml (the package nvidia-ml-py). Reads only."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

VISIBLE = "CUDA_VISIBLE_DEVICES"
_QUESTIONS: Mapping[str, Callable[[Any, Any], object]] = {
    "gpu": lambda nvml, gpu: _text(nvml.nvmlDeviceGetName(gpu)),
    "driver": lambda nvml, _: _text(nvml.nvmlSystemGetDriverVersion()),
    "gpu_memory_mib": lambda nvml, gpu: nvml.nvmlDeviceGetMemoryInfo(gpu).total >> 20,
    "sm_clock_mhz": lambda nvml, gpu: nvml.nvmlDeviceGetClockInfo(gpu, nvml.NVML_CLOCK_SM),
    "sm_clock_max_mhz": lambda nvml, gpu: nvml.nvmlDeviceGetMaxClockInfo(gpu, nvml.NVML_CLOCK_SM),
    "memory_clock_mhz": lambda nvml, gpu: nvml.nvmlDeviceGetClockInfo(gpu, nvml.NVML_CLOCK_MEM),
    "memory_clock_max_mhz": lambda nvml, gpu: nvml.nvmlDeviceGetMaxClockInfo(
        gpu, nvml.NVML_CLOCK_MEM
    ),
    "temperature_c": lambda nvml, gpu: nvml.nvmlDeviceGetTemperature(
        gpu, nvml.NVML_TEMPERATURE_GPU
    ),
    "power_limit_mw": lambda nvml, gpu: nvml.nvmlDeviceGetPowerManagementLimit(gpu),
    "power_default_mw": lambda nvml, gpu: nvml.nvmlDeviceGetPowerManagementDefaultLimit(gpu),
    "throttle_reasons": lambda nvml, gpu: hex(nvml.nvmlDeviceGetCurrentClocksThrottleReasons(gpu)),
    "ecc": lambda nvml, gpu: int(nvml.nvmlDeviceGetEccMode(gpu)[0]),
    "mig": lambda nvml, gpu: int(nvml.nvmlDeviceGetMigMode(gpu)[0]),
    "persistence": lambda nvml, gpu: int(nvml.nvmlDeviceGetPersistenceMode(gpu)),
    "processes": lambda nvml, gpu: len(nvml.nvmlDeviceGetComputeRunningProcesses(gpu)),
}


def stable(library: Any = None) -> dict[str, str]:
    """Name, driver and memory of the GPU; empty where there is none."""
    return _told(("gpu", "driver", "gpu_memory_mib"), library)


def uuid(library: Any = None) -> str:
    """Which of all GPUs it is, "" where there is none."""
    with opened(library) as found:
        if found is not None:
            nvml, gpu = found
            with contextlib.suppress(nvml.NVMLError):
                return _text(nvml.nvmlDeviceGetUUID(gpu))
        return ""


def seen(library: Any = None) -> dict[str, str]:
    """Clocks, temperature, throttle reasons and foreign processes at this moment."""
    names = ("sm_clock_mhz", "memory_clock_mhz", "temperature_c", "throttle_reasons", "processes")
    return _told(names, library)


def conditions(library: Any = None) -> dict[str, str]:
    """All of that, and what else decides how fast and how evenly the GPU runs: limits, modes."""
    return _told(_QUESTIONS, library)


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


def memory(library: Any = None) -> tuple[int, int] | None:
    """Free and all bytes of the GPU's memory, None without one."""
    with opened(library) as found:
        if found is None:
            return None
        nvml, handle = found
        with contextlib.suppress(nvml.NVMLError):
            info = nvml.nvmlDeviceGetMemoryInfo(handle)
            return int(info.free), int(info.total)
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


def _told(names: Iterable[str], library: Any) -> dict[str, str]:
    """Each answer as text; one that this GPU does not support is left out."""
    with opened(library) as found:
        if found is None:
            return {}
        nvml, gpu = found
        facts = {}
        for name in names:
            with contextlib.suppress(nvml.NVMLError):
                facts[name] = str(_QUESTIONS[name](nvml, gpu))
        return facts


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
