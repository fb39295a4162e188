from __future__ import annotations

from itertools import chain, count, repeat

from harness.machine.gpu_monitor import GpuReading
from harness.measure.throttling import COOL_S, OF_A_FORWARD, OF_A_PROCESS, ThrottleGuard

CALM, HOT = GpuReading(), GpuReading(0x20)


class Machine:
    """Looks in order; the samples are numbered, and pauses are kept."""

    def __init__(self, *looks: GpuReading, then: GpuReading = CALM) -> None:
        self._looks = chain(looks, repeat(then))
        self.pauses: list[float] = []
        self.retakes = ThrottleGuard(lambda: next(self._looks), self.pauses.append)
        self._numbers = count()

    def sample(self) -> tuple[int, str]:
        return self.retakes.steady(lambda: next(self._numbers))


def test_a_calm_forward_is_taken_once_and_says_nothing() -> None:
    machine = Machine()
    assert [machine.sample(), machine.sample()] == [(0, ""), (1, "")]
    assert (machine.pauses, machine.retakes.note()) == ([], ())


def test_a_throttled_forward_is_taken_again_after_a_pause() -> None:
    machine = Machine(CALM, HOT)  # before the first forward, and after it
    assert machine.sample() == (1, "")
    assert machine.pauses == [COOL_S]
    assert machine.retakes.note() == ("throttled (thermal slowdown): 1 forwards were taken again",)


def test_a_forward_that_stays_throttled_is_kept_with_its_mark() -> None:
    machine = Machine(then=HOT)
    assert machine.sample() == (OF_A_FORWARD, "thermal slowdown")
    assert (machine.retakes.retaken, machine.retakes.kept) == (OF_A_FORWARD, 1)
    (note,) = machine.retakes.note()
    assert note.endswith("2 forwards were taken again; 1 stayed so and are marked")


def test_a_process_retakes_so_many_forwards_and_no_more() -> None:
    machine = Machine(then=HOT)
    marked = [machine.sample()[1] for _ in range(50)]
    assert marked == ["thermal slowdown"] * 50
    assert len(machine.pauses) == machine.retakes.retaken == OF_A_PROCESS
    assert machine.sample()[0] == 50 + OF_A_PROCESS
