"""Images drawn afresh: rolled, flipped, and perturbed by small changes that no one foresees."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import numpy as np

from harness.audits.thresholds import PERTURBATION
from harness.quality.pixels import Uint8

Flip = tuple[int, int]  # steps along rows and columns: -1 turns the axis around
FLIPS: tuple[Flip, ...] = ((1, 1), (1, -1), (-1, 1), (-1, -1))
TURNED = (-1, -1)


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

    @property
    def shown(self) -> Uint8:
        """What the worker is given."""
        return flipped(np.roll(self.perturbed, self.shift, axis=(0, 1)), self.flip)

    def back(self, output: Uint8, scale: int) -> Uint8:
        """The worker's output where the image itself would have it."""
        rows, columns = self.shift
        moved = (-rows * scale, -columns * scale)
        return np.ascontiguousarray(np.roll(flipped(output, self.flip), moved, axis=(0, 1)))


class Draw:
    """The trusted side's draws of one round; no seed of them is known to anyone."""

    def __init__(self, seed: int | None = None) -> None:
        self._rng = np.random.default_rng(secrets.randbits(128) if seed is None else seed)

    def fresh(self, pixels: Uint8) -> Fresh:
        """The image with every pixel changed by up to PERTURBATION levels, rolled and flipped."""
        height, width, _ = pixels.shape
        shift = (self.below(height), self.below(width))
        return Fresh(self._perturbed(pixels), FLIPS[self.below(len(FLIPS))], shift)

    def turned(self, pixels: Uint8) -> Fresh:
        """The perturbed image upside down and left to right."""
        return Fresh(self._perturbed(pixels), TURNED)

    def _perturbed(self, pixels: Uint8) -> Uint8:
        change = self._rng.integers(-PERTURBATION, PERTURBATION + 1, pixels.shape, dtype=np.int16)
        perturbed: Uint8 = np.clip(pixels + change, 0, 255).astype(np.uint8)
        return perturbed

    def below(self, number: int) -> int:
        """A number from 0 on."""
        return int(self._rng.integers(number))

    def order(self, *numbers: int) -> list[int]:
        """Kinds 0 and on, of each as many as told, in an order drawn."""
        kinds = [kind for kind, number in enumerate(numbers) for _ in range(number)]
        return [int(it) for it in self._rng.permutation(kinds)]
