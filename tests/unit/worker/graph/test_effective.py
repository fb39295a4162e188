"""Numbers and products that no convention counts, by hand."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.worker.graph.effective import effective_parameters
from tests.unit.worker.graph.networks import Plain, rebuilt


def _found(model: nn.Module, folder: Path) -> dict[str, int]:
    found = effective_parameters(rebuilt(model, folder), 16, 24)
    assert found is not None
    return found


def test_a_plain_network_knows_its_parameters_and_the_slope(tmp_path: Path) -> None:
    found = _found(Plain(), tmp_path)
    assert found == {"elements": 3 * 12 * 9 + 12, "numbers": 1, "elementwise_macs": 0}


class _Numbers(nn.Module):
    """Two numbers in the code, one of them twice: three products of 3 x 16 x 24 elements."""

    def forward(self, image: Tensor) -> Tensor:
        shown = (image * 0.25).add(image, alpha=0.5) * 0.25
        return functional.interpolate(shown, scale_factor=2.0)


def test_numbers_in_the_code_are_known_and_multiply(tmp_path: Path) -> None:
    found = _found(_Numbers(), tmp_path)
    assert (found["elements"], found["elementwise_macs"]) == (0, 3 * 3 * 16 * 24)
    assert found["numbers"] >= 2


class _Packed(nn.Module):
    """Nine weights, three in each of three parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.packed = nn.Parameter(torch.tensor([10203.0, 40506.0, 70809.0]))

    def forward(self, image: Tensor) -> Tensor:
        ones = self.packed % 100
        hundreds = (self.packed / 100).floor() % 100
        rest = (self.packed / 10_000).floor()
        weight = torch.stack([ones, hundreds, rest]).view(3, 3, 1, 1)
        return functional.interpolate(functional.conv2d(image, weight), scale_factor=2.0)


def test_weights_that_are_computed_of_fewer_parameters_are_known_one_by_one(tmp_path: Path) -> None:
    assert _found(_Packed(), tmp_path)["elements"] == 9


class _Table(nn.Module):
    """Two values that are only moved to three places."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.rand(2))
        self.register_buffer("at", torch.arange(3) % 2)

    def forward(self, image: Tensor) -> Tensor:
        bias = self.table[self.at].view(1, 3, 1, 1)
        return functional.interpolate(image + bias, scale_factor=2.0)


def test_values_that_are_moved_are_known_once(tmp_path: Path) -> None:
    assert _found(_Table(), tmp_path)["elements"] == 2


class _Lookup(nn.Module):
    """Five weights in 8 bits, which are no parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("eighths", torch.arange(5, dtype=torch.int8))

    def forward(self, image: Tensor) -> Tensor:
        weight = self.eighths.type_as(image).view(1, 1, 1, 5).expand(3, 1, 1, 5)
        shown = functional.conv2d(image, weight, groups=3, padding=(0, 2))
        return functional.interpolate(shown, scale_factor=2.0)


def test_elements_count_in_any_dtype(tmp_path: Path) -> None:
    assert _found(_Lookup(), tmp_path)["elements"] == 5


def test_what_is_no_captured_network_has_none() -> None:
    assert effective_parameters(Plain(), 16, 24) is None
