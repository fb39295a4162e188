"""Random patches. Which ones depends on seed, stage and iteration alone: nothing to save."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.quality.bicubic import upscale
from reference_models.training.images import Pair
from reference_models.training.recipe import Stage

_ORIENTATIONS = 8


@dataclass(frozen=True, eq=False)
class Batch:
    """N x 3 x H x W tensors of values in [0, 1], channels last in memory.

    `bicubic` is the upscaled `lr`, or None where the stage has no use for it.
    """

    lr: Tensor
    hr: Tensor
    bicubic: Tensor | None = None


def draw(
    pairs: Sequence[Pair], stage: Stage, *, scale: int, key: tuple[int, int], iteration: int
) -> Batch:
    """The batch of an iteration. `key` is the run's seed and the stage's number.

    Images are drawn evenly, patches anywhere in them, turned and mirrored in eight ways. Where the
    stage names several candidates, each patch is the one of them with the most detail.
    """
    random = np.random.Generator(
        np.random.Philox(key=np.array(key, np.uint64), counter=iteration << 64)
    )
    side = stage.hr_patch // scale
    patches = [_chosen(pairs, stage.candidates, side, scale, random) for _ in range(stage.batch)]
    lr = np.stack([lr for lr, _ in patches])
    hr = np.stack([hr for _, hr in patches])
    if stage.contrastive is None:
        return Batch(_tensor(lr), _tensor(hr))
    bicubic = np.stack([upscale(np.ascontiguousarray(one), scale) for one in lr])
    return Batch(_tensor(lr), _tensor(hr), _tensor(bicubic))


def _chosen(
    pairs: Sequence[Pair], candidates: int, side: int, scale: int, random: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    patches = [_patch(pairs, side, scale, random) for _ in range(candidates)]
    return patches[0] if candidates == 1 else max(patches, key=lambda patch: _detail(patch[0]))


def _detail(lr: NDArray[np.uint8]) -> float:
    """Mean absolute difference of neighbours, of the channel that luma weighs most."""
    green = lr[..., 1].astype(np.int16)
    return float(np.abs(np.diff(green, axis=0)).mean() + np.abs(np.diff(green, axis=1)).mean())


def _patch(
    pairs: Sequence[Pair], side: int, scale: int, random: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    pair = pairs[int(random.integers(len(pairs)))]
    top = int(random.integers(pair.lr.shape[0] - side + 1))
    left = int(random.integers(pair.lr.shape[1] - side + 1))
    turn = int(random.integers(_ORIENTATIONS))
    lr = pair.lr[top : top + side, left : left + side]
    hr = pair.hr[scale * top : scale * (top + side), scale * left : scale * (left + side)]
    return _turned(lr, turn), _turned(hr, turn)


def _turned(patch: NDArray[np.uint8], turn: int) -> NDArray[np.uint8]:
    quarter = np.rot90(patch, turn % 4)
    return quarter[:, ::-1] if turn >= 4 else quarter


def _tensor(images: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(images).permute(0, 3, 1, 2).to(torch.float32).div_(255)
