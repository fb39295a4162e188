from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from harness.worker.count.hooks import HookTally, counting, never_called


def _tally(model: nn.Module, *shape: int) -> HookTally:
    tally = HookTally()
    with torch.no_grad(), counting(model.eval(), tally):
        model(torch.zeros(*shape))
    return tally


def test_a_convolution_costs_kernel_times_channels_per_output_pixel_without_bias() -> None:
    tally = _tally(nn.Conv2d(3, 8, 3, padding=1, bias=True), 1, 3, 4, 5)
    assert tally.macs == 3 * 3 * 3 * 8 * (4 * 5)
    assert (tally.activations, tally.convs) == (8 * 4 * 5, 1)


def test_groups_and_stride_make_a_convolution_cheaper() -> None:
    tally = _tally(nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=4), 1, 4, 8, 8)
    assert tally.macs == tally.matmul_macs == 3 * 3 * (4 // 4) * 8 * (4 * 4)


def test_a_convolution_without_a_batch_axis_counts_its_pixels() -> None:
    assert _tally(nn.Conv2d(3, 2, 1), 3, 4, 5).macs == 3 * 2 * 4 * 5


def test_a_transposed_convolution_follows_the_official_rule_and_keeps_the_true_share() -> None:
    tally = _tally(nn.ConvTranspose2d(6, 2, 4, stride=4), 1, 6, 5, 5)
    assert tally.macs == 4 * 4 * 6 * 2 * (20 * 20)  # per output pixel: the convention
    assert tally.matmul_macs == 4 * 4 * 6 * 2 * (5 * 5)  # per input pixel: what is computed
    assert (tally.activations, tally.convs) == (2 * 20 * 20, 1)


def test_every_token_of_a_linear_layer_counts_and_the_official_misreading_is_kept() -> None:
    tally = _tally(nn.Linear(6, 10), 1, 7, 9, 6)
    assert tally.macs == tally.matmul_macs == 7 * 9 * 6 * 10
    assert tally.official_macs == 1 * 7 * 7  # batch x second axis in x second axis out


def test_both_readings_of_a_linear_layer_agree_on_two_axes() -> None:
    tally = _tally(nn.Linear(6, 10), 5, 6)
    assert tally.macs == tally.official_macs == 5 * 6 * 10


@pytest.mark.parametrize("module", [nn.ReLU(), nn.PReLU(), nn.ELU(), nn.LeakyReLU(0.1), nn.ReLU6()])
def test_an_activation_function_costs_one_per_element_and_no_product(module: nn.Module) -> None:
    tally = _tally(module, 1, 3, 4, 4)
    assert (tally.macs, tally.matmul_macs) == (48, 0)


@pytest.mark.parametrize(("affine", "each"), [(True, 2), (False, 1)])
def test_a_batch_norm_costs_two_per_element_if_affine(affine: bool, each: int) -> None:
    assert _tally(nn.BatchNorm2d(3, affine=affine), 1, 3, 4, 4).macs == each * 48


def test_a_module_called_twice_counts_twice() -> None:
    shared = nn.Conv2d(3, 3, 1)
    tally = _tally(nn.Sequential(shared, nn.ReLU(), shared), 1, 3, 2, 2)
    assert tally.macs == 2 * (3 * 3 * 4) + 12
    assert tally.convs == 2


def test_a_layer_that_the_convention_does_not_know_is_named() -> None:
    assert _tally(nn.Sequential(nn.LayerNorm(4), nn.GELU()), 1, 2, 4).uncounted == {"LayerNorm": 1}


def test_an_image_passed_by_keyword_is_seen() -> None:
    class Keyword(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up = nn.ConvTranspose2d(3, 3, 2, stride=2)

        def forward(self, image: Tensor) -> Tensor:
            result: Tensor = self.up(input=image)
            return result

    assert _tally(Keyword(), 1, 3, 5, 5).matmul_macs == 2 * 2 * 3 * 3 * 25


def test_a_module_whose_weights_are_used_by_another_is_never_called() -> None:
    class Borrower(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used = nn.Conv2d(3, 3, 1)
            self.borrowed = nn.Conv2d(3, 3, 1)
            self.plain = nn.ReLU()

        def forward(self, image: Tensor) -> Tensor:
            return nn.functional.conv2d(self.used(image), self.borrowed.weight)

    model = Borrower()
    tally = _tally(model, 1, 3, 4, 4)
    assert tally.convs == 1
    assert never_called(model, tally) == ("borrowed",)
    assert never_called(model, tally, read=["borrowed.weight"]) == ("borrowed",)
    assert never_called(model, tally, read=["borrowed.weight", "borrowed.bias"]) == ()


def test_the_hooks_are_gone_even_after_a_failure() -> None:
    model = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Linear(5, 5))
    with pytest.raises(RuntimeError):
        _tally(model, 1, 3, 4, 4)
    assert not any(module._forward_hooks for module in model.modules())
