"""The GPU's gauges beside a forward: what slowed it down, and the energy that it drew.

No GPU that was slowed down was at hand: that is tested with a fake library.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from harness.machine import nvml

# nvml.h, nvmlClocksThrottleReasons; an idle GPU (1) and set clocks (2, 0x100) are no fault
THROTTLING = {
    0x4: "power cap",
    0x8: "hardware slowdown",
    0x10: "clocks bound to another GPU",
    0x20: "thermal slowdown",
    0x40: "hardware thermal slowdown",
    0x80: "power brake",
}
# nvml.h, nvmlPerfPolicyType_t: counters of the time for which a policy held the clocks down, which
# also tell of a slowdown that ended before anybody asked
_POLICIES = {0: "power cap", 1: "thermal slowdown"}
OF_A_FORWARD = 2
OF_A_PROCESS = 10  # a card at its power cap stays there: that is then how fast it is
COOL_S = 0.5  # pause before another try
T = TypeVar("T")


@dataclass(frozen=True)
class GpuReading:
    """One moment: bits of throttle reasons, and nanoseconds by policy. Empty where none tells."""

    reasons: int = 0
    slowed_ns: Mapping[int, int] = field(default_factory=dict)


class GpuMonitor:
    """NVML held open: asked before and after every forward. Answers nothing without a GPU."""

    def __init__(self, library: Any = None) -> None:
        self._stack = contextlib.ExitStack()
        self._opened = self._stack.enter_context(nvml.opened(library))

    def look(self) -> GpuReading:
        """What holds the clocks down at this moment."""
        if self._opened is None:
            return GpuReading()
        library, gpu = self._opened
        reasons = 0
        with contextlib.suppress(library.NVMLError):
            reasons = int(library.nvmlDeviceGetCurrentClocksThrottleReasons(gpu))
        slowed = {}
        for policy in _POLICIES:
            with contextlib.suppress(library.NVMLError):
                status = library.nvmlDeviceGetViolationStatus(gpu, policy)
                slowed[policy] = int(status.violationTime)
        return GpuReading(reasons, slowed)

    def energy_j(self) -> float | None:
        """Energy that the GPU drew since its driver was loaded, None where it has no counter."""
        if self._opened is None:
            return None
        library, gpu = self._opened
        with contextlib.suppress(library.NVMLError):
            return float(library.nvmlDeviceGetTotalEnergyConsumption(gpu)) / 1000.0
        return None


@functools.cache
def shared() -> GpuMonitor:
    """The gauge of this process, which ends with it."""
    return GpuMonitor()


def slowed(before: GpuReading, after: GpuReading) -> tuple[str, ...]:
    """What held the clocks down at either moment or in between, by name."""
    bits = before.reasons | after.reasons
    found = [name for bit, name in THROTTLING.items() if bits & bit]
    found += [
        name
        for policy, name in _POLICIES.items()
        if after.slowed_ns.get(policy, 0) > before.slowed_ns.get(policy, 0)
        and policy in before.slowed_ns
    ]
    return tuple(dict.fromkeys(found))


class ThrottleGuard:
    """Takes a forward again that ran on a slowed GPU, a bounded number of times.

    `look` and `pause` are handed in.
    """

    def __init__(self, look: Callable[[], GpuReading], pause: Callable[[float], None]) -> None:
        self._look = look
        self._pause = pause
        self.retaken = 0
        self.kept = 0  # samples that stayed throttled
        self._reasons: dict[str, None] = {}

    def steady(self, take: Callable[[], T]) -> tuple[T, str]:
        """A sample, and what slowed it down: "" for one that nothing did, or the last one's."""
        for left in range(OF_A_FORWARD, -1, -1):
            before = self._look()
            sample = take()
            reasons = slowed(before, self._look())
            if not reasons:
                return sample, ""
            self._reasons |= dict.fromkeys(reasons)
            if not left or self.retaken >= OF_A_PROCESS:
                break
            self.retaken += 1
            self._pause(COOL_S)
        self.kept += 1
        return sample, ", ".join(reasons)

    def note(self) -> tuple[str, ...]:
        """What a reader must know, if anything was met."""
        if not self._reasons:
            return ()
        why = ", ".join(self._reasons)
        stayed = f"; {self.kept} stayed so and are marked" if self.kept else ""
        return (f"throttled ({why}): {self.retaken} forwards were taken again{stayed}",)
