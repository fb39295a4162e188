"""The figures of a check's blocks: memory, medians for reading, and what drifts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median

from harness.gate import ROLES, Block, Finding, Gate, Role, Settings, drifts, noisy_finding
from harness.gate.bootstrap import Resampled
from harness.pipeline.stored import Stored

SIDES: Mapping[Role, str] = {
    "baseline": "the baseline",
    "again": "the baseline's second process",
    "candidate": "the candidate",
}
_SMALLEST = 2**20  # bytes added to both peaks, so that the ratio of two nothings is 1
_DRIFTING = "{side} changes while it runs: its last forwards take {ratio:.2f} times its first ones"


def memory(
    gate: Gate, blocks: Sequence[Block], settings: Settings, then: Stored | None
) -> tuple[Finding, ...]:
    """What the memory gate says; nothing where the system does not tell."""
    whole = [it.peak_bytes for it in blocks if set(ROLES) <= set(it.peak_bytes)]
    if not whole or (then is not None and not then.peaks):
        return ()
    new = [peaks["candidate"] for peaks in whole]
    logs = [[math.log(peak + _SMALLEST)] for peak in new]
    if then is not None:
        old = list(then.peaks)
        old_logs = [[math.log(peak + _SMALLEST)] for peak in old]
        resampled = Resampled(logs, stored=old_logs, seed=settings.seed)
    else:
        old = [(peaks["baseline"] + peaks["again"]) // 2 for peaks in whole]
        apart = [
            [mine - math.log(theirs + _SMALLEST)] for (mine,), theirs in zip(logs, old, strict=True)
        ]
        resampled = Resampled(apart, seed=settings.seed)
    found = resampled.estimate(settings.confidence)
    interval = (math.exp(found.low), math.exp(min(found.high, 700.0)))
    return (noisy_finding(gate, old, new, interval),)


def seconds(blocks: Sequence[Block]) -> dict[Role, float]:
    """The median forward of each side, for reading only."""
    if not blocks:
        return {}
    return {
        role: median(second for it in blocks for turn in it.turns for second in turn.seconds(role))
        for role in ROLES
    }


def first_calls(blocks: Sequence[Block]) -> dict[Role, float]:
    """The median first call of each side's processes."""
    return {
        role: median(it.first_call_s[role] for it in blocks)
        for role in ROLES
        if blocks and all(role in it.first_call_s for it in blocks)
    }


def drifting(blocks: Sequence[Block], settings: Settings) -> tuple[str, ...]:
    """What to say of sides that change while they run."""
    return tuple(
        _DRIFTING.format(side=SIDES[role], ratio=ratio)
        for role, ratio in drifts(blocks, settings).items()
    )
