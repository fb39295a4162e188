from __future__ import annotations

import pytest

from harness.worker import peak_rates


def test_every_precision_and_the_copies_have_a_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peak_rates, "TRY_S", 0.0)
    monkeypatch.setattr(peak_rates, "_SIZES", {"cpu": (8, 2, 8)})
    monkeypatch.setattr(peak_rates, "_COPIES", {"cpu": (64,)})
    found = peak_rates.measured("cpu")
    assert set(found.macs_per_s) == {"fp32", "bf16", "fp16"}
    assert min(*found.macs_per_s.values(), found.bytes_per_s) > 0


def test_a_precision_whose_kernels_are_loaded_by_the_first_try_is_not_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(peak_rates, "_products", lambda *_: [(12.0, lambda: None)])
    monkeypatch.setattr(peak_rates, "_copied", lambda *_: 1.0)
    monkeypatch.setattr(peak_rates, "_best", lambda *_: 1.5)
    tries = iter([9.0, 3.0, 90.0, 2.0, 90.0, 80.0])  # twice fp32, bf16 and fp16
    monkeypatch.setattr(peak_rates, "_seconds", lambda *_: next(tries))
    assert peak_rates.measured("cpu").macs_per_s == {"fp32": 8.0, "bf16": 8.0, "fp16": 12.0 / 80.0}


def test_what_is_queued_for_a_gpu_is_timed_together(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([1.0, 3.0])
    monkeypatch.setattr(peak_rates.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(peak_rates.torch.cuda, "synchronize", lambda: None)
    calls: list[None] = []
    assert peak_rates._seconds(lambda: calls.append(None), "cuda") == 2.0 / len(calls)
    assert len(calls) > 1


def test_the_best_of_the_tries_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    took = iter([0.5, 0.2, 0.4])
    monkeypatch.setattr(peak_rates, "_seconds", lambda *_: next(took))
    clock = iter([0.0, 0.0, 0.0, 1.0])
    monkeypatch.setattr(peak_rates.time, "perf_counter", lambda: next(clock))
    assert peak_rates._best(lambda: None, "cpu") == 0.2
