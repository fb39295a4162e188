"""Images drawn afresh: flipped, and salted with small changes that no one can know beforehand."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.launch.audits.thresholds import SALT

Uint8 = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Flip:
    """Upside down, left to right, both or neither; its own inverse."""

    rows: bool
    columns: bool

    def __call__(self, pixels: Uint8) -> Uint8:
        """The image, flipped, with memory of its own."""
        rows = slice(None, None, -1 if self.rows else 1)
        columns = slice(None, None, -1 if self.columns else 1)
        return np.ascontiguousarray(pixels[rows, columns])


NONE, TURNED = Flip(rows=False, columns=False), Flip(rows=True, columns=True)
FLIPS = (NONE, Flip(rows=True, columns=False), Flip(rows=False, columns=True), TURNED)


@dataclass(frozen=True)
class Fresh:
    """An image that nobody has seen: `salted`, shown through `flip`."""

    salted: Uint8
    flip: Flip

    @property
    def shown(self) -> Uint8:
        """What the worker is given."""
        return self.flip(self.salted)


class Draw:
    """The trusted side's draws of one round; no seed of them is known to anyone."""

    def __init__(self, seed: int | None = None) -> None:
        self._rng = np.random.default_rng(secrets.randbits(128) if seed is None else seed)

    def fresh(self, pixels: Uint8, flip: Flip | None = None) -> Fresh:
        """The image with every pixel changed by up to SALT levels, through a flip."""
        salt = self._rng.integers(-SALT, SALT + 1, pixels.shape, dtype=np.int16)
        salted = np.clip(pixels + salt, 0, 255).astype(np.uint8)
        return Fresh(salted, flip or FLIPS[self.below(len(FLIPS))])

    def below(self, number: int) -> int:
        """A number from 0 on."""
        return int(self._rng.integers(number))

    def order(self, pairs: int) -> list[bool]:
        """As many seen (False) as unseen (True) images, in an order drawn."""
        return [bool(it) for it in self._rng.permutation([False, True] * pairs)]
