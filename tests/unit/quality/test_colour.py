from __future__ import annotations

import numpy as np
import pytest

from harness.quality.colour import luma, luma_samples, with_luma


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


def test_another_luma_moves_all_colours_alike_and_rounds_once() -> None:
    rgb = np.array([[[100, 50, 200], [10, 0, 250]]], np.uint8)
    # 219 / 255 of luma is one grey level, so 2.19 are 2.55
    plane = luma(rgb) + np.array([[2.19, 0.4 * 219 / 255]])
    assert with_luma(rgb, plane).tolist() == [[[103, 53, 203], [10, 0, 250]]]


def test_what_another_luma_moves_out_of_range_is_clipped() -> None:
    rgb = np.array([[[250, 0, 128]]], np.uint8)
    assert with_luma(rgb, luma(rgb) + 10 * 219 / 255).tolist() == [[[255, 10, 138]]]
    assert with_luma(rgb, luma(rgb) - 10 * 219 / 255).tolist() == [[[240, 0, 118]]]


def test_its_own_luma_leaves_every_image_as_it_is() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (400, 333, 3), dtype=np.uint8)
    assert (with_luma(rgb, luma(rgb).astype(np.float32)) == rgb).all()
