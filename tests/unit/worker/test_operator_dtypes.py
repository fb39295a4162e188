from __future__ import annotations

import torch
from torch import nn

from harness.worker.operator_dtypes import observe

BATCH = torch.rand(1, 3, 4, 4)


def test_operators_are_counted_by_their_narrowest_floats() -> None:
    network = nn.Conv2d(3, 3, 3)
    assert set(observe(network, BATCH.clone()).dtypes) == {"float32"}
    inside = observe(lambda it: network(it).bfloat16().mul(2).float(), BATCH.clone())
    assert inside.dtypes["bfloat16"] == 2  # the product, and the way back
    assert not inside.input_changed


def test_the_cost_of_the_very_image_is_told() -> None:
    network = nn.Conv2d(3, 5, 3)
    assert observe(network, BATCH.clone()).macs == 3 * 5 * 9 * 2 * 2


def test_a_forward_that_writes_to_its_input_is_told() -> None:
    assert observe(lambda it: it.mul_(2), BATCH.clone()).input_changed
    assert not observe(lambda it: it.mul(2), BATCH.clone()).input_changed


def test_a_model_that_raises_is_told_and_nothing_else() -> None:
    found = observe(lambda it: it.reshape(7), BATCH.clone())
    assert found.error.startswith("RuntimeError: shape")
    assert found.dtypes == {}
