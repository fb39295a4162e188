"""Sampling: block after block of processes until the interval is narrow or the budget spent."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from harness.gate.blocks import Arm, ArmReport, Block, Turn
from harness.gate.settings import CheckSettings
from harness.measure.turns import orders


class ArmFailed(Exception):
    """A side can't be measured; the message says why, `arm` which."""

    def __init__(self, arm: Arm, message: str) -> None:
        super().__init__(message)
        self.arm = arm


class TimedArm(Protocol):
    """One loaded process. Each method raises SideFailed where the process can't answer."""

    def warm_up(self) -> float:
        """Forwards that count for nothing; seconds of the very first one."""

    def forward(self, turn: int) -> float:
        """Seconds of one forward of the image that this turn is about."""

    def told(self) -> ArmReport:
        """What is known of the process after its turns."""


class Bench(Protocol):
    """Starts fresh processes of all three sides, and stops them on leaving."""

    def block(self, order: Sequence[Arm]) -> AbstractContextManager[Mapping[Arm, TimedArm]]:
        """All three, started in this order, and loaded; SideFailed where one does not come up."""


@dataclass(frozen=True)
class Sampling:
    """What was measured. `confirmed_from` is the number of blocks before a suspect's second look.

    `block_s` is what the longest block takes with the least turns that count, one that was cut
    short included; 0 if nothing is known of it. `failure` ended it; blocks that were whole by then
    are kept.
    """

    blocks: tuple[Block, ...] = ()
    elapsed_s: float = 0.0
    confirmed_from: int | None = None
    block_s: float = 0.0
    failure: ArmFailed | None = field(default=None, compare=False)


@dataclass(frozen=True)
class SamplingTools:
    """What sampling needs of the world."""

    clock: Callable[[], float]
    watch: Callable[[int, float], None] = lambda _blocks, _elapsed: None


Looks = Callable[[tuple[Block, ...]], bool]


def sample(
    bench: Bench, settings: CheckSettings, tools: SamplingTools, *, narrow: Looks, suspect: Looks
) -> Sampling:
    """Measure until `narrow`, or the budget is spent; what is then `suspect`, once more.

    The second look takes as many blocks again, and at most half of the budget; its blocks are
    pooled with the first ones by whoever judges. No block is ever dropped for what it shows.
    """
    turns = orders(tuple(Arm), random.Random(settings.seed))  # noqa: S311 - no secret
    starts = orders(tuple(Arm), random.Random(f"starts {settings.seed}"))  # noqa: S311 - no secret
    blocks: list[Block] = []
    costs: list[float] = []  # of blocks of the least turns
    began = tools.clock()
    confirmed_from: int | None = None

    def more(limit_s: float, enough: Callable[[], bool]) -> None:
        until = tools.clock() + limit_s
        # whether a further block can be started and finished, going by those before it
        while not enough() and until - tools.clock() > max(costs, default=0.0):
            block, cost_s = _block(bench, settings, tools, next(starts), turns, until)
            costs.append(cost_s)
            if block is not None:
                blocks.append(block)
            tools.watch(len(blocks), tools.clock() - began)

    failure = None
    try:
        more(settings.budget_s, lambda: narrow(tuple(blocks)))
        if suspect(tuple(blocks)):
            confirmed_from = len(blocks)
            more(settings.budget_s / 2, lambda: len(blocks) >= 2 * (confirmed_from or 0))
    except ArmFailed as error:
        failure = error
    elapsed_s, block_s = tools.clock() - began, max(costs, default=0.0)
    return Sampling(tuple(blocks), elapsed_s, confirmed_from, block_s, failure)


def _block(
    bench: Bench,
    settings: CheckSettings,
    tools: SamplingTools,
    start: Sequence[Arm],
    order: Iterator[tuple[Arm, ...]],
    until: float,
) -> tuple[Block | None, float]:
    """One set of processes; None where time ran out before it had turns enough to count.

    And the seconds that it takes with the least turns: a turn takes no longer than warming up.

    It is measured for as long as it took to start, since neither more processes nor more turns
    alone narrow an interval, but for less where the least number of blocks would not fit. Who
    starts and warms up last is the faster for it, so that order changes too.
    """
    began = tools.clock()
    with bench.block(start) as sides:
        loaded = tools.clock()
        first = {arm: sides[arm].warm_up() for arm in start}
        turn_s = tools.clock() - loaded
        start_s = tools.clock() - began
        share_s = settings.budget_s / (settings.least_blocks + 0.5)
        ends = tools.clock() + min(start_s, max(share_s - start_s, 0.0))
        turns: list[Turn] = []
        while len(turns) < settings.most_turns and tools.clock() < until:
            if len(turns) >= settings.least_turns and tools.clock() >= ends:
                break
            turns.append(_turn(sides, len(turns), (next(order), next(order))))
        told = {arm: sides[arm].told() for arm in Arm}
    took_s = tools.clock() - began
    if turns:
        turn_s = (took_s - start_s) / len(turns)
    cost_s = start_s + settings.least_turns * turn_s
    if len(turns) < settings.least_turns:
        return None, cost_s
    block = Block(
        tuple(turns),
        start_s,
        took_s,
        first,
        peak_bytes={arm: it.peak_bytes for arm, it in told.items() if it.peak_bytes is not None},
        compile_s={arm: it.compile_s for arm, it in told.items() if it.compile_s},
        notes={arm: it.notes for arm, it in told.items() if it.notes},
    )
    return block, cost_s


def _turn(
    sides: Mapping[Arm, TimedArm],
    number: int,
    both: tuple[tuple[Arm, ...], tuple[Arm, ...]],
) -> Turn:
    """Forwards of one image, in an order and its mirror image."""
    seconds: dict[Arm, list[float]] = {arm: [] for arm in Arm}
    for arm in itertools.chain(*both):
        seconds[arm].append(sides[arm].forward(number))
    pairs = {arm: (taken[0], taken[1]) for arm, taken in seconds.items()}
    return Turn(both[0], pairs[Arm.BASELINE], pairs[Arm.CONTROL], pairs[Arm.CANDIDATE])
