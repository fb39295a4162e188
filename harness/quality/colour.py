"""Colour spaces in which images are compared: RGB as it is, or ITU-R BT.601 luma, not rounded.

Samples are kept as exact integers next to the affine map that gives them their meaning, so that
squared errors can be summed without rounding:

    true value = pedestal + step * sample        (on the scale where white is 255 or below)

The luma of the papers is MATLAB's `rgb2ycbcr` in floating point,
16 + (65.481 R + 128.553 G + 24.966 B) / 255. Its three weights are 0.219 times 299, 587 and 114, so
299 R + 587 G + 114 B carries the same information as an integer below 2^18, exact in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_LUMA_SPAN = 219 / 255  # of a grey level, in luma
WEIGHTS = (299, 587, 114)  # of red, green and blue
_LUMA_WEIGHTS = np.array([WEIGHTS], np.float32)
# Rows are converted a few at a time, so that no float copy of a whole RGB image is made.
_STRIP = 1 << 17


@dataclass(frozen=True, slots=True)
class ColourSpace:
    """How a uint8 RGB image becomes integer samples, and what the samples mean."""

    name: str
    pedestal: float
    step: float
    samples: Callable[[NDArray[np.uint8]], NDArray[Any]]


def rgb_samples(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image itself: uint8, H x W x 3."""
    return rgb


def luma_samples(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """299 R + 587 G + 114 B: integers in [0, 255000] held in float32, H x W."""
    result = np.empty(rgb.shape[:2], np.float32)
    for rows in strips(rgb):
        result[rows] = weighted(rgb[rows].astype(np.float32))
    return result


def weighted(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """299 R + 587 G + 114 B of float32, H x W x 3: of colours, or of differences of colours."""
    result: NDArray[np.float32] = np.empty(rgb.shape[:2], np.float32)
    cv2.transform(rgb, _LUMA_WEIGHTS, dst=result)
    return result


def strips(image: NDArray[Any]) -> Iterator[slice]:
    """The rows that are converted together: few enough for their copies to stay in the cache."""
    height, width = image.shape[:2]
    rows = max(1, _STRIP // (3 * width))
    return (slice(top, top + rows) for top in range(0, height, rows))


RGB = ColourSpace(name="RGB", pedestal=0.0, step=1.0, samples=rgb_samples)
LUMA = ColourSpace(name="Y", pedestal=16.0, step=0.219 / 255, samples=luma_samples)


def with_luma(rgb: NDArray[np.uint8], plane: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """The uint8 image, H x W x 3, with the luma `plane`, H x W in [16, 235], and `rgb`'s chroma.

    All colours of a pixel move by the same amount, which changes luma alone. What leaves 0 to 255
    is clipped, as where YCbCr is turned into RGB; rounding is half to even.
    """
    result = np.empty_like(rgb)
    for rows in strips(rgb):
        moved = (plane[rows] - luma(rgb[rows])) / _LUMA_SPAN
        result[rows] = np.rint(np.clip(rgb[rows] + moved[..., None], 0, 255))
    return result


def luma(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """ITU-R BT.601 luma of a uint8 RGB image, H x W, in [16, 235], not rounded."""
    return LUMA.pedestal + LUMA.step * luma_samples(rgb).astype(np.float64)
