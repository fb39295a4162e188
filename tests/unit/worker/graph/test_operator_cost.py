"""What calls cost beside products of matrices, by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from harness.worker.graph import allowed
from harness.worker.graph.operator_cost import cost, parts

X = torch.zeros(1, 2, 8, 6)  # 96 values
CALLS: dict[str, tuple[str, tuple[Any, ...], int]] = {
    "four neighbours": ("upsample_bilinear2d.default", (X, [4, 4], False), 4 * 32),
    "sixteen neighbours": ("upsample_bicubic2d.default", (X, [4, 4], False), 16 * 32),
    "one that is taken": ("upsample_nearest2d.default", (X, [4, 4]), 96),
    "a window": ("avg_pool2d.default", (X, [2, 3], [1, 1]), 6 * 2 * 7 * 4),
    "a window of one number": ("avg_pool2d.default", (X, [3], [1, 1]), 9 * 2 * 6 * 4),
    "a window on a line": ("avg_pool1d.default", (X[0], [3], [1]), 3 * 2 * 8 * 4),
    # of eight rows in three, 0-2, 2-5, 5-7, two are taken twice; of six columns none is
    "windows that overlap": ("adaptive_avg_pool2d.default", (X, [3, 2]), 2 * 10 * 6),
    "one window": ("adaptive_avg_pool2d.default", (X, [1, 1]), 96),
    "complex factors": ("mul.Tensor", (X.to(torch.complex64), X.to(torch.complex64)), 4 * 96),
    "factors of 64 bits": ("mul.Tensor", (X.double(), X.double()), 2 * 96),
    "indices of 64 bits": (
        "embedding.default",
        (torch.zeros(3, 1), torch.zeros(5, dtype=torch.int64)),
        5,
    ),
}


@pytest.mark.parametrize("kind", CALLS)
def test_a_call_costs_what_each_of_its_values_is_made_of(kind: str) -> None:
    name, args, expected = CALLS[kind]
    name = f"aten.{name}"
    before = [it for it in args if isinstance(it, Tensor)]
    made = [allowed.resolve(name)(*args)]
    assert cost(name, allowed.bound(name, args, {}), before, made) == expected


@pytest.mark.parametrize(
    ("name", "args", "many"),
    [
        ("chunk.default", (X, 2, 1), 2),
        ("chunk.default", (X[:, :, :0], 5, 2), 5),
        ("tensor_split.sections", (X, 20, 3), 20),
        ("hsplit.int", (X, 2), 2),
        ("unbind.int", (X, 2), 8),
        ("split.Tensor", (X, 4, 2), 2),
    ],
)
def test_parts_are_told_before_there_are_any(name: str, args: tuple[Any, ...], many: int) -> None:
    name = f"aten.{name}"
    assert parts(name, allowed.bound(name, args, {})) == len(allowed.resolve(name)(*args)) == many
