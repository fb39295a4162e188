"""What budget would have done: for blocks enough to judge by, and for an interval narrow enough."""

from __future__ import annotations

import math

from harness.gate.settings import CheckSettings
from harness.stats.nested import LogRatio
from harness.stats.student import bound

_MARGIN = 1.2  # processes start as fast as the machine lets them
_MOST_BLOCKS = 200  # that anybody would wait for


def for_least_blocks(settings: CheckSettings, block_s: float) -> str:
    """The budget in which the least number of blocks fits, each of them taking `block_s`.

    As in ` (about 40 s would do)`, empty where nothing is known of it.
    """
    if not block_s:
        return ""
    # a block is given as long as fits three and a half times
    needed_s = (settings.least_blocks + 0.5) * block_s * _MARGIN
    return f" (about {_rounded(max(needed_s, settings.budget_s * _MARGIN))} would do)"


def for_interval(settings: CheckSettings, effect: LogRatio, elapsed_s: float) -> str:
    """The budget after which an interval like this would say SAME, SLOWER or FASTER.

    As in `; about 300 s would tell`, or that none would; empty where no time was taken.
    """
    if not elapsed_s:
        return ""
    of_mean = effect.width / 2 / bound(settings.confidence, effect.blocks - 1)
    error = of_mean * math.sqrt(effect.blocks)  # of a single block
    beyond = abs(effect.point) > settings.log_effect
    level = 1.0 - settings.alarm if beyond else settings.confidence
    room = abs(effect.point) if beyond else settings.log_effect - abs(effect.point)
    for blocks in range(effect.blocks + 1, _MOST_BLOCKS + 1):
        if bound(level, blocks - 1) * error / math.sqrt(blocks) < room:
            needed_s = elapsed_s / effect.blocks * blocks * _MARGIN
            return f"; about {_rounded(needed_s)} would tell if it goes on like this"
    return "; no larger budget would tell: it needs a quieter machine, or larger inputs"


def _rounded(seconds: float) -> str:
    """Upwards to two digits: nobody sets a budget of 137.4 s."""
    step = 10.0 ** max(math.floor(math.log10(seconds)) - 1, 0)
    return f"{math.ceil(seconds / step) * step:g} s"
