from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from harness.worker.count.scope import Scope


class Noting(nn.Module):
    """Notes the name that a scope has while it runs."""

    def __init__(self, scope: Scope, seen: list[str]) -> None:
        super().__init__()
        self.scope, self.seen = scope, seen

    def forward(self, image: Tensor) -> Tensor:
        self.seen.append(self.scope.name)
        return image


def test_the_innermost_module_is_the_one_that_runs() -> None:
    scope, seen = Scope(), []
    model = nn.Sequential(Noting(scope, seen), nn.Sequential(Noting(scope, seen)))
    with scope.following(model):
        model(torch.zeros(1))
        assert scope.name == ""
    model(torch.zeros(1))
    assert seen == ["0", "1.0", "", ""]


def test_a_module_that_raises_is_left_all_the_same() -> None:
    class Raising(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            raise ValueError(image.shape)

    scope = Scope()
    model = Raising()
    with scope.following(model):
        with pytest.raises(ValueError):  # noqa: PT011
            model(torch.zeros(1))
        assert scope.name == ""
