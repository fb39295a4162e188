"""Every quick answer equals torch's own, in shape, strides and type, or is left to torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from harness.worker.count.fast_meta import FastMeta

Outcome = list[tuple[tuple[int, ...], tuple[int, ...], torch.dtype]] | str


def _meta(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.empty(*shape, device="meta", dtype=dtype)


def _outcome(run: Callable[[], Any]) -> Outcome:
    try:
        out = run()
    except (RuntimeError, ValueError, IndexError, AssertionError) as error:
        return type(error).__name__
    tensors = [out] if isinstance(out, Tensor) else list(out)
    return [(tuple(t.shape), t.stride(), t.dtype) for t in tensors]


def _same(run: Callable[[], Any]) -> Outcome:
    """The outcome with our answers, after checking that torch's is no other."""
    with torch.no_grad():
        expected = _outcome(run)
        with FastMeta():
            assert _outcome(run) == expected
    return expected


@settings(max_examples=60, deadline=None)
@given(
    kernel=st.integers(1, 5),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 2),
    groups=st.sampled_from([1, 2]),
    side=st.integers(3, 11),
)
def test_convolutions_have_torch_s_shape(
    kernel: int, stride: int, padding: int, dilation: int, groups: int, side: int
) -> None:
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    image, weight = _meta(1, 4, side, side + 2), _meta(6, 4 // groups, kernel, kernel)
    _same(lambda: F.conv2d(image, weight, **options))
    back = _meta(4, 6, kernel, kernel)
    _same(lambda: F.conv_transpose2d(image, back, **options))
    _same(lambda: F.max_pool2d(image, kernel, stride, min(padding, kernel // 2)))


X = _meta(1, 8, 6, 7)
LAST = X.permute(0, 2, 3, 1)  # another order of axes in memory
CASES: dict[str, Callable[[], Any]] = {
    "same padding": lambda: F.conv2d(X, _meta(4, 8, 3, 3), padding="same"),
    "convolution of one axis": lambda: F.conv1d(_meta(1, 3, 9), _meta(4, 3, 3), stride=2),
    "wrong channels": lambda: F.conv2d(X, _meta(4, 5, 3, 3)),
    "kernel larger than image": lambda: F.conv2d(X, _meta(4, 8, 9, 9)),
    "output padding": lambda: F.conv_transpose2d(X, _meta(8, 4, 3, 3), stride=2, output_padding=1),
    "channels last": lambda: F.conv2d(X.to(memory_format=torch.channels_last), _meta(4, 8, 3, 3)),
    "sum": lambda: X + X,
    "broadcast sum": lambda: X * X.mean((2, 3), keepdim=True),
    "both sides broadcast": lambda: X[:, :, :1] - X[:, :, :, :1],
    "shapes that do not fit": lambda: X + _meta(1, 5, 6, 7),
    "number": lambda: (1 - X) / 2 + X**2,
    "mixed types": lambda: X + X.double(),
    "integers": lambda: X.long() * 2.5,
    "comparison": lambda: X > 0,
    "permuted": lambda: LAST.sigmoid() + LAST,
    "permuted and sliced": lambda: F.gelu(LAST[:, 1:]),
    "expanded": lambda: F.relu(_meta(1, 1, 4).expand(3, 5, 4)),
    "in place": lambda: F.leaky_relu_(X.clone(), 0.05),
    "half": lambda: F.silu(_meta(2, 3, dtype=torch.float16)) * 2,
    "mean": lambda: X.mean((2, 3)),
    "mean of a negative axis": lambda: X.mean(-1, keepdim=True),
    "mean of all": X.mean,
    "mean in another type": lambda: X.mean(1, dtype=torch.float64),
    "sum of one axis": lambda: X.sum(1),
    "bilinear": lambda: F.interpolate(X, (13, 5), mode="bilinear", align_corners=False),
    "bicubic by factor": lambda: F.interpolate(X, scale_factor=1.5, mode="bicubic"),
    "nearest": lambda: F.interpolate(X, scale_factor=2),
    "pixel shuffle": lambda: F.pixel_shuffle(X, 2),
    "pixel shuffle of a wrong count": lambda: F.pixel_shuffle(X, 3),
    "ceiled pool": lambda: F.max_pool2d(X, 3, 2, ceil_mode=True),
    "pool without stride": lambda: F.max_pool2d(X, kernel_size=2),
    "concatenation": lambda: torch.cat([X, X[:, :3].contiguous()], dim=1),
    "concatenation that does not fit": lambda: torch.cat([X, X[:, :3].contiguous()], dim=2),
    "concatenation of mixed types": lambda: torch.cat([X, X.double()]),
    "concatenation with the old empty": lambda: torch.cat([_meta(0), X]),
    "matrix": lambda: _meta(2, 3) @ _meta(3, 5),
    "matrices that do not fit": lambda: _meta(2, 3) @ _meta(4, 5),
    "stacks": lambda: _meta(4, 2, 3) @ _meta(4, 3, 5),
    "linear": lambda: F.linear(_meta(2, 9, 3), _meta(5, 3), _meta(5)),
    "softmax": lambda: LAST.softmax(-1),
    "prelu": lambda: F.prelu(X, _meta(8)),
    "clamp": lambda: X.clamp(0, 1),
}


@pytest.mark.parametrize("case", CASES)
def test_the_answer_is_torch_s(case: str) -> None:
    _same(CASES[case])


def test_the_cpu_is_left_alone() -> None:
    layer, image = nn.Conv2d(3, 4, 3), torch.rand(1, 3, 8, 8)
    with torch.no_grad():
        expected = layer(image)
        with FastMeta():
            assert torch.equal(layer(image), expected)
