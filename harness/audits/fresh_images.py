"""Images drawn afresh: rolled, flipped, and perturbed by small changes that no one foresees."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from harness.audits.thresholds import PERTURBATION
from harness.quality.pixels import Uint8

T = TypeVar("T")
S = TypeVar("S", bound=np.generic)
Bools = npt.NDArray[np.bool_]
Flip = tuple[int, int]  # steps along rows and columns: -1 turns the axis around
FLIPS: tuple[Flip, ...] = ((1, 1), (1, -1), (-1, 1), (-1, -1))
UNFLIPPED, TURNED = (1, 1), (-1, -1)


def flipped(pixels: Uint8, flip: Flip) -> Uint8:
    """The image, flipped, with memory of its own; flipped again it is itself."""
    rows, columns = flip
    return np.ascontiguousarray(pixels[::rows, ::columns])


@dataclass(frozen=True)
class Fresh:
    """An image that nobody has seen: `perturbed`, shown rolled by `shift` and through `flip`.

    Rolled, rows that leave at the bottom come in at the top, columns likewise: another picture, of
    which all parts are known.
    """

    perturbed: Uint8
    flip: Flip
    shift: tuple[int, int] = (0, 0)  # LR rows and columns
    share: float = 1.0  # of pixels that may have been changed

    @property
    def shown(self) -> Uint8:
        """What the worker is given."""
        return flipped(np.roll(self.perturbed, self.shift, axis=(0, 1)), self.flip)

    def back(self, output: Uint8, scale: int) -> Uint8:
        """The worker's output where the image itself would have it."""
        rows, columns = self.shift
        moved = (-rows * scale, -columns * scale)
        return np.ascontiguousarray(np.roll(flipped(output, self.flip), moved, axis=(0, 1)))

    def inner(self, image: npt.NDArray[S], margin: int) -> npt.NDArray[S]:
        """The rows and columns that are `margin` LR pixels from its ends and from where it was cut.

        Of an image of this size, or of a multiple of it.
        """
        for axis, kept in enumerate(self._inner(margin)):
            image = image.compress(kept.repeat(image.shape[axis] // kept.size), axis=axis)
        return image

    def inner_share(self, margin: int) -> float:
        """How much of the image `inner` has."""
        rows, columns = self._inner(margin)
        return float(rows.mean() * columns.mean())

    def _inner(self, margin: int) -> tuple[Bools, Bools]:
        (height, width, _), (down, right) = self.perturbed.shape, self.shift
        return _within(height, down, margin), _within(width, right, margin)


def _within(size: int, shift: int, margin: int) -> Bools:
    at = np.arange(size)
    ends = np.minimum(at, size - 1 - at)
    cut = np.abs(at + 0.5 - (size - shift) % size)
    return np.asarray((ends >= margin) & (cut >= margin))


class Draw:
    """The trusted side's draws of one round; no seed of them is known to anyone."""

    def __init__(self, seed: int | None = None) -> None:
        self._rng = np.random.default_rng(secrets.randbits(128) if seed is None else seed)

    def fresh(self, pixels: Uint8, flips: Sequence[Flip] = FLIPS, share: float = 1.0) -> Fresh:
        """The image rolled and flipped, all pixels changed by up to PERTURBATION levels.

        Or a `share` of them, by up to one level.
        """
        height, width, _ = pixels.shape
        shift = (self.below(height), self.below(width))
        changed = self.changed(pixels, share)
        return Fresh(changed, flips[self.below(len(flips))], shift, share)

    def changed(self, pixels: Uint8, share: float) -> Uint8:
        """The image with all pixels changed as in `fresh`, or with a `share` of them."""
        some = self._rng.random((*pixels.shape[:2], 1)) < share
        most = 1 if share < 1.0 else PERTURBATION
        return np.where(some, self._perturbed(pixels, most), pixels)

    def _perturbed(self, pixels: Uint8, most: int = PERTURBATION) -> Uint8:
        change = self._rng.integers(-most, most + 1, pixels.shape, dtype=np.int16)
        perturbed: Uint8 = np.clip(pixels + change, 0, 255).astype(np.uint8)
        return perturbed

    def below(self, number: int) -> int:
        """A number from 0 on."""
        return int(self._rng.integers(number))

    def some(self, items: Sequence[T], most: int) -> tuple[T, ...]:
        """As many of them, drawn, in their order; all where they are fewer."""
        kinds = self.order(min(most, len(items)), max(len(items) - most, 0))
        return tuple(it for it, kind in zip(items, kinds, strict=True) if kind == 0)

    def order(self, *numbers: int) -> list[int]:
        """Kinds 0 and on, of each as many as told, in an order drawn."""
        kinds = [kind for kind, number in enumerate(numbers) for _ in range(number)]
        return [int(it) for it in self._rng.permutation(kinds)]
