"""Padding to a multiple and overlapping tiles, as a submission declares them.

Both happen inside the timed forward: they are part of what the entry costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import nn
from torch.nn import functional

from harness.worker.output_image import checked

Upscale = Callable[[torch.Tensor], torch.Tensor]


def tiled(model: nn.Module, *, scale: int, tile: int, overlap: int, multiple: int) -> Upscale:
    """`model` behind padding to a `multiple` and, if `tile` is above 0, tiles of `tile` pixels.

    Overlapping tiles are averaged where they meet, as the official test scripts do. WrongOutput
    when the model's answer to a tile or a padded image has not its size times `scale`: pasted or
    cut, it would look right.
    """
    padded = _padded(model, scale=scale, multiple=multiple)
    if not tile:
        return padded

    def call(batch: torch.Tensor) -> torch.Tensor:
        height, width = batch.shape[-2:]
        total = weight = batch.new_zeros(0)
        for top in _starts(height, tile, overlap):
            for left in _starts(width, tile, overlap):
                part = padded(batch[..., top : top + tile, left : left + tile])
                if not total.numel():
                    total = batch.new_zeros(*part.shape[:2], height * scale, width * scale)
                    weight = torch.zeros_like(total)
                rows = slice(top * scale, top * scale + part.shape[-2])
                columns = slice(left * scale, left * scale + part.shape[-1])
                total[..., rows, columns] += part
                weight[..., rows, columns] += 1
        return total.div_(weight)

    return call


def square_tiled(model: nn.Module, *, scale: int, tile: int, overlap: int) -> Upscale:
    """`model` behind the tiles of the official NTIRE scripts: no larger than the image's shorter
    side, and square. An image that is no larger than the `overlap`, where those scripts leave
    pixels out, runs whole.
    """

    def call(batch: torch.Tensor) -> torch.Tensor:
        side = min(tile, *batch.shape[-2:])
        size = side if side > overlap else 0
        return tiled(model, scale=scale, tile=size, overlap=overlap, multiple=1)(batch)

    return call


def _starts(size: int, tile: int, overlap: int) -> Iterator[int]:
    """Where tiles begin: steps of tile - overlap, the last tile flush with the edge."""
    last = max(size - tile, 0)
    yield from range(0, last, tile - overlap)
    yield last


def _padded(model: nn.Module, *, scale: int, multiple: int) -> Upscale:
    def call(batch: torch.Tensor) -> torch.Tensor:
        height, width = batch.shape[-2:]
        below, right = -height % multiple, -width % multiple
        expected = (*batch.shape[:2], (height + below) * scale, (width + right) * scale)
        if not below and not right:
            return checked(model(batch), expected, tuple(batch.shape))
        mode = "reflect" if below < height and right < width else "replicate"
        larger = functional.pad(batch, (0, right, 0, below), mode=mode)
        result = checked(model(larger), expected, tuple(larger.shape))
        return result[..., : height * scale, : width * scale]

    return call
