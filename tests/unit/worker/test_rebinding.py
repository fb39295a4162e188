from __future__ import annotations

import time
from typing import Any

import pytest
import torch

from harness.wire.messages import Load
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


class Timed:
    """A measurement's object, as those that hold the model are."""

    def __init__(self) -> None:
        self._time = time.perf_counter
        self._kept: Any = None

    def forward(self) -> None:
        """Whatever is measured."""


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("_time", lambda: 0.0, "_time (of an object)"),
        ("forward", lambda: None, "forward (of an object)"),
        ("__class__", type("Other", (Timed,), {}), "Timed (the class of an object)"),
        ("_kept", 7, ""),
        ("more", 7, ""),  # which nothing of ours asks for
    ],
)
def test_an_attribute_of_an_object_is_told_where_it_is_called(
    monkeypatch: pytest.MonkeyPatch, name: str, value: Any, told: str
) -> None:
    monkeypatch.setattr(runner, "Timed", Timed, raising=False)
    monkeypatch.setattr(rebinding, "WATCHED", {"harness.worker.runner": ("Timed.forward",)})
    mine = Timed()
    before = rebinding.held()
    assert [it.held for it in before] == [mine]
    setattr(mine, name, value)
    found = rebinding.rebound({}, before)
    assert [it.endswith(told) for it in found] == ([True] if told else [])


def test_the_objects_that_hold_a_model_are_found() -> None:
    load = Load("", "", "{}", 4, 1.0, "cpu", threads=1, seed=0, form="null")
    ours = runner.Runner(torch.nn.Identity(), load)
    known = [it for it in rebinding.held() if it.held is ours]
    assert [{*it.attributes} >= {"_call", "_time", "_declared"} for it in known] == [True]
    assert rebinding.rebound({}, known) == ()


def test_every_watched_name_is_there() -> None:
    assert [name for name, (value, _) in rebinding.bound().items() if value is None] == []
