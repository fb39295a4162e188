"""How long 300 entries take on 8 nodes, two of which die and one of which is slow.

The dispatcher and the plan are the harness's; the engine, the folders and the clock are made here:
a node takes one shard at a time and works it off at its speed. Durations of entries are
log-normal. The plan knows them but for an error of 30 %, as it would from counts.

entries  the entries' work over the speed of all nodes while they live
plan     the same of all that shards hold: the baseline in each, a second reference in some
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean

from harness.core.progress import Progress
from harness.engines.dispatcher import Dispatcher, ShardWork, Sign
from harness.engines.engine import OrderState, WorkOrder
from harness.measure.shards import plan

ENTRIES, NODES, DRAWS = 300, 8, 40
MINUTES = 6.0  # of an entry with all its rounds, in the mean
BASE_MIN, SECOND_MIN = 6.0, 6.0
SPREAD = 0.8  # of log durations
GUESSED = 0.3  # of log durations, by which the plan is wrong
SLOW = 0.5  # speed of the slow node


@dataclass
class Node:
    """A machine that works off one shard at a time."""

    speed: float
    dies_s: float = float("inf")
    order: Path | None = None
    left: float = 0.0  # work


@dataclass
class Simulated:
    """The engine, the folders and the clock in one: time passes in `sleep` alone."""

    work_s: dict[str, float]
    nodes: list[Node]
    now: float = 0.0
    done: set[Path] = field(default_factory=set)
    beats: dict[Path, float] = field(default_factory=dict)
    name: str = "simulated"

    def room(self, _active: int) -> int:
        return sum(it.order is None and it.dies_s > self.now for it in self.nodes)

    def submit(self, orders: Sequence[WorkOrder]) -> list[str]:
        for order in orders:
            node = next(it for it in self.nodes if it.order is None and it.dies_s > self.now)
            node.order, node.left = order.into, self.work_s[order.shard.name]
        return [str(order.into) for order in orders]

    def state(self, _handle: str) -> OrderState:
        return "running"  # a cluster that says nothing of dead nodes

    def cancel(self, handle: str) -> None:
        for node in self.nodes:
            if node.order == Path(handle) and node.dies_s > self.now:
                node.order = None

    def order(self, work: ShardWork, attempt: int) -> WorkOrder:
        return WorkOrder(Path(work.id), Path(f"{work.id}/{attempt}"), timed=True)

    def placed(self, work: ShardWork, attempt: int, handle: str) -> None:
        """Nobody takes over."""

    def ended(self, work: ShardWork, attempt: int) -> None:
        """Likewise."""

    def sign(self, work: ShardWork, attempt: int) -> Sign:
        folder = Path(f"{work.id}/{attempt}")
        state = "done" if folder in self.done else "working"
        return Sign(state, self.beats.get(folder, 0.0))

    def collect(self, _work: ShardWork, _attempt: int) -> bool:
        return True

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        seconds *= 5.0  # coarser than in earnest
        self.now += seconds
        for node in self.nodes:
            if node.order is None or node.dies_s <= self.now:
                continue
            self.beats[node.order] = self.now
            node.left -= seconds * node.speed
            if node.left <= 0.0:
                self.done.add(node.order)
                node.order = None


def makespan(rng: random.Random) -> tuple[float, float, int]:
    """The makespan over the ideal, over the ideal of the plan, and the number of shards."""
    minutes = [MINUTES * rng.lognormvariate(-(SPREAD**2) / 2, SPREAD) for _ in range(ENTRIES)]
    guessed = [it * rng.lognormvariate(0.0, GUESSED) for it in minutes]
    costs_min = dict(zip(map(str, range(ENTRIES)), guessed, strict=True))
    shards = plan(costs_min, NODES, base=BASE_MIN)
    work_s, costs = {}, []
    for number, shard in enumerate(shards):
        common = 60.0 * (BASE_MIN + SECOND_MIN * shard.second)
        work_s[str(number)] = common + 60.0 * sum(minutes[int(it)] for it in shard.entries)
        costs.append(common + 60.0 * sum(guessed[int(it)] for it in shard.entries))
    total = 60.0 * sum(minutes)
    about_s = total / NODES
    nodes = [Node(1.0) for _ in range(NODES)]
    nodes[1].dies_s, nodes[2].dies_s = (about_s * rng.uniform(0.1, 0.9) for _ in range(2))
    nodes[3].speed = SLOW
    world = Simulated(work_s, nodes)
    works = [ShardWork(str(number), cost) for number, cost in enumerate(costs)]
    left = Dispatcher(world, world, NODES, Progress(), world.clock, world.sleep).run(works)
    assert left == (), left
    done = (ideal(total, nodes), ideal(sum(work_s.values()), nodes))
    return world.now / done[0], world.now / done[1], len(shards)


def ideal(work: float, nodes: Sequence[Node]) -> float:
    """When the nodes could be through with it, each working until it dies."""
    low, high = 0.0, work
    for _ in range(60):
        middle = (low + high) / 2.0
        could = sum(it.speed * min(middle, it.dies_s) for it in nodes)
        low, high = (middle, high) if could < work else (low, middle)
    return high


def main() -> None:
    found = [makespan(random.Random(seed)) for seed in range(DRAWS)]  # noqa: S311 - no secret
    for title, at in (("over the entries", 0), ("over the plan", 1)):
        ratios = sorted(it[at] for it in found)
        print(f"{title}: mean {mean(ratios):.3f}, worst of {DRAWS} {ratios[-1]:.3f}")
    print(f"shards: {mean(it[2] for it in found):.1f}")
    sys.exit(max(it[1] for it in found) > 1.15)


if __name__ == "__main__":
    main()
