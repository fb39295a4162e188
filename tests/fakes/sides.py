"""Sides that produce samples on a fake clock: quiet, bursty, drifting, dying."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from harness.gate.blocks import Arm, ArmReport
from harness.gate.sampling import ArmFailed, SamplingTools

ASKING_S = 0.01  # what a forward takes beyond itself: a message, waking the side, stopping it
FORWARD_S = 0.02


@dataclass
class World:
    """A clock that only moves when something takes time, and a machine with its noise.

    `slowdown` is the candidate's, `again_slowdown` of the baseline's second process. `process_sd`
    is of a process's own speed, `forward_sd` of single forwards, both of logs; a burst, `bursts` of
    the time, slows whatever runs by up to `burst`. `drift` is what a forward of a role adds to the
    next one's, as a share; `dies_at` ends a role at a forward of its process in block `dies_in`, at
    `hangs_at` it gives no answer until `deadline_s` have passed.
    """

    seed: int = 0
    start_s: float = 2.0
    warm_s: float = 0.1
    slowdown: float = 0.0
    again_slowdown: float = 0.0
    process_sd: float = 0.0
    forward_sd: float = 0.0
    bursts: float = 0.0
    burst: float = 1.0
    drift: Mapping[Arm, float] = field(default_factory=dict)
    peaks: Mapping[Arm, int] = field(default_factory=dict)
    notes: Mapping[Arm, tuple[str, ...]] = field(default_factory=dict)
    dies_at: Mapping[Arm, int] = field(default_factory=dict)
    dies_in: int = 1  # the block
    hangs_at: Mapping[Arm, int] = field(default_factory=dict)
    deadline_s: float = 300.0
    fails_to_start: Arm | None = None
    now: float = 0.0
    opened: int = 0
    closed: int = 0
    started: list[tuple[Arm, ...]] = field(default_factory=list)  # block by block
    log: list[tuple[int, Arm, int]] = field(default_factory=list)  # block, role, turn

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 - no secret

    def tools(self) -> SamplingTools:
        return SamplingTools(clock=lambda: self.now)

    def take(self, seconds: float) -> None:
        self.now += seconds

    @contextmanager
    def block(self, order: Sequence[Arm]) -> Iterator[Mapping[Arm, FakeSide]]:
        self.opened += 1
        self.started.append(tuple(order))
        self.take(self.start_s)
        if self.fails_to_start:
            raise ArmFailed(self.fails_to_start, "no such module")
        try:
            yield {role: FakeSide(self, role) for role in Arm}
        finally:
            self.closed += 1


class FakeSide:
    """A process that is slow until it is warm, and then as its world says."""

    def __init__(self, world: World, role: Arm) -> None:
        self._world = world
        self._role = role
        speed = 1.0 + {"candidate": world.slowdown, "again": world.again_slowdown}.get(role, 0.0)
        luck = world.random.lognormvariate(0.0, world.process_sd)
        self._base_s = FORWARD_S * speed * luck
        self._calls = 0
        self._cold = 100.0

    def warm_up(self) -> float:
        self._world.take(self._world.warm_s)
        self._cold = 1.0
        return 100 * FORWARD_S

    def forward(self, turn: int) -> float:
        world, role = self._world, self._role
        self._calls += 1
        if self._calls == world.dies_at.get(role) and world.opened == world.dies_in:
            raise ArmFailed(role, "the process was ended by SIGKILL")
        if self._calls == world.hangs_at.get(role) and world.opened == world.dies_in:
            world.take(world.deadline_s)
            raise ArmFailed(role, f"forward: no answer within {world.deadline_s:g} s (timeout)")
        world.log.append((world.opened, role, turn))
        seconds = self._cold * self._base_s * world.random.lognormvariate(0.0, world.forward_sd)
        seconds *= (1.0 + world.drift.get(role, 0.0)) ** (self._calls - 1)
        if world.random.random() < world.bursts:
            seconds *= world.random.uniform(1.0, world.burst)
        world.take(seconds + ASKING_S)
        return seconds

    def told(self) -> ArmReport:
        return ArmReport(
            self._world.peaks.get(self._role), notes=self._world.notes.get(self._role, ())
        )
