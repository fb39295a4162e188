"""fvcore's rules, each with a figure that was worked out by hand, and fvcore beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from harness.worker.count.fvcore_convention import ConventionTally, FvcoreConvention
from harness.worker.count.fvcore_counter import count_by_fvcore, is_at_hand

SIDE = 8
PIXELS = SIDE * SIDE
VALUES = 3 * PIXELS
CONV = 9 * 9 * PIXELS  # 3x3, 3 to 3 channels

Body = Callable[["Model", Tensor], Tensor]


class Hidden(torch.autograd.Function):
    @staticmethod
    def forward(_: object, image: Tensor, weight: Tensor) -> Tensor:
        return F.conv2d(image, weight, padding=1)


class Model(nn.Module):
    """What a test calls, on the output of a convolution; some parts that it may call."""

    def __init__(self, body: Body) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.fused = nn.Conv2d(3, 3, 3, padding=1)
        self.up = nn.ConvTranspose2d(3, 4, 4, stride=2)
        self.reflected = nn.Conv2d(3, 3, 3, padding="same", padding_mode="reflect")
        self.same = nn.Conv2d(3, 3, 3, padding="same")
        self.mix = nn.Linear(SIDE, 4)
        self.batch, self.plain = nn.BatchNorm2d(3), nn.BatchNorm2d(3, affine=False)
        self.layer = nn.LayerNorm(SIDE)
        self.attention = nn.MultiheadAttention(SIDE, 2, batch_first=True)
        self.cell, self.lstm = nn.LSTMCell(SIDE, 4), nn.LSTM(SIDE, 4)
        self._body = body

    def forward(self, image: Tensor) -> Tensor:
        return self._body(self, self.conv(image))


def _unused(model: Model, image: Tensor) -> Tensor:
    model.conv(image)
    return image


def _written(model: Model, image: Tensor) -> Tensor:
    """A convolution that reaches the output through a part of a buffer."""
    buffer = torch.zeros_like(image)
    buffer[:, :1] = model.conv(image)[:, :1]
    return buffer


def _written_in_vain(model: Model, image: Tensor) -> Tensor:
    buffer = torch.zeros_like(image)
    buffer[:, :1] = model.conv(image)[:, :1]
    return image


def _fused(model: Model, image: Tensor) -> Tensor:
    """As blocks of the field fuse themselves in each forward; a traced graph does not see it."""
    model.fused.weight.data = F.conv2d(model.conv.weight, model.reflected.weight, padding=1)
    result: Tensor = model.fused(image)
    return result


COSTS: dict[str, tuple[int, Body]] = {
    "transposed, once per input pixel": (16 * 12 * PIXELS, lambda m, x: m.up(x)),
    "reflected first": (CONV, lambda m, x: m.reflected(x)),
    "one dimension": (3 * 2 * 3 * 6, lambda _, x: F.conv1d(x[0, :, 0], x.new_ones(2, 3, 3))),
    "unbatched": (CONV, lambda m, x: m.conv(x[0])),
    "linear on four axes": (VALUES * 4, lambda m, x: m.mix(x)),
    "linear on one": (SIDE * 4, lambda m, x: m.mix(x[0, 0, 0])),
    "matmul": (VALUES * SIDE, lambda _, x: x @ x),
    "matmul by another name": (VALUES * SIDE, lambda _, x: torch.linalg.matmul(x, x)),
    "matmul that repeats its left side": (PIXELS * SIDE, lambda _, x: x[0, 0] @ x),
    "mm": (PIXELS * SIDE, lambda _, x: x[0, 0].mm(x[0, 1])),
    "bmm": (VALUES * SIDE, lambda _, x: torch.bmm(x[0], x[0])),
    "addmm": (PIXELS * SIDE, lambda _, x: torch.addmm(x[0, 0], x[0, 1], x[0, 2])),
    # numpy's text: "Optimized FLOP count:  1.153e+03", halved and rounded down
    "einsum of two": (576, lambda _, x: torch.einsum("b c h w, b d h w -> b c d", x, x)),
    "einsum that is a bmm": (VALUES * SIDE, lambda _, x: torch.einsum("xij,xik->xjk", x[0], x[0])),
    "batch norm": (2 * VALUES, lambda m, x: m.batch(x)),
    "batch norm without weights": (VALUES, lambda m, x: m.plain(x)),
    "batch norm by the image": (
        4 * VALUES,
        lambda _, x: F.batch_norm(x, None, None, training=True),
    ),
    "layer norm": (5 * VALUES, lambda m, x: m.layer(x)),
    "layer norm without weights": (4 * VALUES, lambda _, x: F.layer_norm(x, (SIDE,))),
    "group norm": (5 * VALUES, lambda _, x: F.group_norm(x, 3, x.new_ones(3))),
    "instance norm": (4 * VALUES, lambda _, x: F.instance_norm(x)),
    "bilinear": (16 * VALUES, lambda _, x: F.interpolate(x, scale_factor=2, mode="bilinear")),
    "nearest": (4 * VALUES, lambda _, x: F.interpolate(x, scale_factor=2)),
    "bicubic": (0, lambda _, x: F.interpolate(x, scale_factor=2, mode="bicubic")),
    "pooled to one pixel": (VALUES, lambda _, x: F.adaptive_avg_pool2d(x, 1)),
    "pooled to two": (VALUES, lambda _, x: F.adaptive_avg_pool2d(x, (1, 2))),
    "pooled by a mean": (0, lambda _, x: x.mean((2, 3), keepdim=True)),
    "pooled on one axis": (0, lambda _, x: F.adaptive_avg_pool1d(x[0], 1)),
    "sampled": (
        4 * VALUES,
        lambda _, x: F.grid_sample(x, x.permute(0, 2, 3, 1)[..., :2], align_corners=False),
    ),
    "element by element": (0, lambda _, x: F.gelu(x) * 2 + x.softmax(1).sigmoid()),
    # in and out projections of every token, and two products of tokens
    "attention layer": (
        3 * 8 * 4 * 64 + 2 * 6 * 8 * 8 * 4,
        lambda m, x: m.attention(x[0], x[0], x[0])[0],
    ),
    "a cell of a recurrent layer": (8 * 16 * 8 + 8 * 16 * 4, lambda m, x: m.cell(x[0, 0])[0]),
    "with weights set through data": (CONV, _fused),
    "unused": (0, _unused),
    "written to a part": (CONV, _written),
    "written in vain": (0, _written_in_vain),
    "used as a number": (0, lambda m, x: x * float(m.conv(x).detach().numpy().mean())),
    "called twice": (2 * CONV, lambda m, x: m.conv(x) + m.conv(x)),
}
UNCOUNTED: dict[str, tuple[str, Body]] = {
    "padding as a word": ("aten::_convolution_mode", lambda m, x: m.same(x)),
    "fused attention": (
        "aten::scaled_dot_product_attention",
        lambda _, x: F.scaled_dot_product_attention(x, x, x),
    ),
    "tensordot": ("aten::tensordot", lambda _, x: torch.tensordot(x, x, dims=([3], [2]))),
    "baddbmm": ("aten::baddbmm", lambda _, x: torch.baddbmm(x[0], x[0], x[0])),
    "mv": ("aten::mv", lambda _, x: torch.mv(x[0, 0], x[0, 0, 0])),
    "in place": ("aten::addmm_", lambda _, x: x[0, 0].clone().addmm_(x[0, 1], x[0, 2])),
    "recurrent": ("aten::lstm", lambda m, x: m.lstm(x[0])[0]),
    "autograd function": ("prim::PythonOp.Hidden", lambda m, x: Hidden.apply(x, m.conv.weight)),
}
READS_VALUES = ("used as a number",)  # which only the CPU has


@pytest.fixture(autouse=True)
def _as_counted() -> Iterator[None]:
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    with torch.no_grad():
        yield
    torch.backends.mha.set_fastpath_enabled(fused)


def _counted(body: Body, device: str) -> ConventionTally:
    model = Model(body).eval().to(device)
    with FvcoreConvention() as counter:
        output = model(torch.zeros(1, 3, SIDE, SIDE, device=device))
    return counter.tally(output)


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("kind", COSTS)
def test_what_fvcore_has_a_rule_for_costs_what_the_rule_says(kind: str, device: str) -> None:
    macs, body = COSTS[kind]
    if device == "meta" and kind in READS_VALUES:
        pytest.skip("the meta device has no values")
    tally = _counted(body, device)
    assert tally.macs == CONV + macs
    assert not tally.uncounted


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("kind", UNCOUNTED)
def test_what_fvcore_has_no_rule_for_is_named_and_costs_nothing(kind: str, device: str) -> None:
    name, body = UNCOUNTED[kind]
    tally = _counted(body, device)
    assert (tally.macs, dict(tally.uncounted)) == (CONV, {name: 1})


@pytest.mark.skipif(not is_at_hand(), reason="fvcore is not installed")
@pytest.mark.parametrize("kind", [*COSTS, *UNCOUNTED])
def test_fvcore_says_the_same(kind: str) -> None:
    _, body = {**COSTS, **UNCOUNTED}[kind]
    tally = _counted(body, "cpu")
    witness = count_by_fvcore(Model(body).eval(), torch.zeros(1, 3, SIDE, SIDE))
    assert (tally.macs, tally.matmul_macs) == (witness.macs, witness.matmul_macs)
    assert dict(tally.uncounted) == witness.uncounted


def test_norms_and_poolings_are_no_matrix_products() -> None:
    tally = _counted(lambda m, x: m.batch(x) * F.adaptive_avg_pool2d(x, 1), "cpu")
    assert (tally.macs, tally.matmul_macs) == (CONV + 3 * VALUES, CONV)
