from __future__ import annotations

import time
from typing import Any

import pytest
import torch

from harness.worker import rebinding, runner


def test_untouched_functions_are_the_same() -> None:
    assert rebinding.rebound(rebinding.bound()) == ()


@pytest.mark.parametrize(
    ("holder", "name", "told"),
    [
        (time, "perf_counter", "time.perf_counter"),
        (torch.cuda, "synchronize", "torch.cuda.synchronize"),
        (torch.cuda, "Event", "torch.cuda.Event"),
        (torch.Tensor, "cpu", "torch.Tensor.cpu"),
        (runner, "_now", "harness.worker.runner._now"),
        (runner.Runner, "forward", "harness.worker.runner.Runner.forward"),
    ],
)
def test_a_function_patched_in_place_is_told(
    monkeypatch: pytest.MonkeyPatch, holder: Any, name: str, told: str
) -> None:
    before = rebinding.bound()
    monkeypatch.setattr(holder, name, lambda *_: 0.0)
    assert rebinding.rebound(before) == (told,)


def test_other_code_in_the_same_function_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    before = rebinding.bound()
    other = (lambda call, batch: (0.0, call(batch))).__code__
    monkeypatch.setattr(runner._cpu_seconds, "__code__", other)
    assert rebinding.rebound(before) == ("harness.worker.runner._cpu_seconds",)


def test_every_watched_name_is_there() -> None:
    assert [name for name, (value, _) in rebinding.bound().items() if value is None] == []
