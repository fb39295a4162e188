"""The inputs of a check: crops of photographs, of any size, the same for the same seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from harness.core.metrics import QUALITY
from harness.core.outcome import BadInput
from harness.datasets.dataset import read_hr
from harness.datasets.find import find
from harness.measure.session import LrImage
from harness.quality.bicubic import downscale
from harness.quality.pixels import Uint8
from harness.quality.profile import PROFILES
from harness.quality.score import prepare, score_prepared

SOURCES = ("sample_valid", "sample_test")  # ship with scikit-image
LEAST_PX = 16  # LR: an SSIM window has to fit
MOST_PX = 1024


@dataclass(frozen=True, eq=False)
class Crop:
    """An LR image and its truth."""

    lr: LrImage
    hr: Uint8


def crops(*, scale: int, size: tuple[int, int], count: int, seed: int) -> tuple[Crop, ...]:
    """`count` crops of `size` LR pixels (height, width), each of another photograph in turn.

    A crop that is larger than its photograph holds it mirrored at its edges. LR is made of HR by
    the bicubic of the challenges. BadInput for a size or number that can't be had.
    """
    if not all(LEAST_PX <= side <= MOST_PX for side in size) or count < 1:
        raise BadInput(
            f"inputs must be {LEAST_PX} to {MOST_PX} LR pixels high and wide, and at least 1, "
            f"got {count} of {size[0]}x{size[1]}"
        )
    rng = random.Random(seed)  # noqa: S311 - no secret
    sources = (find(name, data_dir=None, scale=scale) for name in SOURCES)
    photographs = [read_hr(pair, scale=scale) for one in sources for pair in one.pairs]
    return tuple(
        _crop(photographs[number % len(photographs)], number, scale=scale, size=size, rng=rng)
        for number in range(count)
    )


def quality(outputs: tuple[Uint8, ...], inputs: tuple[Crop, ...], scale: int) -> dict[str, float]:
    """The mean of each metric of quality that is gated, in the RGB profile of the NTIRE challenges.

    PSNR is in dB.
    """
    scores = [
        score_prepared(output, prepare(crop.hr, profile=PROFILES["ntire"], scale=scale)).finite()
        for output, crop in zip(outputs, inputs, strict=True)
    ]
    return {
        kind.key: float(np.mean([figures[kind.name] for figures in scores]))
        for kind in QUALITY
        if kind.gate
    }


def _crop(
    photograph: Uint8, number: int, *, scale: int, size: tuple[int, int], rng: random.Random
) -> Crop:
    height, width = size[0] * scale, size[1] * scale
    missing = (max(height - photograph.shape[0], 0), max(width - photograph.shape[1], 0))
    whole = np.pad(photograph, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")
    top = rng.randint(0, whole.shape[0] - height)
    left = rng.randint(0, whole.shape[1] - width)
    hr = np.ascontiguousarray(whole[top : top + height, left : left + width])
    return Crop(LrImage("check", f"crop {number + 1}", downscale(hr, scale)), hr)
