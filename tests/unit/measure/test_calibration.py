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
    assert [it.exchange_s for it in found.sizes] == pytest.approx([0.001] * 5)
    assert [it.pixels for it in found.sizes] == [576, 4096, 16_384, 36_864, 82_944]
    assert (found.macs_per_s, found.bytes_per_s) == ({"fp32": 5e9}, 2e9)


@pytest.mark.parametrize(("told", "reason"), [(None, "crash"), (PeakRates({}, 1.0), "protocol")])
def test_a_calibration_that_can_not_be_taken_is_a_value(
    monkeypatch: pytest.MonkeyPatch, told: PeakRates | None, reason: str
) -> None:
    found = _taken(monkeypatch, told)
    assert isinstance(found, Failed)
    assert found.reason == reason


def test_what_exchanges_cost_is_told_apart_for_each_size() -> None:
    beside = [0.001] * 7 + [0.002, 0.003, 0.9]  # of ten the worst counts for nothing
    found = calibration.exchange_cost(24, beside, [0.01] * 10)
    assert (found.pixels, found.sr_pixels) == (576, 9216)
    assert (found.exchange_s, found.collect_s) == (0.001, 0.01)
    assert (found.exchange_most_s, found.collect_most_s) == (pytest.approx(0.002), 0.0)


def test_what_the_machine_does_at_its_best_is_not_gauged_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = _taken(monkeypatch, PeakRates({"fp32": 5e9}, 2e9), known=CALIBRATION)
    assert isinstance(found, Calibration)
    assert (found.macs_per_s, found.bytes_per_s) == ({"fp32": 1e12}, 1e12)
