from __future__ import annotations

import numpy as np

from harness.quality.pixels import pixel_digest


def test_outputs_are_told_apart_by_their_pixels() -> None:
    black = np.zeros((2, 2, 3), np.uint8)
    other = black.copy()
    other[0, 0, 0] = 1
    assert pixel_digest(black) == pixel_digest(black.copy())
    assert pixel_digest(black) != pixel_digest(other)
