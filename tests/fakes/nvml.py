"""An NVML made for the purpose: the calls that the harness makes, on GPUs made of data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


class FakeNvmlError(Exception):
    """Stands for pynvml.NVMLError."""


@dataclass(frozen=True)
class Process:
    pid: int
    usedGpuMemory: int | None  # noqa: N815 - NVML's own spelling


@dataclass(frozen=True)
class MemoryInfo:
    total: int
    free: int


@dataclass(frozen=True)
class Violation:
    violationTime: int  # noqa: N815 - NVML's own spelling


@dataclass(frozen=True)
class Gpu:
    """What one GPU says; a field of None is not supported by it."""

    name: str | bytes | None = "Fake H100"
    memory: int | None = 80 * 2**30
    uuid: str | bytes | None = "GPU-1"
    clocks: Mapping[int, int] = field(default_factory=lambda: {1: 1980, 2: 2619})
    temperature: int | None = 41
    throttle: int | None = 0x4
    processes: tuple[Process, ...] | None = ()
    max_clocks: Mapping[int, int] = field(default_factory=lambda: {1: 1980, 2: 2619})
    power_mw: tuple[int, int] | None = (700_000, 700_000)  # limit, default
    ecc: int | None = 1
    mig: int | None = 0
    persistence: int | None = 1
    energy_mj: Iterator[int] | None = None  # of one question after the other
    throttles: Iterator[int] | None = None  # likewise, in place of `throttle`
    slowed_ns: Mapping[int, Iterator[int]] = field(default_factory=dict)  # by policy


class FakeNvml:
    """The module. `opened` counts init less shutdown: 0 when everything was put back."""

    NVMLError = FakeNvmlError
    NVML_CLOCK_SM = 1
    NVML_CLOCK_MEM = 2
    NVML_TEMPERATURE_GPU = 0

    def __init__(
        self, *gpus: Gpu, driver: str | bytes | None = "550.1", has_driver: bool = True
    ) -> None:
        self.gpus = gpus
        self.driver = driver
        self.has_driver = has_driver
        self.opened = 0

    def nvmlInit(self) -> None:  # noqa: N802
        if not self.has_driver:
            raise FakeNvmlError("Driver Not Loaded")
        self.opened += 1

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.opened -= 1

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Gpu:  # noqa: N802
        if not self.opened or index >= len(self.gpus):
            raise FakeNvmlError("Invalid Argument")
        return self.gpus[index]

    def nvmlSystemGetDriverVersion(self) -> Any:  # noqa: N802
        return _supported(self.driver)

    def nvmlDeviceGetName(self, gpu: Gpu) -> Any:  # noqa: N802
        return _supported(gpu.name)

    def nvmlDeviceGetUUID(self, gpu: Gpu) -> Any:  # noqa: N802
        return _supported(gpu.uuid)

    def nvmlDeviceGetMemoryInfo(self, gpu: Gpu) -> MemoryInfo:  # noqa: N802
        total = _supported(gpu.memory)
        return MemoryInfo(total, total // 2)

    def nvmlDeviceGetClockInfo(self, gpu: Gpu, kind: int) -> Any:  # noqa: N802
        return _supported(gpu.clocks.get(kind))

    def nvmlDeviceGetTemperature(self, gpu: Gpu, _sensor: int) -> Any:  # noqa: N802
        return _supported(gpu.temperature)

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, gpu: Gpu) -> Any:  # noqa: N802
        return next(gpu.throttles) if gpu.throttles else _supported(gpu.throttle)

    def nvmlDeviceGetViolationStatus(self, gpu: Gpu, policy: int) -> Violation:  # noqa: N802
        return Violation(next(_supported(gpu.slowed_ns.get(policy))))

    def nvmlDeviceGetTotalEnergyConsumption(self, gpu: Gpu) -> int:  # noqa: N802
        return int(next(_supported(gpu.energy_mj)))

    def nvmlDeviceGetComputeRunningProcesses(self, gpu: Gpu) -> Any:  # noqa: N802
        return _supported(gpu.processes)

    def nvmlDeviceGetMaxClockInfo(self, gpu: Gpu, kind: int) -> Any:  # noqa: N802
        return _supported(gpu.max_clocks.get(kind))

    def nvmlDeviceGetPowerManagementLimit(self, gpu: Gpu) -> Any:  # noqa: N802
        return _supported(gpu.power_mw)[0]

    def nvmlDeviceGetPowerManagementDefaultLimit(self, gpu: Gpu) -> Any:  # noqa: N802
        return _supported(gpu.power_mw)[1]

    def nvmlDeviceGetEccMode(self, gpu: Gpu) -> Any:  # noqa: N802
        return [_supported(gpu.ecc)] * 2

    def nvmlDeviceGetMigMode(self, gpu: Gpu) -> Any:  # noqa: N802
        return [_supported(gpu.mig)] * 2

    def nvmlDeviceGetPersistenceMode(self, gpu: Gpu) -> Any:  # noqa: N802
        return _supported(gpu.persistence)


def _supported(value: Any) -> Any:
    if value is None:
        raise FakeNvmlError("Not Supported")
    return value
