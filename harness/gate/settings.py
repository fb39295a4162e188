"""How a check is to be done."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class CheckSettings:
    """What a check promises. Times are in seconds.

    effect          the smallest slowdown that matters: 0.05 is 5 %
    budget_s        for sampling; a suspect is measured again for at most half of it on top
    confidence      of the intervals
    alarm           the level that SLOWER and FASTER need on top: of equal sides three checks in a
                    thousand are called so, however noisy the machine is
    least_blocks    below which no interval is believed
    least_turns     of a block that counts; most_turns is where it ends at the latest
    """

    effect: float = 0.05
    budget_s: float = 120.0
    confidence: float = 0.95
    alarm: float = 0.003
    least_blocks: int = 3
    least_turns: int = 3
    most_turns: int = 60
    seed: int = 0

    def __post_init__(self) -> None:
        faults = []
        if not 0.0 < self.effect <= 1.0:
            faults.append(
                f"effect must lie above 0 and at most 1 (0.05 is 5 %), got {self.effect:g}"
            )
        if not (self.budget_s > 0.0 and math.isfinite(self.budget_s)):
            faults.append(f"budget must be above 0 seconds, got {self.budget_s:g}")
        if not 0.5 <= self.confidence < 1.0:
            faults.append(f"confidence must be at least 0.5 and below 1, got {self.confidence:g}")
        if not 0.0 < self.alarm < 1.0:
            faults.append(f"alarm must lie above 0 and below 1, got {self.alarm:g}")
        if self.seed < 0:
            faults.append(f"seed must not be negative, got {self.seed}")
        if self.least_blocks < 2 or not 0 < self.least_turns <= self.most_turns:
            faults.append("a check needs 2 blocks, and turns in each")
        if faults:
            raise ValueError("; ".join(faults))

    @property
    def log_effect(self) -> float:
        """The smallest effect as a log ratio."""
        return math.log1p(self.effect)
