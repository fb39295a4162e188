"""A part of an SR image, and where in it models differ."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from harness.core.values import value
from harness.quality.colour import LUMA, luma_samples
from harness.quality.pixels import Uint8

SIDE = 160  # SR pixels of a crop
STEP = 8  # between two places that a crop may have
ErrorMap = NDArray[np.float32]


@value
class Region:
    """A rectangle of an SR image, in pixels from its top left corner."""

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if min(self.x, self.y) < 0 or min(self.width, self.height) < 1:
            raise ValueError(f"a box must lie within an image and have pixels, got {self}")

    def cut(self, image: Uint8) -> Uint8:
        """What an image, H x W x 3, has there; ValueError where it does not reach so far."""
        part = image[self.y : self.y + self.height, self.x : self.x + self.width]
        if part.shape[:2] != (self.height, self.width):
            raise ValueError(f"{self} does not lie within {image.shape[1]}x{image.shape[0]} pixels")
        return part

    def within(self, other: Region) -> Region:
        """The box as seen from the corner of one that holds it."""
        return Region(self.x - other.x, self.y - other.y, self.width, self.height)

    def holds(self, other: Region) -> bool:
        """Whether all of the other box lies within this one."""
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.x + other.width <= self.x + self.width
            and other.y + other.height <= self.y + self.height
        )


def whole(image: Uint8) -> Region:
    """All of an image, H x W x 3."""
    return Region(0, 0, image.shape[1], image.shape[0])


def error_map(output: Uint8, truth: Uint8) -> ErrorMap:
    """The absolute differences of luma, H x W, in grey levels from 0 to 219."""
    apart = luma_samples(np.ascontiguousarray(output)) - luma_samples(np.ascontiguousarray(truth))
    return np.asarray(np.abs(apart) * np.float32(LUMA.step), np.float32)


def most_different(errors: Sequence[ErrorMap], side: int = SIDE) -> tuple[float, Region]:
    """Where the outputs of several models have the most different errors, of one image.

    The spread (grey levels) of the root mean squared errors within a square, largest less
    smallest, and that square; of one map, its own error. Squares are `side` pixels wide, or as
    wide as the image is.
    """
    each = [_local(it, side) for it in errors]
    spread = np.max(each, axis=0)
    if len(each) > 1:
        spread = spread - np.min(each, axis=0)
    box = _largest(spread, errors[0].shape, side)
    return float(spread.max()), box


def hardest(error: ErrorMap, number: int, side: int = SIDE) -> tuple[Region, ...]:
    """The squares of the largest error, at most so many, none over another; the worst first."""
    left = _local(error, side)
    found: list[Region] = []
    while len(found) < number and left.max() >= 0.0:
        box = _largest(left, error.shape, side)
        found.append(box)
        down, across = np.ogrid[: left.shape[0], : left.shape[1]]
        over = (abs(down * STEP - box.y) < box.height) & (abs(across * STEP - box.x) < box.width)
        left[over] = -1.0
    return tuple(found)


def _largest(figures: NDArray[np.float64], shape: tuple[int, ...], side: int) -> Region:
    """The square at the place of the largest figure."""
    row, column = np.unravel_index(int(figures.argmax()), figures.shape)
    height, width = (min(side, length) for length in shape)
    return Region(int(column) * STEP, int(row) * STEP, width, height)


def _local(error: ErrorMap, side: int) -> NDArray[np.float64]:
    """The root mean squared error of each square, by rows and columns of places."""
    height, width = (min(side, length) for length in error.shape)
    sums = cv2.integral(np.square(error), sdepth=cv2.CV_64F)
    down = np.arange(0, error.shape[0] - height + 1, STEP)
    across = np.arange(0, error.shape[1] - width + 1, STEP)
    squares = (
        sums[np.ix_(down + height, across + width)]
        - sums[np.ix_(down, across + width)]
        - sums[np.ix_(down + height, across)]
        + sums[np.ix_(down, across)]
    )
    return np.asarray(np.sqrt(np.maximum(squares, 0.0) / (height * width)))
