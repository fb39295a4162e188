from __future__ import annotations

from itertools import count

import pytest
from fakes.nvml import FakeNvml, Gpu

from harness.launch.gauge import Gauge, Look, slowed


def test_reasons_and_counters_of_slowdowns_are_read() -> None:
    gpu = Gpu(throttle=0x20, slowed_ns={0: count(5), 1: count(70, 7)})
    gauge = Gauge(FakeNvml(gpu))
    assert gauge.look() == Look(0x20, {0: 5, 1: 70})
    assert gauge.look() == Look(0x20, {0: 6, 1: 77})


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (Look(0x1, {1: 5}), Look(0x102, {1: 5}), ()),  # idle, and clocks that were set
        (Look(0x0), Look(0x20), ("thermal slowdown",)),
        (Look(0x80 | 0x4), Look(0x0), ("power cap", "power brake")),
        (Look(0, {1: 5}), Look(0, {1: 6}), ("thermal slowdown",)),  # over before anybody asked
        (Look(0x20, {1: 5}), Look(0x20, {1: 6}), ("thermal slowdown",)),
        (Look(), Look(0, {1: 6}), ()),  # a counter that told nothing before
    ],
)
def test_a_slowdown_at_either_moment_or_between_counts(
    before: Look, after: Look, found: tuple[str, ...]
) -> None:
    assert slowed(before, after) == found


def test_energy_is_the_counters_in_joules() -> None:
    assert Gauge(FakeNvml(Gpu(energy_mj=iter((2500,))))).joules() == 2.5


@pytest.mark.parametrize(
    "library", [FakeNvml(has_driver=False), FakeNvml(), FakeNvml(Gpu(throttle=None))]
)
def test_what_does_not_tell_is_no_slowdown_and_no_energy(library: FakeNvml) -> None:
    gauge = Gauge(library)
    assert (gauge.look(), gauge.joules()) == (Look(), None)
    gauge.close()
    assert (library.opened, gauge.look(), gauge.joules()) == (0, Look(), None)
