from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from harness.worker.count.module_stack import ModuleStack


class Noting(nn.Module):
    """Notes the name that a stack has while it runs."""

    def __init__(self, stack: ModuleStack, seen: list[str]) -> None:
        super().__init__()
        self.stack, self.seen = stack, seen

    def forward(self, image: Tensor) -> Tensor:
        self.seen.append(self.stack.name)
        return image


def test_the_innermost_module_is_the_one_that_runs() -> None:
    stack, seen = ModuleStack(), []
    model = nn.Sequential(Noting(stack, seen), nn.Sequential(Noting(stack, seen)))
    with stack.following(model):
        model(torch.zeros(1))
        assert stack.name == ""
    model(torch.zeros(1))
    assert seen == ["0", "1.0", "", ""]


def test_a_module_that_raises_is_left_all_the_same() -> None:
    class Raising(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            raise ValueError(image.shape)

    stack = ModuleStack()
    model = Raising()
    with stack.following(model):
        with pytest.raises(ValueError):  # noqa: PT011
            model(torch.zeros(1))
        assert stack.name == ""
