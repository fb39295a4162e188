"""What NVML says of the GPUs, through pynvml (the package nvidia-ml-py). Reads only.

Not exercised on a real GPU here: the logic is tested with a fake library.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

INDEX = 0  # the harness measures on the first visible GPU


def stable(library: Any = None) -> dict[str, str]:
    """Name, driver and memory of the GPU; empty where there is none."""
    with _opened(library) as nvml:
        if nvml is None:
            return {}
        handle = nvml.nvmlDeviceGetHandleByIndex(INDEX)
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
    with _opened(library) as nvml:
        if nvml is None:
            return {}
        handle = nvml.nvmlDeviceGetHandleByIndex(INDEX)
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


def process_bytes(pid: int, library: Any = None) -> int:
    """GPU memory of one process in bytes, 0 where NVML does not tell."""
    with _opened(library) as nvml:
        if nvml is None:
            return 0
        with contextlib.suppress(nvml.NVMLError):
            handle = nvml.nvmlDeviceGetHandleByIndex(INDEX)
            for process in nvml.nvmlDeviceGetComputeRunningProcesses(handle):
                if process.pid == pid:
                    return int(process.usedGpuMemory or 0)
        return 0


@contextlib.contextmanager
def _opened(library: Any) -> Iterator[Any]:
    """The library between init and shutdown, None where there is no driver."""
    nvml = library or _pynvml()
    if nvml is None:
        yield None
        return
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        yield None
        return
    try:
        yield nvml
    finally:
        nvml.nvmlShutdown()


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
