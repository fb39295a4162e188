from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from harness.core.model_counts import BeforeDeploy, SecondSize
from harness.documents.typed import build
from harness.worker.count.model_copies import ModelCopy
from harness.worker.count.other_forwards import (
    count_at_second_size,
    count_before_deploy,
    watched_apart,
)

SIDE = 16


def _before(before: nn.Module, fused: nn.Module, *, data_range: float = 1.0) -> BeforeDeploy:
    told = count_before_deploy(before, fused, height=SIDE, width=SIDE, data_range=data_range)
    return build(BeforeDeploy, told)


def _second(copied: ModelCopy) -> SecondSize:
    return build(SecondSize, count_at_second_size(copied, _picture, ()))


def _pair() -> tuple[nn.Module, nn.Module]:
    """Two linear layers of a pixel, and the one that they are together."""
    first, second = nn.Conv2d(3, 6, 1, bias=False), nn.Conv2d(6, 3, 1, bias=False)
    fused = nn.Conv2d(3, 3, 1, bias=False)
    fused.weight.data = torch.einsum("oi...,ij...->oj...", second.weight, first.weight).detach()
    return nn.Sequential(first, nn.Identity(), second), fused


def test_figures_before_are_those_of_the_model_before() -> None:
    before, fused = _pair()
    found = _before(before, fused)
    macs = 2 * 18 * SIDE * SIDE
    assert (found.params, found.convs, found.activations) == (36, 2, 9 * SIDE * SIDE)
    assert found.macs == {"ntire2022": macs, "fvcore": macs, "dispatch": macs}
    assert found.difference == pytest.approx(0, abs=1e-6)
    assert (found.side, found.error) == (64, "")


def test_the_difference_is_a_part_of_the_data_range() -> None:
    class Darker(nn.Module):
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, image: Tensor) -> Tensor:
            out: Tensor = self.inner(image)
            out[0, 0, 0, 0] -= 51
            return out

    before, fused = _pair()
    found = _before(before, Darker(fused), data_range=255.0)
    assert found.difference == pytest.approx(0.2, abs=1e-5)


@pytest.mark.parametrize("spoil", [lambda out: out[..., 1:], lambda out: out / 0])
def test_outputs_that_can_not_be_compared_have_an_error_and_no_figure(spoil: object) -> None:
    class Spoilt(nn.Sequential):
        def forward(self, image: Tensor) -> Tensor:
            out: Tensor = spoil(super().forward(image))  # type: ignore[operator]
            return out

    before, fused = _pair()
    found = _before(before, Spoilt(fused))
    assert found.difference is None
    assert found.error.startswith("ValueError: the outputs are")
    assert found.params == 36


def _picture(height: int, width: int) -> Tensor:
    return torch.zeros(1, 3, height, width)


def test_the_other_size_is_larger_both_ways_and_cheaper_on_the_cpu() -> None:
    model = nn.Conv2d(3, 3, 1)
    cpu = _second(ModelCopy(model, _picture(16, 24), "cpu"))
    meta = ModelCopy(model.to("meta"), _picture(16, 24).to("meta"), "meta")
    there = _second(meta)
    assert (cpu.height, cpu.width, cpu.macs) == (20, 36, 9 * 720)
    assert (there.height, there.width, there.macs, there.convs) == (32, 36, 9 * 32 * 36, 1)
    assert there.also_read == ("weight", "bias")


def test_a_model_of_one_size_says_so() -> None:
    class Fixed(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            return image.view(1, 3, 16, 16)

    there = _second(ModelCopy(Fixed(), _picture(16, 16), "cpu"))
    assert there.error.startswith("RuntimeError: shape")


class Watchful(nn.Module):
    """A tenth brighter while operators are looked at."""

    def forward(self, image: Tensor) -> Tensor:
        return image + 0.1 * (torch._C._len_torch_dispatch_stack() > 0)


@pytest.mark.parametrize(("model", "apart"), [(nn.Conv2d(3, 3, 3), 0.0), (Watchful(), 0.1)])
def test_a_model_that_does_other_work_while_it_is_watched_is_seen(
    model: nn.Module, apart: float
) -> None:
    with torch.no_grad():
        found = watched_apart(ModelCopy(model, _picture(SIDE, SIDE), "cpu"), 1.0)
    assert found == pytest.approx(apart, abs=1e-6)


def test_a_model_that_can_not_run_here_has_no_such_figure() -> None:
    assert watched_apart(ModelCopy(nn.Conv2d(9, 3, 1), _picture(SIDE, SIDE), "cpu"), 1.0) is None
