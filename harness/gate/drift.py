"""A side whose forwards get slower with every call: a mean over its calls means little."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, median

from harness.gate.blocks import Arm, Block
from harness.gate.settings import CheckSettings
from harness.stats.nested import estimate

LEAST_TURNS = 6  # of a block whose ends can be compared


def drifts(blocks: Sequence[Block], settings: CheckSettings) -> Mapping[Arm, float]:
    """Sides that change over a process's life by more than half the effect, with the change.

    The change of a block is the log ratio of its last third to its first. A drift is a side's own:
    the change that all sides share (a machine that warms up) is taken off first, and the blocks,
    as many as an interval needs, agree about the rest. Ratios, 1.1 for a tenth slower at the end.
    """
    long = [block for block in blocks if len(block.turns) >= LEAST_TURNS]
    if len(long) < settings.least_blocks:
        return {}
    found: dict[Arm, float] = {}
    for arm in Arm:
        # what is least among the other sides is shared: no side is to blame for it
        others = [other for other in Arm if other != arm]
        changes = [
            _change(block, arm) - min((_change(block, other) for other in others), key=abs)
            for block in long
        ]
        mean = estimate([[change] for change in changes], confidence=settings.confidence)
        if mean.excludes_zero and abs(mean.point) > settings.log_effect / 2:
            found[arm] = math.exp(mean.point)
    return found


def _change(block: Block, arm: Arm) -> float:
    logs = [fmean(map(math.log, turn.seconds(arm))) for turn in block.turns]
    third = len(logs) // 3
    return median(logs[-third:]) - median(logs[:third])
