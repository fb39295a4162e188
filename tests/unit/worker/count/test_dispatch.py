from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor, nn

from harness.worker.count.dispatch import DispatchCounter, DispatchTally

DEVICES = ("cpu", "meta")


def _tally(run: Callable[[], object]) -> DispatchTally:
    with torch.no_grad(), DispatchCounter() as counter:
        run()
    return counter.tally


def _zeros(*shape: int, device: str = "cpu") -> Tensor:
    return torch.zeros(*shape, device=device)


@pytest.mark.parametrize("device", DEVICES)
def test_a_functional_convolution_counts(device: str) -> None:
    image, weight = _zeros(1, 4, 6, 6, device=device), _zeros(8, 1, 3, 3, device=device)
    tally = _tally(lambda: F.conv2d(image, weight, stride=2, padding=1, groups=4))
    assert tally.figures() == (3 * 3 * 1 * 8 * (3 * 3), 8 * 3 * 3, 1)
    assert not tally.uncounted


def test_padding_same_counts_like_the_padding_it_stands_for() -> None:
    image, weight = _zeros(1, 3, 5, 5), _zeros(2, 3, 3, 3)
    same = _tally(lambda: F.conv2d(image, weight, padding="same"))
    assert same == _tally(lambda: F.conv2d(image, weight, padding=1))
    assert same.macs == 9 * 3 * 2 * 25


def test_a_transposed_convolution_costs_its_kernel_per_input_pixel() -> None:
    tally = _tally(lambda: F.conv_transpose2d(_zeros(1, 6, 5, 5), _zeros(6, 2, 4, 4), stride=4))
    assert tally.figures() == (6 * 2 * 16 * 25, 2 * 20 * 20, 1)


def test_a_convolution_over_one_axis_has_multiply_adds_but_is_no_conv2d() -> None:
    tally = _tally(lambda: F.conv1d(_zeros(1, 3, 8), _zeros(4, 3, 3), padding=1))
    assert tally.figures() == (3 * 3 * 4 * 8, 0, 0)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("bias", [True, False])
def test_a_linear_layer_costs_in_times_out_for_every_token(device: str, bias: bool) -> None:
    layer, tokens = nn.Linear(6, 10, bias=bias, device=device), _zeros(1, 7, 9, 6, device=device)
    tally = _tally(lambda: layer(tokens))
    assert tally.macs == 7 * 9 * 6 * 10
    assert not tally.uncounted


def test_a_product_of_64_bits_has_room_for_two_and_a_complex_one_is_four() -> None:
    for dtype, times in ((torch.float64, 2), (torch.complex64, 4), (torch.complex128, 8)):
        left, right = _zeros(2, 3).to(dtype), _zeros(3, 5).to(dtype)
        assert _tally(lambda one=left, other=right: one @ other).macs == times * 2 * 3 * 5


PRODUCTS: dict[str, tuple[Callable[[], object], int]] = {
    "matrix by matrix": (lambda: _zeros(2, 3) @ _zeros(3, 5), 2 * 3 * 5),
    "matrix by vector": (lambda: _zeros(2, 3) @ _zeros(3), 2 * 3),
    "vector by vector": (lambda: torch.dot(_zeros(3), _zeros(3)), 3),
    "stacks": (lambda: _zeros(4, 2, 3) @ _zeros(4, 3, 5), 4 * 2 * 3 * 5),
    "a stack added to": (
        lambda: torch.baddbmm(_zeros(4, 2, 5), _zeros(4, 2, 3), _zeros(4, 3, 5)),
        4 * 2 * 3 * 5,
    ),
    "a stack summed": (
        lambda: torch.addbmm(_zeros(2, 5), _zeros(4, 2, 3), _zeros(4, 3, 5)),
        4 * 2 * 3 * 5,
    ),
    "a vector added to": (lambda: torch.addmv(_zeros(2), _zeros(2, 3), _zeros(3)), 2 * 3),
    "einsum": (
        lambda: torch.einsum("bchw,dc->bdhw", _zeros(1, 3, 4, 4), _zeros(5, 3)),
        3 * 5 * 16,
    ),
    "by keyword": (lambda: torch.mm(input=_zeros(2, 3), mat2=_zeros(3, 5)), 2 * 3 * 5),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_matrix_product_costs_rows_times_columns_times_the_summed_axis(name: str) -> None:
    run, macs = PRODUCTS[name]
    tally = _tally(run)
    assert tally.macs == macs
    assert not tally.uncounted


@pytest.mark.parametrize("device", DEVICES)
def test_scaled_dot_product_attention_is_two_products_on_either_device(device: str) -> None:
    query, key = _zeros(1, 2, 16, 8, device=device), _zeros(1, 2, 20, 8, device=device)
    tally = _tally(lambda: F.scaled_dot_product_attention(query, key, key))
    assert tally.macs == 2 * 16 * 20 * (8 + 8)
    assert not tally.uncounted


def test_what_has_no_formula_and_is_not_free_is_reported() -> None:
    tally = _tally(lambda: torch.fft.fft2(_zeros(1, 3, 8, 8)))
    assert tally.macs == 0
    assert tally.uncounted == {"aten::_fft_c2c": 1}


def test_elementwise_work_is_free() -> None:
    image = _zeros(1, 16, 8, 8)
    tally = _tally(lambda: F.pixel_shuffle(F.gelu(image * 2 + image.mean()), 2).softmax(1))
    assert tally == DispatchTally()
