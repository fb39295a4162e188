"""The closed form is reached without the formulas of the dispatch counter, and equals them."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from harness.core.model_counts import WeightTrace
from harness.documents.typed import build
from harness.worker.count.dispatch import DispatchCounter
from harness.worker.count.formulas import known, opaque
from harness.worker.count.weight_trace import TraceRecorder


def _followed(model: nn.Module, image: Tensor) -> tuple[WeightTrace, int]:
    """What was read, and the dispatch counter's multiply-adds of the same forward."""
    reads, counter = TraceRecorder(model, image), DispatchCounter()
    with torch.no_grad(), reads, counter:
        output = model(image)
    return build(WeightTrace, reads.report(output)), counter.tally.macs


@settings(max_examples=60, deadline=None)
@given(
    groups=st.integers(1, 3),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 2),
    padding=st.integers(0, 3),
    transposed=st.booleans(),
    side=st.integers(8, 13),
)
def test_a_convolution_of_any_kind_costs_its_elements_at_each_position(
    groups: int, kernel: int, stride: int, dilation: int, padding: int, transposed: bool, side: int
) -> None:
    kind = nn.ConvTranspose2d if transposed else nn.Conv2d
    model = kind(
        6, 12, kernel, stride, groups=groups, dilation=dilation, padding=padding, device="meta"
    )
    read, counted = _followed(model, torch.empty(2, 6, side, side + 1, device="meta"))
    assert read.closed_form == counted > 0


def test_the_closed_form_counts_products_of_64_bits_twice_as_well() -> None:
    read, counted = _followed(nn.Linear(3, 5, dtype=torch.float64), torch.zeros(7, 3).double())
    assert read.closed_form == counted == 2 * 7 * 3 * 5


@settings(deadline=None)
@given(rows=st.integers(1, 7), batch=st.integers(1, 3), width=st.integers(1, 9))
def test_products_of_every_spelling_cost_what_the_dispatch_counter_says(
    rows: int, batch: int, width: int
) -> None:
    class Products(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.right = nn.Parameter(torch.zeros(width, 4))
            self.left = nn.Parameter(torch.zeros(5, rows))
            self.bias = nn.Parameter(torch.zeros(4))

        def forward(self, image: Tensor) -> Tensor:
            out = F.linear(image, self.right.T, self.bias) + image @ self.right
            out = out + torch.addmm(self.bias, image[0], self.right)
            return self.left @ out

    read, counted = _followed(Products(), torch.zeros(batch, rows, width))
    assert read.closed_form == counted == (2 * batch + 1) * rows * width * 4 + batch * rows * 20
    assert (read.image_products, read.weight_products) == (0, 0)


def test_products_are_told_apart_by_what_meets_what() -> None:
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = nn.Parameter(torch.zeros(3, 5))
            self.two = nn.Parameter(torch.zeros(5, 3))

        def forward(self, image: Tensor) -> Tensor:
            weight = self.one @ self.two
            return image.T @ (image @ weight)

    read, counted = _followed(Mixed(), torch.zeros(7, 3))
    assert read.weight_products == 3 * 5 * 3
    assert read.closed_form == 7 * 3 * 3
    assert read.image_products == 3 * 7 * 3
    assert counted == 45 + 63 + 63


def test_an_unknown_operator_is_taken_for_one_that_uses_its_weights_at_every_position() -> None:
    image, weight, bias = torch.zeros(1, 4, 10, 6), torch.zeros(8, 4, 3, 3), torch.zeros(8)
    smaller, larger = torch.zeros(1, 8, 5, 3), torch.zeros(1, 8, 20, 12)
    images = {id(image)}
    strided = opaque((image, weight, bias), (smaller,), images)
    assert (strided.macs, len(strided.weights)) == (8 * 4 * 9 * 15, 1)
    assert opaque((image, weight, bias), (larger,), images).macs == 8 * 4 * 9 * 60
    assert opaque((image, bias), (image,), images).macs == 0


def test_a_kernel_that_comes_of_the_image_is_no_weight() -> None:
    image, kernel = torch.zeros(1, 3, 8, 8), torch.zeros(3, 1, 3, 3)
    out = torch.zeros(1, 3, 6, 6)
    arguments = (image, kernel, None, [1, 1], [0, 0], [1, 1], False, [0, 0], 3)
    meeting = known("aten::convolution", arguments, out, {id(image), id(kernel)})
    assert (meeting.total, meeting.macs, meeting.weights) == ("image_products", 27 * 36, ())
