from __future__ import annotations

from itertools import chain, count, repeat

import pytest
from fakes.nvml import FakeNvml, Gpu

from harness.machine.gpu_monitor import (
    COOL_S,
    OF_A_FORWARD,
    OF_A_PROCESS,
    GpuMonitor,
    GpuReading,
    ThrottleGuard,
    slowed,
)


def test_reasons_and_counters_of_slowdowns_are_read() -> None:
    gpu = Gpu(throttle=0x20, slowed_ns={0: count(5), 1: count(70, 7)})
    gauge = GpuMonitor(FakeNvml(gpu))
    assert gauge.look() == GpuReading(0x20, {0: 5, 1: 70})
    assert gauge.look() == GpuReading(0x20, {0: 6, 1: 77})


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (GpuReading(0x1, {1: 5}), GpuReading(0x102, {1: 5}), ()),  # idle, and clocks that were set
        (GpuReading(0x0), GpuReading(0x20), ("thermal slowdown",)),
        (GpuReading(0x80 | 0x4), GpuReading(0x0), ("power cap", "power brake")),
        (
            GpuReading(0, {1: 5}),
            GpuReading(0, {1: 6}),
            ("thermal slowdown",),
        ),  # over before anybody asked
        (GpuReading(0x20, {1: 5}), GpuReading(0x20, {1: 6}), ("thermal slowdown",)),
        (GpuReading(), GpuReading(0, {1: 6}), ()),  # a counter that told nothing before
    ],
)
def test_a_slowdown_at_either_moment_or_between_counts(
    before: GpuReading, after: GpuReading, found: tuple[str, ...]
) -> None:
    assert slowed(before, after) == found


def test_energy_is_the_counters_in_joules() -> None:
    assert GpuMonitor(FakeNvml(Gpu(energy_mj=iter((2500,))))).energy_j() == 2.5


@pytest.mark.parametrize(
    "library", [FakeNvml(has_driver=False), FakeNvml(), FakeNvml(Gpu(throttle=None))]
)
def test_what_does_not_tell_is_no_slowdown_and_no_energy(library: FakeNvml) -> None:
    gauge = GpuMonitor(library)
    assert (gauge.look(), gauge.energy_j()) == (GpuReading(), None)


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
