"""The best linear filter as a start: where a network then learns only what a filter can't do.

A random network spends its first thousands of iterations on becoming an interpolation. That much
has a closed form, and a network whose first and last layer are joined by a skip can hold it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_unshuffle, unfold

from reference_models.training import batches
from reference_models.training.faults import TrainingError
from reference_models.training.images import Pair
from reference_models.training.recipe import Stage

RGB, KERNEL, REACH = 3, 3, 5  # two 3x3 convolutions see 5x5 LR pixels
_BATCHES, _STAGE_KEY = 24, 1 << 32  # a key that no stage has
# with the smallest patch that a stage may have, so that every folder is large enough
_SAMPLES = Stage("linear", _BATCHES, 64, 60, "l2", 1.0, "constant")
_RIDGE = 1e-3


@dataclass(frozen=True, eq=False)
class Filter:
    """SR sub-pixels of an LR pixel from its 5x5 neighbourhood; values in [0, 1].

    `weight` is 3*scale^2 x 3 x 5 x 5, rows in the order of a pixel shuffle; `bias` is 3*scale^2.
    """

    weight: Tensor
    bias: Tensor


def fit(pairs: Sequence[Pair], *, scale: int, seed: int) -> Filter:
    """Least squares over random patches, with a ridge too small to be seen in PSNR."""
    side = RGB * REACH**2 + 1
    of_lr = torch.zeros(side, side, dtype=torch.float64)
    with_hr = torch.zeros(side, RGB * scale**2, dtype=torch.float64)
    key = (seed, _STAGE_KEY)
    for iteration in range(_BATCHES):
        batch = batches.draw(pairs, _SAMPLES, scale=scale, key=key, iteration=iteration)
        seen, wanted = _samples(batch, scale)
        of_lr += seen.T @ seen
        with_hr += seen.T @ wanted
    of_lr += _RIDGE * side * torch.eye(side, dtype=torch.float64)
    solved = torch.linalg.solve(of_lr, with_hr).T.float()
    return Filter(solved[:, :-1].reshape(-1, RGB, REACH, REACH), solved[:, -1])


def write(model: nn.Module, fitted: Filter, *, scale: int, white: float) -> None:
    """Make `model` that filter, inside a border of two LR pixels; `white` is its data range.

    Its first 27 features become the 3x3 LR neighbourhood, its last layer the filter over them, and
    the layer before, which ends the deep branch, becomes 0 until it learns. TrainingError if the
    model hasn't these layers.
    """
    first, deep, last = _layers(model, scale)
    held = RGB * KERNEL**2
    with torch.no_grad():
        first.weight[:held] = torch.eye(held).reshape(held, RGB, KERNEL, KERNEL)
        _of(first)[:held] = 0
        deep.weight.zero_()
        _of(deep).zero_()
        last.weight.zero_()
        last.weight[:, :held] = _spread(fitted.weight)
        _of(last).copy_(fitted.bias * white)


def _samples(batch: batches.Batch, scale: int) -> tuple[Tensor, Tensor]:
    """Rows of 5x5 LR pixels and a 1, and the HR pixels that belong to each."""
    edge = REACH // 2
    seen = unfold(batch.lr, REACH).transpose(1, 2).reshape(-1, RGB * REACH**2).double()
    wanted = pixel_unshuffle(batch.hr, scale)[:, :, edge:-edge, edge:-edge]
    rows = wanted.permute(0, 2, 3, 1).reshape(len(seen), -1).double()
    return torch.cat([seen, torch.ones(len(seen), 1, dtype=torch.float64)], dim=1), rows


def _spread(weight: Tensor) -> Tensor:
    """A 5x5 filter as a 3x3 one over features that are shifted images: each tap in equal parts."""
    ways = torch.zeros(REACH, REACH)
    for row in range(KERNEL):
        for column in range(KERNEL):
            ways[row : row + KERNEL, column : column + KERNEL] += 1
    parts = weight / ways
    taps = [
        parts[:, colour, row : row + KERNEL, column : column + KERNEL]
        for colour in range(RGB)
        for row in range(KERNEL)
        for column in range(KERNEL)
    ]
    return torch.stack(taps, dim=1)


def _layers(model: nn.Module, scale: int) -> tuple[nn.Conv2d, nn.Conv2d, nn.Conv2d]:
    found = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    first, deep, last = found[0], found[-2], found[-1]
    fits = (
        first.in_channels == RGB
        and first.out_channels == deep.out_channels == last.in_channels
        and first.out_channels >= RGB * KERNEL**2
        and last.out_channels == RGB * scale**2
        and first.kernel_size == last.kernel_size == (KERNEL, KERNEL)
    )
    if not fits:
        raise TrainingError(
            "start = 'linear' needs a model of 3x3 convolutions at both ends with a skip between "
            "them, at least 27 features wide; use start = 'random'"
        )
    return first, deep, last


def _of(layer: nn.Conv2d) -> Tensor:
    """Its bias."""
    if layer.bias is None:
        raise TrainingError("start = 'linear' needs convolutions with a bias")
    return layer.bias
