"""Forwards that ran while the GPU was slowed down: taken again, a bounded number of times."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from harness.machine.gpu_monitor import GpuReading, slowed

OF_A_FORWARD = 2
OF_A_PROCESS = 10  # a card at its power cap stays there: that is then how fast it is
COOL_S = 0.5  # pause before another try
T = TypeVar("T")


class ThrottleGuard:
    """What is left of the bounds, and what was met. `look` and `pause` are handed in."""

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
