from __future__ import annotations

from itertools import count

import pytest
from fakes.nvml import FakeNvml, Gpu

from harness.machine.gpu_monitor import GpuMonitor, GpuReading, slowed


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
    gauge.close()
    assert (library.opened, gauge.look(), gauge.energy_j()) == (0, GpuReading(), None)
