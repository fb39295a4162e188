"""What a check can find on this machine, going by a sample of a model against itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

import numpy as np
from numpy.typing import NDArray

from harness.gate.blocks import Block
from harness.gate.judgement import called, judge
from harness.gate.sampling import Sampling
from harness.gate.settings import CheckSettings
from harness.stats.nested import LogRatio, estimate
from harness.stats.student import bound

SIMULATED = 200  # checks, for the rate of false alarms
_POWER_Z = 0.8416  # a slowdown that is found four times out of five


@dataclass(frozen=True)
class Forecast:
    """Shares: 0.03 is 3 %. `noise` is of a single pair, `floor` the scatter of whole processes.

    `smallest` is the smallest slowdown that a check finds four times out of five within its budget,
    in which `blocks` fit; `false_alarms` the share of `simulated` checks of equal sides, made of
    the sample's own blocks, that said SLOWER or FASTER.
    """

    noise: float | None
    floor: float
    smallest: float
    blocks: int
    false_alarms: float
    simulated: int
    sampled: int  # blocks that all of this rests on


def forecast(sampling: Sampling, settings: CheckSettings) -> Forecast | None:
    """What the sample foretells of checks with these settings; None of fewer than three blocks."""
    sampled = sampling.blocks
    if len(sampled) < 3:
        return None
    took_s = fmean(block.took_s for block in sampled) or 1.0
    blocks = max(int(settings.budget_s / took_s), 1)
    spread = stdev(median(block.effects) for block in sampled)
    return Forecast(
        noise=judge(sampling, settings).noise,
        floor=math.expm1(spread),
        smallest=_smallest(spread, blocks, settings),
        blocks=blocks,
        false_alarms=_false_alarms(sampled, min(blocks, 30), settings),
        simulated=SIMULATED,
        sampled=len(sampled),
    )


def _smallest(spread: float, blocks: int, settings: CheckSettings) -> float:
    """Both hurdles of a regression, the alarm and the least effect, with room for chance."""
    if blocks < settings.least_blocks:
        return math.inf
    error = spread / math.sqrt(blocks)
    half = bound(1.0 - settings.alarm, blocks - 1) * error
    return math.expm1(max(settings.log_effect, half) + _POWER_Z * error)


def _false_alarms(sampled: Sequence[Block], blocks: int, settings: CheckSettings) -> float:
    """Checks of blocks drawn anew, as if the sides were equal: either sign is then as likely."""
    rng = np.random.default_rng(settings.seed)
    effects = np.array([median(block.effects) for block in sampled])
    effects -= effects.mean()
    controls = np.array([median(block.controls) for block in sampled])
    alarms = 0
    for _ in range(SIMULATED):
        chosen = rng.integers(0, len(sampled), blocks)
        signed = effects[chosen] * rng.choice((-1.0, 1.0), blocks)
        word, _reason = called(_of(signed, settings), _of(controls[chosen], settings), settings)
        alarms += word in ("SLOWER", "FASTER")
    return alarms / SIMULATED


def _of(medians: NDArray[np.float64], settings: CheckSettings) -> LogRatio:
    blocks = [[float(it)] for it in medians]
    return estimate(blocks, confidence=settings.confidence)
