"""Score an SR output against its ground truth: PSNR and SSIM of one profile."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from harness.quality.colour import LUMA, strips, weighted
from harness.quality.pixels import Uint8, require_image, require_scale
from harness.quality.profile import Profile
from harness.quality.psnr import in_db, psnr_db
from harness.quality.ssim import WINDOW, mean_ssim

PSNR_CAP_DB = 100.0  # of an output equal to its truth, whose PSNR is infinite


@dataclass(frozen=True, slots=True)
class Quality:
    """PSNR in dB, `math.inf` for identical images (no JSON number), and mean SSIM in [-1, 1].

    `psnr_y_db` is the PSNR on luma, whichever colours the profile compares.
    """

    psnr_db: float
    ssim: float
    psnr_y_db: float

    def finite(self) -> dict[str, float]:
        """The figures by field; PSNR_CAP_DB stands for the infinity that JSON has no number for."""
        figures = dataclasses.asdict(self).items()
        return {name: PSNR_CAP_DB if math.isinf(it) else it for name, it in figures}


@dataclass(frozen=True, slots=True, eq=False)
class PreparedTruth:
    """A ground truth, cropped and converted once, to be compared with many outputs.

    Holds 3 bytes a pixel for an RGB profile and 4 for luma: the 100 images of DIV2K's validation
    set need about 0.85 or 1.1 GB. Made by `prepare`.
    """

    profile: Profile
    scale: int
    height: int
    width: int
    samples: NDArray[Any]  # read-only, H x W x 3 uint8 or H x W float32, without the border


def score(output: Uint8, truth: Uint8, *, profile: Profile, scale: int) -> Quality:
    """PSNR and SSIM of two uint8 RGB images, H x W x 3, in the given profile.

    Raises `ValueError` when dtype or shape are wrong, when the shapes differ, or when fewer than
    11 x 11 pixels are left within the border.
    """
    return score_prepared(output, prepare(truth, profile=profile, scale=scale))


def prepare(truth: Uint8, *, profile: Profile, scale: int) -> PreparedTruth:
    """Crop the border of a uint8 RGB ground truth, H x W x 3, and convert its colours.

    The result shares no memory with `truth`, which may be dropped. Raises like `score`.
    """
    require_image(truth, "truth", grey=False)
    require_scale(scale)
    height, width = truth.shape[:2]
    border = profile.border_px(scale)
    if min(height, width) < profile.least_px(scale):
        raise ValueError(
            f"truth: {height}x{width} leaves less than {WINDOW}x{WINDOW} pixels when profile "
            f"{profile.name} cuts off {border} on every side; use a larger image"
        )
    samples = np.array(profile.colour.samples(_within(truth, border)), order="C")
    samples.flags.writeable = False
    return PreparedTruth(profile, scale, height, width, samples)


def score_prepared(output: Uint8, prepared: PreparedTruth) -> Quality:
    """PSNR and SSIM of a uint8 RGB output, H x W x 3, against a prepared truth.

    No thread is left running, or spinning, when the call returns. Raises like `score`.
    """
    require_image(output, "output", grey=False)
    if output.shape[:2] != (prepared.height, prepared.width):
        raise ValueError(
            f"output: {output.shape[0]}x{output.shape[1]} does not match the truth, "
            f"{prepared.height}x{prepared.width}; an SR output is {prepared.scale} times its "
            "LR image, and the truth is cropped to a multiple of the scale"
        )
    colour = prepared.profile.colour
    mine = colour.samples(_within(output, prepared.profile.border_px(prepared.scale)))
    by_profile = psnr_db(mine, prepared.samples, step=colour.step)
    return Quality(
        psnr_db=by_profile,
        psnr_y_db=by_profile if colour is LUMA else _luma_psnr_db(mine, prepared.samples),
        ssim=mean_ssim(mine, prepared.samples, pedestal=colour.pedestal, step=colour.step),
    )


def _luma_psnr_db(output: Uint8, truth: Uint8) -> float:
    """Of the differences, since luma is linear: neither image is converted or held as luma."""
    squared = 0.0
    for rows in strips(output):
        apart: NDArray[Any] = cv2.subtract(output[rows], truth[rows], dtype=cv2.CV_32F)
        squared += cv2.norm(weighted(apart), cv2.NORM_L2SQR)
    return in_db(squared, output.shape[0] * output.shape[1], step=LUMA.step)


def _within(image: Uint8, border: int) -> Uint8:
    """The image without its border; contiguous rows first, which OpenCV needs."""
    height, width = image.shape[:2]
    return np.ascontiguousarray(image)[border : height - border, border : width - border]
