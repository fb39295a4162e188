from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.core.progress import Progress
from harness.engines.dispatcher import (
    ENDED_S,
    MOST_ATTEMPTS,
    POLL_S,
    SILENT_S,
    START_S,
    Dispatcher,
    ShardWork,
    Sign,
)
from harness.engines.engine import OrderState, WorkOrder


@dataclass
class Told(Progress):
    """What is said."""

    lines: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    def warn(self, text: str) -> None:
        self.lines.append(text)

    def step(self, text: str, share: float = 0.0) -> None:  # noqa: ARG002
        self.steps.append(text)


@dataclass
class World:
    """Engine, folders and clock: an attempt takes the seconds that its script says.

    `scripts` are, by shard and attempt, `(state, seconds)`: done or failed after so many of them;
    or silent, after which it beats no more; what is not told is done after 10 s. `states` is what
    the engine says of such an attempt, "running" if nothing else.
    """

    scripts: dict[str, tuple[str, float]] = field(default_factory=dict)
    states: dict[str, OrderState] = field(default_factory=dict)
    slots: int = 2
    now: float = 0.0
    placed_at: dict[str, float] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    collected: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    incomplete: tuple[str, ...] = ()
    name: str = "told"

    def room(self, active: int) -> int:
        return self.slots - active

    def submit(self, orders: Sequence[WorkOrder]) -> list[str]:
        return [str(order.into) for order in orders]

    def state(self, handle: str) -> OrderState:
        return self.states.get(handle, "running")

    def cancel(self, handle: str) -> None:
        self.cancelled.append(handle)

    def order(self, work: ShardWork, attempt: int) -> WorkOrder:
        return WorkOrder(Path(work.id), Path(f"{work.id}-{attempt}"), timed=True)

    def placed(self, work: ShardWork, attempt: int, handle: str) -> None:
        assert handle == f"{work.id}-{attempt}"
        self.placed_at[handle] = self.now

    def ended(self, work: ShardWork, attempt: int) -> None:
        self.forgotten.append(f"{work.id}-{attempt}")

    def sign(self, work: ShardWork, attempt: int) -> Sign:
        handle = f"{work.id}-{attempt}"
        state, seconds = self.scripts.get(handle, ("done", 10.0))
        age = self.now - self.placed_at.get(handle, 0.0)
        if state == "never":
            return Sign()
        if age < seconds:
            return Sign("working", age, f"node of {handle}")
        return Sign("working", seconds) if state == "silent" else Sign(state, age, "why")  # type: ignore[arg-type]

    def collect(self, work: ShardWork, attempt: int) -> bool:
        self.collected.append(f"{work.id}-{attempt}")
        return f"{work.id}-{attempt}" not in self.incomplete

    def run(self, *works: str, nodes: int = 2) -> tuple[tuple[str, ...], Told]:
        told = Told()
        queue = Dispatcher(self, self, nodes, told, lambda: self.now, self.sleep)
        return queue.run([ShardWork(it) for it in works]), told

    def sleep(self, seconds: float) -> None:
        assert seconds == POLL_S
        self.now += seconds


def test_shards_are_given_in_their_order_as_there_is_room() -> None:
    world = World(slots=2)
    left, told = world.run("a", "b", "c", "d")
    assert left == ()
    assert world.collected == ["a-1", "b-1", "c-1", "d-1"]
    assert world.placed_at == {"a-1": 0.0, "b-1": 0.0, "c-1": 10.0, "d-1": 10.0}
    assert told.steps[2] == "node of a-1; node of b-1; 2 shards waiting"
    assert told.lines == []


@pytest.mark.parametrize(
    ("script", "state", "after_s"),
    [
        (("failed", 6.0), "running", 6.0),
        (("silent", 6.0), "running", 6.0 + SILENT_S),
        (("silent", 6.0), "ended", 6.0 + ENDED_S),
        (("never", 0.0), "running", START_S),
        (("never", 0.0), "unknown", ENDED_S),
    ],
)
def test_an_attempt_that_is_lost_is_followed_by_another(
    script: tuple[str, float], state: OrderState, after_s: float
) -> None:
    world = World({"a-1": script}, {"a-1": state})
    left, told = world.run("a")
    assert left == ()
    assert world.collected == ["a-2"]
    assert world.cancelled == world.forgotten == ["a-1", "a-2"]  # lost or done: no node is held
    assert after_s <= world.placed_at["a-2"] <= after_s + 3 * POLL_S
    assert "attempt 1" in told.lines[0]
    assert "tried again" in told.lines[0]


