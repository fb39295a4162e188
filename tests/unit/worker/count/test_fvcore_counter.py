from __future__ import annotations

import sys

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from harness.worker.count import fvcore_counter
from harness.worker.count.fvcore_counter import FvcoreFigures, count_by_fvcore

pytestmark = pytest.mark.skipif(
    not fvcore_counter.is_at_hand(), reason="fvcore is not installed, or not for this torch"
)
_OLD = torch.__version__.startswith("2.6.")
_META = pytest.param("meta", marks=pytest.mark.skipif(_OLD, reason="fvcore can't trace there"))
DEVICES = ("cpu", _META)


def _trace(model: nn.Module, device: str, *, side: int = 8) -> FvcoreFigures:
    with torch.no_grad():
        image = torch.zeros(1, 3, side, side, device=device)
        return count_by_fvcore(model.eval().to(device), image)


class Mixed(nn.Module):
    """One of each of what the tracer has to record, in several spellings."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Conv2d(3, 8, 3, stride=2, padding=1, groups=1)
        self.norm = nn.BatchNorm2d(8)
        self.tokens = nn.Linear(8, 4)
        self.up = nn.ConvTranspose2d(8, 2, 4, stride=4)

    def forward(self, image: Tensor) -> Tensor:
        body = self.norm(F.leaky_relu(self.head(image)))
        body = body + F.conv2d(
            input=body, weight=self.head.weight.new_zeros(8, 1, 3, 3), padding=(1, 1), groups=8
        )
        tokens = self.tokens(body.flatten(2).transpose(1, 2))
        scale = (tokens @ tokens.transpose(1, 2)).softmax(-1).mean()
        upsampled: Tensor = self.up(body * scale)
        return upsampled


CONVS = 9 * 3 * 8 * 16 + 9 * 8 * 16 + 16 * 8 * 2 * 16  # head, depthwise, transposed per input
PRODUCTS = 16 * 8 * 4 + 16 * 4 * 16  # linear, tokens by tokens
NORM = 2 * 8 * 16


@pytest.mark.parametrize("device", DEVICES)
def test_fvcore_counts_products_and_norms_on_either_device(device: str) -> None:
    figures = _trace(Mixed(), device)
    assert figures.matmul_macs == CONVS + PRODUCTS
    assert figures.macs == CONVS + PRODUCTS + NORM
    assert figures.uncounted == {}


@pytest.mark.parametrize("device", DEVICES)
def test_padding_same_is_dropped_by_fvcore_and_reported(device: str) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding="same"), nn.Conv2d(4, 3, 1))
    figures = _trace(model, device)
    assert figures.macs == 4 * 3 * 64
    assert figures.uncounted == {"aten::_convolution_mode": 1}


@pytest.mark.parametrize("device", DEVICES)
def test_attention_is_reported_because_fvcore_can_not_count_it(device: str) -> None:
    class Attention(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            return F.scaled_dot_product_attention(image, image, image)

    assert _trace(Attention(), device).uncounted == {"aten::scaled_dot_product_attention": 1}


def test_nothing_is_printed_or_logged(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    _trace(nn.Sequential(nn.Conv2d(3, 4, 3, padding="same"), nn.GELU()), "meta")
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def test_a_package_that_does_not_fit_this_torch_is_as_one_that_is_absent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fvcore_counter.is_at_hand.cache_clear()
    monkeypatch.setitem(sys.modules, "fvcore.nn", None)
    assert not fvcore_counter.is_at_hand()
    fvcore_counter.is_at_hand.cache_clear()
