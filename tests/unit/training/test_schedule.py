from __future__ import annotations

import pytest
import torch
from torch import nn

from reference_models.training import average
from reference_models.training.recipe import ScheduleName, Stage
from reference_models.training.schedule import learning_rate


def _stage(schedule: ScheduleName, *, iterations: int = 100, halve_every: int = 0) -> Stage:
    return Stage("it", iterations, 1, 60, "l1", 0.8, schedule, halve_every)


def test_a_constant_rate_stays() -> None:
    assert learning_rate(_stage("constant"), 99) == 0.8


def test_halving_happens_at_the_interval_and_not_before() -> None:
    stage = _stage("halving", halve_every=20)
    rates = [learning_rate(stage, iteration) for iteration in (0, 19, 20, 39, 40)]
    assert rates == [0.8, 0.8, 0.4, 0.4, 0.2]


def test_a_cosine_begins_at_the_peak_and_is_half_of_it_in_the_middle() -> None:
    stage = _stage("cosine")
    assert learning_rate(stage, 0) == pytest.approx(0.8)
    assert learning_rate(stage, 50) == pytest.approx(0.4)
    assert learning_rate(stage, 99) < 0.001


@pytest.mark.parametrize("iterations", [10, 33, 100])
def test_a_one_cycle_equals_that_of_pytorch(iterations: int) -> None:
    optimiser = torch.optim.Adam([nn.Parameter(torch.zeros(1))])
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=0.8, total_steps=iterations)
    for iteration in range(iterations):
        ours = learning_rate(_stage("one-cycle", iterations=iterations), iteration)
        assert ours == pytest.approx(optimiser.param_groups[0]["lr"])
        optimiser.step()
        if iteration + 1 < iterations:
            theirs.step()


@pytest.mark.parametrize("iterations", [1, 2, 3, 4])
def test_the_shortest_one_cycles_have_positive_rates(iterations: int) -> None:
    stage = _stage("one-cycle", iterations=iterations)
    rates = [learning_rate(stage, iteration) for iteration in range(iterations)]
    assert all(0 < rate <= 0.8 for rate in rates)


def test_the_average_moves_by_the_share_that_is_not_kept() -> None:
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 1.0)
    kept = average.copied(model)
    nn.init.constant_(model.weight, 2.0)
    average.update(kept, model, decay=0.75, updates=1000)
    assert kept["weight"].item() == pytest.approx(1.25)
    average.update(kept, model, decay=0.75, updates=1000)
    assert kept["weight"].item() == pytest.approx(1.4375)


def test_the_first_average_keeps_a_tenth_however_large_the_decay() -> None:
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 0.0)
    kept = average.copied(model)
    nn.init.constant_(model.weight, 1.0)
    average.update(kept, model, decay=0.999, updates=0)
    assert kept["weight"].item() == pytest.approx(0.9)
