"""Images that nobody can have stored: parts of several truths, in other phases of the LR grid.

The trusted side alone draws which parts of which images meet where, how they are flipped and how
they lie to the grid. So no image and no tile of the grid as it was is met again, while the truth of
every pixel is known. Inside a part each LR pixel is still one of few: scale² phases and four flips
of each truth, which whoever stores all of them can look up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import attrgetter

import numpy as np

from harness.audits import thresholds
from harness.audits.fresh_images import FLIPS, Draw, Flip
from harness.quality.bicubic import downscale, upscale
from harness.quality.pixels import Uint8


@dataclass(frozen=True)
class Source:
    """An image that has a truth: its LR pixels, and whether MATLAB's bicubic made them of it."""

    lr: Uint8
    by_bicubic: bool


@dataclass(frozen=True)
class Part:
    """A part of a source's truth, and where it lies in a mosaic.

    Of LR images that bicubic did not make, parts keep the LR pixels that they have (`as_given`):
    their phase and direction stay.
    """

    source: int  # its number
    top: int  # HR pixels, in the source
    left: int
    row: int  # LR pixels, in the mosaic
    column: int
    height: int  # LR pixels
    width: int
    flip: Flip = (1, 1)
    as_given: bool = False

    def in_source(self, image: Uint8, scale: int, margin: int = 0) -> Uint8:
        """Its pixels in an image of the source's HR size, without `margin` LR pixels all around."""
        return self._cut(image, self.top, self.left, scale, margin)

    def in_mosaic(self, image: Uint8, scale: int, margin: int = 0) -> Uint8:
        """Its pixels in an image of the mosaic's HR size."""
        return self._cut(image, self.row * scale, self.column * scale, scale, margin)

    def _cut(self, image: Uint8, top: int, left: int, scale: int, margin: int) -> Uint8:
        inset = margin * scale
        bottom, right = top + self.height * scale, left + self.width * scale
        return image[top + inset : bottom - inset, left + inset : right - inset]

    def bicubic(self, lr: Uint8, scale: int, margin: int) -> Uint8:
        """Its pixels, without the margin, in the bicubic enlargement of its source's LR image."""
        first_row, first_column = self.top // scale, self.left // scale
        last_row = -(-self.top // scale) + self.height
        last_column = -(-self.left // scale) + self.width
        large = upscale(
            np.ascontiguousarray(lr[first_row:last_row, first_column:last_column]), scale
        )
        top, left = self.top - first_row * scale, self.left - first_column * scale
        return self._cut(large, top, left, scale, margin)


def drawn(
    draw: Draw, sources: Sequence[Source], size: tuple[int, int], scale: int
) -> tuple[Part, ...]:
    """The parts of a mosaic of `size` LR pixels, row by row; none where all is too small."""
    rows, columns = (_cells(side) for side in size)
    parts = [
        _part(draw, sources, (row, column), (height, width), scale)
        for row, height in rows
        for column, width in columns
    ]
    return () if None in parts else tuple(part for part in parts if part)


def _cells(side: int) -> list[tuple[int, int]]:
    """Where the cells of an axis begin, and how long they are."""
    number = min(max(side // thresholds.CELL, 2), thresholds.MOST_CELLS)
    ends = [side * at // number for at in range(number + 1)]
    return [(one, other - one) for one, other in pairwise(ends)]


def _part(
    draw: Draw,
    sources: Sequence[Source],
    at: tuple[int, int],
    size: tuple[int, int],
    scale: int,
) -> Part | None:
    """A part for a cell `at` LR rows and columns, of a source that has room to move it."""
    fitting = [
        number
        for number, it in enumerate(sources)
        if it.lr.shape[0] > size[0] and it.lr.shape[1] > size[1]
    ]
    if not fitting or min(size) <= 2 * thresholds.SEAM:
        return None
    number = fitting[draw.below(len(fitting))]
    source = sources[number]
    spare = tuple(whole - side for whole, side in zip(source.lr.shape, size, strict=False))
    if not source.by_bicubic:
        top, left = (scale * draw.below(it + 1) for it in spare)
        return Part(number, top, left, *at, *size, as_given=True)
    top = left = 0
    while not (top % scale or left % scale):
        top, left = (draw.below(it * scale + 1) for it in spare)
    return Part(number, top, left, *at, *size, FLIPS[draw.below(len(FLIPS))])


def made(
    parts: Sequence[Part],
    sources: Sequence[Source],
    truth: Callable[[int], Uint8],
    scale: int,
) -> tuple[Uint8, Uint8]:
    """A mosaic's LR image and its truth, of the sources' truths by their numbers, one at a time."""
    height = max(part.row + part.height for part in parts)
    width = max(part.column + part.width for part in parts)
    hr = np.empty((height * scale, width * scale, 3), np.uint8)
    for source, its in groupby(sorted(parts, key=attrgetter("source")), attrgetter("source")):
        whole = truth(source)
        for part in its:
            rows, columns = part.flip
            part.in_mosaic(hr, scale)[:] = part.in_source(whole, scale)[::rows, ::columns]
    lr = downscale(hr, scale)
    for part in parts:
        if part.as_given:
            own = sources[part.source].lr[part.top // scale :, part.left // scale :]
            part.in_mosaic(lr, 1)[:] = own[: part.height, : part.width]
    return lr, hr
