"""What the LR files are that a dataset came with: MATLAB's bicubic of its HR, or something else.

Public copies of one dataset differ in it. Scores are compared between copies of one kind, so the
kind is told: a few images are downscaled by ours, with both borders, and compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import numpy as np

from harness.datasets.dataset import Dataset, ImagePair, read_hr, read_lr
from harness.quality.bicubic import Borders, downscale

_COMPARED = 3  # images: the first, the middle and the last one


def told(dataset: Dataset) -> Iterator[str]:
    """A sentence on the LR files, none where LR or HR has no files.

    Raises DatasetError for an image that can't be decoded.
    """
    both = [pair for pair in dataset.pairs if pair.lr and pair.hr]
    if not both:
        return
    chosen = {index * (len(both) - 1) // (_COMPARED - 1) for index in range(_COMPARED)}
    compared = [both[index] for index in sorted(chosen)]
    names = ", ".join(pair.image for pair in compared)
    for borders in get_args(Borders):
        if not any(_apart(pair, dataset.scale, borders) for pair in compared):
            yield f"LR files are MATLAB's bicubic of HR, borders {borders} (compared: {names})"
            return
    most = max(_apart(pair, dataset.scale, "mirrored") for pair in compared)
    yield (
        f"LR files are not MATLAB's bicubic of HR: they differ from it by up to {most} of 255 grey "
        f"levels (compared: {names})"
    )


def _apart(pair: ImagePair, scale: int, borders: Borders) -> int:
    """The largest difference of the LR file from ours, in grey levels."""
    ours = downscale(read_hr(pair, scale=scale), scale, borders=borders)
    return int(np.abs(ours.astype(np.int16) - read_lr(pair, scale=scale)).max())
