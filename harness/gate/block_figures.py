"""The figures of a check's blocks: memory, medians for reading, and what drifts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, median

from harness.gate.blocks import Arm, Block
from harness.gate.gates import Gate, GateFinding, noisy_finding
from harness.gate.settings import CheckSettings
from harness.gate.stored_baseline import Stored
from harness.stats.nested import estimate

Names = Mapping[Arm, str]  # what to call the sides
_SMALLEST = 2**20  # bytes added to both peaks, so that the ratio of two nothings is 1
LEAST_TURNS = 6  # of a block whose ends can be compared
DRIFTING = "{side} changes while it runs: its last forwards take {ratio:.2f} times its first ones"


def memory(
    gate: Gate, blocks: Sequence[Block], settings: CheckSettings, then: Stored | None
) -> GateFinding:
    """What the memory gate says."""
    if not blocks:
        return GateFinding(gate.metric, "inconclusive", "no process was measured to its end")
    whole = [it.peak_bytes for it in blocks if set(Arm) <= set(it.peak_bytes)]
    new = [peaks[Arm.CANDIDATE] for peaks in whole]
    if not whole or (then is not None and not then.peaks):
        earlier = _peaks(blocks, Arm.BASELINE) if then is None else then.peaks
        return noisy_finding(gate, earlier, _peaks(blocks, Arm.CANDIDATE), (0.0, math.inf))
    if then is None:
        old = [(peaks[Arm.BASELINE] + peaks[Arm.CONTROL]) // 2 for peaks in whole]
        pairs = zip(_logs(new), _logs(old), strict=True)
        apart, stored = [mine - theirs for mine, theirs in pairs], []
    else:
        old = list(then.peaks)
        apart, stored = _logs(new), _logs(old)
    # each process is a block of one turn
    found = estimate(
        [[it] for it in apart], confidence=settings.confidence, stored=[[it] for it in stored]
    )
    interval = (math.exp(found.low), math.exp(min(found.high, 700.0)))
    return noisy_finding(gate, old, new, interval)


def _logs(peaks: Sequence[int]) -> list[float]:
    return [math.log(peak + _SMALLEST) for peak in peaks]


def _peaks(blocks: Sequence[Block], arm: Arm) -> list[int]:
    return [it.peak_bytes[arm] for it in blocks if arm in it.peak_bytes]


def seconds(blocks: Sequence[Block], arms: Sequence[Arm]) -> dict[Arm, float]:
    """The median forward of each side, for reading only."""
    turns = [turn for block in blocks for turn in block.turns]
    return {arm: median(s for turn in turns for s in turn.seconds(arm)) for arm in arms if turns}


def first_calls(blocks: Sequence[Block], arms: Sequence[Arm]) -> dict[Arm, float]:
    """The median first call of each side's processes."""
    return {
        arm: median(it.first_call_s[arm] for it in blocks)
        for arm in arms
        if blocks and all(arm in it.first_call_s for it in blocks)
    }


def told(blocks: Sequence[Block], sides: Names) -> tuple[str, ...]:
    """What the processes of a side told, with the number of blocks: one text stands for all.

    They tell of figures that differ a little from block to block.
    """
    found = []
    for arm in Arm:
        compiled = [it.compile_s[arm] for it in blocks if arm in it.compile_s]
        if compiled:
            text = f"torch.compile took {median(compiled):.1f} s in a process, apart from runtimes"
            found.append(f"{sides[arm]}: {text}")
        noted = [it.notes[arm] for it in blocks if arm in it.notes]
        if noted:
            share = f"{len(noted)} of {len(blocks)} blocks"
            found.append(f"{sides[arm]}, {share}, such as: {'; '.join(noted[0])}")
    return tuple(found)


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
