from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.audits.roofline import floor, least_macs_per_pixel
from harness.core.model_counts import Counter, Counts, SecondSize
from harness.core.record import Calibration, Energy, EnergyWindow, Phases, RoundFigures, Sample

# a hundred LR pixels, of which each costs 1000 multiply-adds: 1 ms at the best that fp32 can do
RATES = {"fp32": 1e8, "bf16": 1e9}


def _counter(name: str, macs: int) -> Counter:
    return Counter(name, macs, macs, 0, 0, "meta")


def _counts(*macs: int, **more: Any) -> Counts:
    names = ("dispatch", "fvcore", "ntire2022")
    counters = tuple(map(_counter, names, macs))
    return Counts(10, 10, 1, 1, 1, counters, **more)


def _round(seconds: float, precision: str = "fp32", bytes_per_s: float = 1e12) -> RoundFigures:
    sample = Sample("set", "a", 0, 10, 10, seconds, seconds)
    yardstick = Calibration(RATES, bytes_per_s)
    return RoundFigures(
        1, 0.0, (sample,), (), None, Phases(), yardstick=yardstick, precision=precision
    )


def _verdict(seconds: float, **more: Any) -> str:
    found = floor(_counts(100_000), [_round(seconds, **more)], scale=4)
    assert found is not None
    return found.verdict


@pytest.mark.parametrize(
    ("seconds", "precision", "verdict"),
    [
        (1e-3, "fp32", "ok"),
        (3e-4, "fp32", "ok"),  # within the factor of four
        (2e-4, "fp32", "suspect"),  # faster than float32 can be here, not than bfloat16
        (2e-4, "bf16", "ok"),
        (2e-5, "fp32", "rejected"),
        (2e-5, "bf16", "rejected"),
    ],
)
def test_no_forward_is_faster_than_the_machine(
    seconds: float, precision: str, verdict: str
) -> None:
    assert _verdict(seconds, precision=precision) == verdict


def test_the_output_has_to_be_written() -> None:
    # 100 x 16 pixels of 3 values of 4 bytes: 19,200 bytes, 19.2 ms at a million in a second
    assert _verdict(0.005, bytes_per_s=1e6) == "ok"
    assert _verdict(0.004, bytes_per_s=1e6) == "rejected"


@pytest.mark.parametrize(("forwards", "verdict"), [(8000, "ok"), (8001, "suspect")])
def test_forwards_claimed_for_energy_take_their_time_too(forwards: int, verdict: str) -> None:
    # 2 s at four times the best of fp32 are 8 * 1e8 multiply-adds, of which a forward has 100,000
    window = EnergyWindow("set", "a", 10.0, forwards, 2.0)
    energy = Energy(1.0, 1, "nvml_counter", (window,))
    found = floor(_counts(100_000), [replace(_round(1e-3), energy=energy)], scale=4)
    assert found is not None
    assert found.verdict == verdict


def test_of_disputed_counts_the_least_one_counts() -> None:
    assert least_macs_per_pixel(_counts(500, 300, 400)) == 3.0
    there = SecondSize(20, 10, 200, 100)
    assert there.closed_form in (100, 200)
    assert least_macs_per_pixel(_counts(500, elsewhere=there)) == there.closed_form / 200
    assert least_macs_per_pixel(None) == 0.0


def test_without_a_yardstick_nothing_is_told() -> None:
    assert floor(_counts(1), [], scale=4) is None