def test_what_waits_in_the_engines_queue_is_not_lost_however_long() -> None:
    world = World({"a-1": ("never", 0.0)}, {"a-1": "waiting"})
    queue = Dispatcher(world, world, 1, Told(), lambda: world.now, world.sleep)
    queue.take_over(ShardWork("a"), 1, "a-1")
    for _ in range(2000):
        queue._look(queue.active[0])
        world.sleep(POLL_S)
    assert len(queue.active) == 1
    world.scripts.clear()  # its node is there
    assert queue.run([]) == ()


def test_an_order_that_the_engine_took_back_has_time_to_start_again() -> None:
    world = World({"a-1": ("silent", 6.0)}, {"a-1": "running"})
    queue = Dispatcher(world, world, 1, Told(), lambda: world.now, world.sleep)
    queue.take_over(ShardWork("a"), 1, "a-1")
    for at in range(150):  # preempted after 20 s, and put back
        world.states["a-1"] = "waiting" if at > 10 else "running"
        queue._look(queue.active[0])
        world.sleep(POLL_S)
    assert [it.number for it in queue.active] == [1]


def test_a_shard_is_given_up_after_so_many_attempts_and_the_others_go_on() -> None:
    scripts = {f"bad-{number}": ("failed", 2.0) for number in range(1, 9)}
    world = World(scripts)
    left, told = world.run("bad", "good")
    assert left == ("bad",)
    assert world.collected == ["good-1"]
    assert len([it for it in world.placed_at if it.startswith("bad")]) == MOST_ATTEMPTS
    assert "given up" in told.lines[-1]


def test_a_folder_that_says_done_without_all_of_it_is_tried_again() -> None:
    world = World(incomplete=("a-1",))
    left, told = world.run("a")
    assert left == ()
    assert world.collected == ["a-1", "a-2"]
    assert "not what was asked for" in told.lines[0]


def test_a_shard_that_takes_a_while_is_given_to_an_idle_node_as_well() -> None:
    world = World({"slow-1": ("done", 1000.0)})
    left, _ = world.run("slow", "a", "b")
    assert left == ()
    # a and b take 10 s each; half of that is over when slow is the last one
    assert world.placed_at["slow-2"] == 20.0
    assert world.collected == ["a-1", "b-1", "slow-2"]
    assert world.cancelled == ["a-1", "b-1", "slow-2", "slow-1"]
    assert world.now < 60.0


def test_of_two_attempts_one_may_be_lost() -> None:
    world = World({"slow-1": ("failed", 35.0), "slow-2": ("done", 20.0)})
    left, told = world.run("slow", "a", "b")
    assert left == ()
    assert "another attempt goes on" in told.lines[0]
    assert world.collected[-1] == "slow-2"


def test_an_engine_that_has_no_node_for_a_while_is_waited_for_but_not_for_ever() -> None:
    class Recovering(World):
        back_s = 100.0

        def room(self, active: int) -> int:
            return 0 if self.now < self.back_s else 1 - active

    world = Recovering()
    assert world.run("a")[0] == ()
    assert world.placed_at["a-1"] == 100.0
    world = Recovering()
    world.back_s = 1e9
    left, told = world.run("a")
    assert left == ("a",)
    assert "has had no node for" in told.lines[0]
    assert world.now < START_S + 10.0


def test_what_another_process_placed_is_taken_over_with_its_number() -> None:
    world = World({"a-2": ("failed", 4.0)})
    queue = Dispatcher(world, world, 1, Told(), lambda: world.now, world.sleep)
    queue.take_over(ShardWork("a"), 2, "a-2")
    assert queue.run([ShardWork("b")]) == ()
    assert world.collected == ["b-1", "a-3"]


def test_attempts_of_an_earlier_process_count_for_numbers_alone() -> None:
    world = World({f"a-{number}": ("failed", 2.0) for number in range(7)})
    queue = Dispatcher(world, world, 1, Told(), lambda: world.now, world.sleep)
    queue.count_from(ShardWork("a"), 6)
    assert queue.run([ShardWork("a")]) == ()
    assert world.collected == ["a-7"]
