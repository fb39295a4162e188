"""Bicubic resizing that equals MATLAB's `imresize` on uint8 images, bit for bit.

LR images of the super-resolution literature were made with MATLAB's `imresize(image, 1/scale)`:
Keys' cubic kernel (IEEE Trans. ASSP 29(6), 1981) with a = -0.5, widened by the scale when the image
shrinks (antialiasing), borders mirrored with the edge pixel repeated, rows (the vertical axis)
first, and the result of each axis rounded to uint8 before the next one.

For a rational scale every weight is a rational number, so it is kept here as an integer over one
common denominator. All sums are then exact integers, and no order of summation can change a bit.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from harness.quality.pixels import Floats, Uint8, require_image, require_scale

Borders = Literal["mirrored", "clamped"]
"""What is thought to lie beyond an image: itself mirrored, or its edge pixel again and again."""

# Floating-point elements of input that one block may hold; keeps the working set in cache.
_BLOCK = 1 << 18


def downscale(image: Uint8, scale: int, *, borders: Borders = "mirrored") -> Uint8:
    """The LR image of an HR image: MATLAB `imresize(image, 1/scale, 'bicubic')`.

    `image` is uint8, H x W or H x W x 3. An image that is no multiple of the scale is cropped at
    the bottom and the right first, as the published LR files of Set14 were made; the result is
    (H // scale) x (W // scale). `borders` clamped makes the LR files of SelfExSR. Raises
    `ValueError` for a wrong dtype, shape or scale.
    """
    require_scale(scale)
    return imresize(crop_to_multiple(image, scale), Fraction(1, scale), borders=borders)


def upscale(image: Uint8, scale: int) -> Uint8:
    """The bicubic estimate of an HR image: MATLAB `imresize(image, scale, 'bicubic')`.

    `image` is uint8, H x W or H x W x 3; the result is (H * scale) x (W * scale).
    """
    require_scale(scale)
    return imresize(image, Fraction(scale))


def upscale_exactly(plane: Floats, scale: int) -> Floats:
    """`upscale` of an H x W plane of any values that is nowhere rounded and nowhere clipped.

    So MATLAB's `imresize` enlarges a plane of doubles.
    """
    require_scale(scale)
    return _enlarged_rows(_enlarged_rows(plane, scale).T, scale).T


def crop_to_multiple(image: Uint8, scale: int) -> Uint8:
    """The top left part of `image` whose height and width are multiples of `scale` (a view)."""
    require_image(image, "image")
    require_scale(scale)
    height, width = image.shape[:2]
    if height < scale or width < scale:
        raise ValueError(
            f"image: {height}x{width} is smaller than the scale {scale}; "
            "use a larger image or a smaller scale"
        )
    return image[: height - height % scale, : width - width % scale]


def imresize(image: Uint8, scale: Fraction | int, *, borders: Borders = "mirrored") -> Uint8:
    """MATLAB's `imresize(image, scale, 'bicubic')` of a uint8 image, H x W or H x W x 3.

    The scale is exact (`Fraction(1, 4)`, not 0.25), because the size of the result,
    ceil(H * scale) x ceil(W * scale), and ties in rounding depend on it.
    """
    require_image(image, "image")
    if isinstance(scale, bool) or not isinstance(scale, Fraction | int) or scale <= 0:
        raise ValueError(
            f"scale: must be a positive int or Fraction, got {scale!r}; "
            "write Fraction(1, 4) for a quarter"
        )
    vertical = _resize_rows(np.ascontiguousarray(image), Fraction(scale), borders)
    both = _resize_rows(_transposed(vertical), Fraction(scale), borders)
    return _transposed(both)


# One of the positions an output row can have between input rows, as weights and offsets.
# Output row `numerator * j + phase` is the sum over these of weight * the sum of the input rows
# `denominator * j + offset`, for all offsets that share this weight, over `unit`.
_Phase = tuple[tuple[int, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class _Kernel:
    phases: tuple[_Phase, ...]
    unit: int
    first: int
    last: int

    @property
    def dtype(self) -> type[np.floating[Any]]:
        """The narrowest float type in which every partial sum is an exact integer."""
        largest = max(
            255 * sum(abs(weight) * len(rows) for weight, rows in phase) for phase in self.phases
        )
        return np.float32 if largest + self.unit < 1 << 24 else np.float64


@lru_cache(maxsize=16)
def _kernel(scale: Fraction) -> _Kernel:
    phases = [_weights(scale, phase) for phase in range(scale.numerator)]
    unit = math.lcm(*(weight.denominator for taps in phases for weight in taps.values()))
    offsets = [offset for taps in phases for offset in taps]
    grouped = tuple(_grouped(taps, unit) for taps in phases)
    return _Kernel(grouped, unit, first=min(offsets), last=max(offsets))


def _weights(scale: Fraction, phase: int) -> dict[int, Fraction]:
    """Normalised weight of each input row, by its offset, for output row `phase`."""
    shrink = min(scale, Fraction(1))
    centre = (phase + Fraction(1, 2)) / scale - Fraction(1, 2)
    reach = 2 / shrink
    offsets = range(math.floor(centre - reach), math.ceil(centre + reach) + 1)
    raw = {offset: _cubic(shrink * (centre - offset)) for offset in offsets}
    total = sum(raw.values())
    return {offset: weight / total for offset, weight in raw.items() if weight}


def _cubic(distance: Fraction) -> Fraction:
    """Keys' kernel with a = -0.5."""
    x = abs(distance)
    if x <= 1:
        return Fraction(3, 2) * x**3 - Fraction(5, 2) * x**2 + 1
    if x < 2:
        return Fraction(-1, 2) * x**3 + Fraction(5, 2) * x**2 - 4 * x + 2
    return Fraction(0)


def _grouped(taps: dict[int, Fraction], unit: int) -> _Phase:
    """Offsets of equal weight together: a symmetric kernel then needs half the products."""
    rows: dict[int, list[int]] = defaultdict(list)
    for offset, weight in taps.items():
        rows[int(weight * unit)].append(offset)
    return tuple((weight, tuple(offsets)) for weight, offsets in rows.items())


def _resize_rows(image: Uint8, scale: Fraction, borders: Borders) -> Uint8:
    """Resize the first axis, block by block of `steps` input periods."""
    kernel = _kernel(scale)
    height, row = image.shape[0], math.prod(image.shape[1:])
    padded = _padded(image.reshape(height, row), scale, kernel, borders)
    result = np.empty((math.ceil(height * scale), row), np.uint8)
    per_period, period = scale.numerator, scale.denominator
    steps = max(1, _BLOCK // (row * period))
    for start in range(0, math.ceil(len(result) / per_period), steps):
        source = padded[start * period : (start + steps) * period + kernel.last - kernel.first]
        block = result[start * per_period : (start + steps) * per_period]
        _resize_block(source.astype(kernel.dtype), block, kernel, period)
    return result.reshape(len(result), *image.shape[1:])


def _enlarged_rows(plane: Floats, scale: int) -> Floats:
    """The first axis enlarged, phase by phase."""
    kernel = _kernel(Fraction(scale))
    padded = _padded(plane, Fraction(scale), kernel, "mirrored")
    height = len(plane)
    result = np.empty((height * scale, plane.shape[1]))
    for number, phase in enumerate(kernel.phases):
        taps = [(weight, at - kernel.first) for weight, offsets in phase for at in offsets]
        total = sum(weight * padded[start : start + height] for weight, start in taps)
        result[number::scale] = total / kernel.unit
    return result


def _padded(
    image: NDArray[Any], scale: Fraction, kernel: _Kernel, borders: Borders
) -> NDArray[Any]:
    """Rows `first` to the last one that any output row needs."""
    height = len(image)
    periods = math.ceil(math.ceil(height * scale) / scale.numerator)
    rows = np.arange(kernel.first, (periods - 1) * scale.denominator + kernel.last + 1)
    if borders == "clamped":
        inside = np.clip(rows, 0, height - 1)
    else:
        cycle = rows % (2 * height)
        inside = np.minimum(cycle, 2 * height - 1 - cycle)
    taken: NDArray[Any] = image[inside]
    return taken


def _resize_block(source: NDArray[Any], block: Uint8, kernel: _Kernel, period: int) -> None:
    """Fill `block` (uint8) from the float rows it needs; `source[0]` has offset `kernel.first`."""
    # The last period of the result may lack its later phases.
    for number, phase in enumerate(kernel.phases[: len(block)]):
        target = block[number :: len(kernel.phases)]
        total = np.full(target.shape, kernel.unit / 2, source.dtype)
        for weight, offsets in phase:
            starts = [offset - kernel.first for offset in offsets]
            rows = [source[at : at + len(target) * period : period] for at in starts]
            term = rows[0] if len(rows) == 1 else np.add(rows[0], rows[1])
            for extra in rows[2:]:
                term += extra
            cv2.scaleAdd(term, weight, total, dst=total)
        # Truncation after adding one half is MATLAB's rounding: ties go up.
        total /= kernel.unit
        np.clip(total, 0, 255, out=total)
        np.copyto(target, total, casting="unsafe")


def _transposed(image: Uint8) -> Uint8:
    return np.asarray(cv2.transpose(image), dtype=np.uint8)
