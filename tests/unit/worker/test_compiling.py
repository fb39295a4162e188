from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from harness.wire.messages import Load
from harness.worker import compiling
from harness.worker import runner as run
from harness.worker.compiling import Compiling
from harness.worker.runner import Runner

COMPILE_S, FORWARD_S = 5.0, 0.25


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Slow(nn.Module):
    """Takes long at the first call of a shape, as a compiler does."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.known: set[Any] = set()

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        self.clock.now += FORWARD_S if batch.shape in self.known else COMPILE_S
        self.known.add(batch.shape)
        return batch


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Runner:
    clock = Clock()
    for module in (run, compiling):
        monkeypatch.setattr(module, "_now", clock)
    monkeypatch.setattr(run, "compiled", lambda model, **_: model)
    load = Load("", "m:N", "{}", 1, 1.0, "cpu", threads=1, seed=0, compile=True)
    return Runner(Slow(clock), load)


def test_compiling_is_in_no_runtime_and_done_once_for_a_shape(runner: Runner) -> None:
    told = []
    for height in (2, 2, 3, 2):
        seconds = runner.forward(np.zeros((height, 2, 3), np.uint8))
        told.append((seconds, runner.compile_s))
    again = (FORWARD_S, 0.0)
    assert told == [(FORWARD_S, COMPILE_S), again, (FORWARD_S, COMPILE_S), again]


def test_a_window_counts_whole_forwards_until_its_time_is_over(runner: Runner) -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    runner.forward(image)
    assert runner.repeat(image, 1.0) == 4
    assert runner.repeat(image, 0.0) == 1


def test_a_compiler_that_fails_says_that_it_was_the_compiler() -> None:
    def call(_batch: torch.Tensor) -> None:
        raise ValueError("No working C++ compiler found\nand a long story")

    with pytest.raises(RuntimeError) as caught:
        Compiling(call, lambda: None).prepare(torch.ones(1))
    assert str(caught.value) == "torch.compile: ValueError: No working C++ compiler found"


def test_the_graphs_of_a_captured_network_are_compiled_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Compiled(nn.Sequential):
        pass

    monkeypatch.setattr(torch, "compile", Compiled)
    graphs = nn.ModuleDict({"at_2x2": nn.Identity(), "at_3x2": nn.Identity()})
    assert compiling.compiled(graphs, by_child=True) is graphs
    assert [type(it) for it in graphs.values()] == [Compiled, Compiled]
    assert isinstance(compiling.compiled(nn.Identity()), Compiled)
