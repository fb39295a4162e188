"""From samples to FASTER, SAME, SLOWER or INCONCLUSIVE."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Literal

from harness.gate.blocks import Block
from harness.gate.budget import for_interval, for_least_blocks
from harness.gate.sampling import Looks, Sampling
from harness.gate.settings import CheckSettings
from harness.stats.nested import LogRatio, Nested, estimate
from harness.stats.student import holm

VerdictWord = Literal["FASTER", "SAME", "SLOWER", "INCONCLUSIVE"]
_SPENT = "the budget of {:g} s was spent before the first pair"
_SPREAD = 1.4826  # times the median absolute deviation: the standard deviation of a normal


@dataclass(frozen=True)
class RuntimeVerdict:
    """A verdict on one noisy figure. Ratios are candidate over baseline, 1 is equal.

    `low` and `high` are the ends of the interval, `p` the level at which it loses 1. `control` is
    the baseline's ratio to itself (A/A), with its own ends. `noise` is the scatter of a single turn
    of the baseline against itself, as a share: 0.02 is 2 %.
    """

    word: VerdictWord
    reason: str
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    p: float = 1.0
    control: tuple[float, float, float] | None = None
    noise: float | None = None
    blocks: int = 0
    pairs: int = 0


def looks(settings: CheckSettings, stored: Nested = ()) -> tuple[Looks, Looks]:
    """When to stop, and when what was found is a suspect: the two questions of `sample`.

    A suspect need not be as sure as an alarm: more blocks may make it so.

    `stored` are the log ratios of a stored baseline to the same reference model, block by block.
    """

    def narrow(blocks: tuple[Block, ...]) -> bool:
        enough = len(blocks) >= settings.least_blocks
        return enough and _effect(blocks, settings, stored).width < settings.log_effect / 2

    def suspect(blocks: tuple[Block, ...]) -> bool:
        enough = len(blocks) >= settings.least_blocks
        return enough and _leans(_effect(blocks, settings, stored), settings)

    return narrow, suspect


def judge(sampling: Sampling, settings: CheckSettings, *, stored: Nested = ()) -> RuntimeVerdict:
    """The verdict on the runtime of all blocks together."""
    blocks = sampling.blocks
    if not blocks:
        return RuntimeVerdict("INCONCLUSIVE", doubt(sampling, settings))
    effect = _effect(blocks, settings, stored)
    control = estimate([block.controls for block in blocks], confidence=settings.confidence)
    word, reason = called(effect, control, settings)
    if word == "INCONCLUSIVE":
        reason = doubt(sampling, settings) or (
            reason + for_interval(settings, effect, sampling.elapsed_s)
        )
    # from the steps between neighbouring turns, which need no centre to be estimated first
    steps = [abs(one - two) for block in blocks for one, two in pairwise(block.controls)]
    return RuntimeVerdict(
        word,
        reason,
        ratio=math.exp(effect.point),
        low=_ratio(effect.low),
        high=_ratio(effect.high),
        p=effect.p,
        control=(math.exp(control.point), _ratio(control.low), _ratio(control.high)),
        noise=math.expm1(_SPREAD * median(steps) / math.sqrt(2)) if steps else None,
        blocks=effect.blocks,
        pairs=effect.turns,
    )


def corrected(verdicts: Sequence[RuntimeVerdict], *, level: float) -> tuple[RuntimeVerdict, ...]:
    """The verdicts of several entries: what Holm's correction does not keep is inconclusive."""
    kept = holm([verdict.p for verdict in verdicts], level=level)
    reason = f"not kept by Holm's correction for {len(verdicts)} entries"
    return tuple(
        replace(it, word="INCONCLUSIVE", reason=reason)
        if it.word in ("SLOWER", "FASTER") and not keeps
        else it
        for it, keeps in zip(verdicts, kept, strict=True)
    )


def doubt(sampling: Sampling, settings: CheckSettings) -> str:
    """Why nothing should be made of these samples; empty if there is no reason."""
    if not sampling.blocks:
        spent = _SPENT.format(settings.budget_s)
        return spent + for_least_blocks(settings, sampling.block_s)
    controls = [block.controls for block in sampling.blocks]
    found = _doubt(estimate(controls, confidence=settings.confidence), settings)
    few = len(controls) < settings.least_blocks
    return found + for_least_blocks(settings, sampling.block_s) if few else found


def _doubt(control: LogRatio, settings: CheckSettings) -> str:
    if control.blocks < settings.least_blocks:
        return (
            f"{control.blocks} of the {settings.least_blocks} blocks that an interval needs: "
            "allow a larger budget, or a smaller input"
        )
    if control.excludes_zero and abs(control.point) > settings.log_effect / 2:
        return (
            f"two processes of one model differ by {math.expm1(abs(control.point)):.1%}: "
            "something else is at work on this machine"
        )
    return ""


def _effect(blocks: tuple[Block, ...], settings: CheckSettings, stored: Nested) -> LogRatio:
    effects = [block.effects for block in blocks]
    return estimate(effects, confidence=settings.confidence, stored=stored)


def _leans(effect: LogRatio, settings: CheckSettings) -> bool:
    """Whether the interval says that there is an effect that matters: an alarm if it is sure."""
    return effect.excludes_zero and abs(effect.point) > settings.log_effect


def called(effect: LogRatio, control: LogRatio, settings: CheckSettings) -> tuple[VerdictWord, str]:
    """The verdict on a candidate's effect and the baseline's to itself, and its reason."""
    if doubt := _doubt(control, settings):
        return "INCONCLUSIVE", doubt
    limit, alarm = f"{settings.effect:.1%}", settings.alarm
    side = "slower" if effect.point > 0.0 else "faster"
    leans = _leans(effect, settings)
    if leans and effect.p <= alarm:
        word: VerdictWord = "SLOWER" if side == "slower" else "FASTER"
        return word, f"{side} by more than the smallest effect that matters, {limit}"
    if -settings.log_effect < effect.low and effect.high < settings.log_effect:
        return "SAME", f"a difference of {limit} or more is ruled out"
    reason = f"the interval holds both no difference and one of {limit} or more"
    if leans:
        reason = f"probably {side}, but not sure enough: p is {effect.p:.2g}, not {alarm:g}"
    elif effect.excludes_zero:
        reason = f"{side}, but whether by {limit} or more is open"
    return "INCONCLUSIVE", reason


def _ratio(log: float) -> float:
    return math.exp(min(log, 700.0))
