from __future__ import annotations

import pytest

from harness.worker import gauge


def test_every_precision_and_the_copies_have_a_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauge, "TRY_S", 0.0)
    monkeypatch.setattr(gauge, "_SIZES", {"cpu": (8, 2, 8)})
    monkeypatch.setattr(gauge, "_COPIES", (64,))
    found = gauge.gauge("cpu")
    assert set(found.macs_per_s) == {"fp32", "bf16", "fp16"}
    assert min(*found.macs_per_s.values(), found.bytes_per_s) > 0


def test_the_best_of_the_tries_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    took = iter([0.5, 0.2, 0.4])
    monkeypatch.setattr(gauge, "_seconds", lambda *_: next(took))
    clock = iter([0.0, 0.0, 0.0, 1.0])
    monkeypatch.setattr(gauge.time, "perf_counter", lambda: next(clock))
    assert gauge._best(lambda: None, "cpu") == 0.2
