from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from fakes.audited import CALIBRATION, FakeSession, task

from harness.core.outcome import Failed, failed
from harness.core.record import Calibration
from harness.measure import calibration
from harness.measure.worker_process import WorkerFailed
from harness.wire.messages import PeakRates


class Gauging(FakeSession):
    """A session that gauges."""

    told = PeakRates({"fp32": 5e9}, 2e9)

    def peak_rates(self) -> PeakRates:
        return self.told


def _taken(
    monkeypatch: pytest.MonkeyPatch, told: PeakRates | None, known: Calibration | None = None
) -> Calibration | Failed:
    @contextmanager
    def started(_: Any) -> Iterator[Gauging]:
        session = Gauging(task(), model=lambda lr: np.zeros((4, 4, 3), np.uint8) + lr[0, 0])
        if told is None:
            raise WorkerFailed(failed("load", "crash", "no torch"))
        session.told = told
        yield session

    monkeypatch.setattr(calibration, "started", started)
    return calibration.take(task(), known)


def test_the_calibration_is_what_a_model_that_does_nothing_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = _taken(monkeypatch, PeakRates({"fp32": 5e9}, 2e9))
    assert isinstance(found, Calibration)
    # the made-up session takes a millisecond beside each forward, whatever the size
    assert found.exchange_s == pytest.approx(0.001)
    assert found.exchange_per_pixel_s == pytest.approx(0.0)
    assert (found.macs_per_s, found.bytes_per_s) == ({"fp32": 5e9}, 2e9)


@pytest.mark.parametrize(("told", "reason"), [(None, "crash"), (PeakRates({}, 1.0), "protocol")])
def test_a_calibration_that_can_not_be_taken_is_a_value(
    monkeypatch: pytest.MonkeyPatch, told: PeakRates | None, reason: str
) -> None:
    found = _taken(monkeypatch, told)
    assert isinstance(found, Failed)
    assert found.reason == reason


def test_a_line_through_two_sizes_gives_what_each_pixel_costs() -> None:
    # 32 x 32 and 288 x 288 LR pixels, 16 SR pixels each: 1,310,720 SR pixels between them
    fixed, per_pixel = calibration._line([0.001 + 16_384e-9], [0.001 + 1_327_104e-9], pixels=16)
    assert (fixed, per_pixel) == (pytest.approx(0.001), pytest.approx(1e-9))
    assert calibration._line([0.002], [0.001], pixels=1) == (0.002, 0.0)


def test_what_most_exchanges_stay_below_is_told_above_the_median_of_their_size() -> None:
    small = [0.001] * 7 + [0.002, 0.003, 0.9]  # of ten the worst counts for nothing
    assert calibration._most(small, [0.01] * 10) == pytest.approx(0.002)


def test_what_the_machine_does_at_its_best_is_not_gauged_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = _taken(monkeypatch, PeakRates({"fp32": 5e9}, 2e9), known=CALIBRATION)
    assert isinstance(found, Calibration)
    assert (found.macs_per_s, found.bytes_per_s) == ({"fp32": 1e12}, 1e12)
