from __future__ import annotations

import numpy as np
import pytest

from harness.quality.colour import luma, luma_samples


@pytest.mark.parametrize(
    ("rgb", "expected"),
    # 16 + (65.481 R + 128.553 G + 24.966 B) / 255
    [
        ((0, 0, 0), 16.0),
        ((255, 255, 255), 235.0),
        ((255, 0, 0), 81.481),
        ((0, 255, 0), 144.553),
        ((0, 0, 255), 40.966),
        ((51, 102, 204), 16 + 13.0962 + 51.4212 + 19.9728),
    ],
)
def test_luma_is_worked_out_by_hand(rgb: tuple[int, int, int], expected: float) -> None:
    pixel = np.array([[rgb]], np.uint8)
    assert luma(pixel)[0, 0] == pytest.approx(expected, abs=1e-12)


def test_luma_is_not_rounded() -> None:
    assert luma(np.array([[[1, 0, 0]]], np.uint8))[0, 0] == pytest.approx(16.2567882353, abs=1e-9)


def test_luma_samples_are_exact_integers_in_every_strip() -> None:
    image = np.random.default_rng(0).integers(0, 256, (150, 2040, 3), np.uint8)
    exact = image.astype(np.int64) @ [299, 587, 114]
    np.testing.assert_array_equal(luma_samples(image), exact)
