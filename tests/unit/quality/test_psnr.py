from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio

from harness.quality.psnr import psnr_db, squared_error


@pytest.mark.parametrize(
    ("difference", "expected"),
    # 20 log10(255 / difference), looked up by hand; 255 is the largest error there is.
    [(1, 48.130803609), (2, 42.110203696), (51, 13.979400087), (255, 0.0)],
)
def test_a_constant_difference_has_the_psnr_worked_out_by_hand(
    difference: int, expected: float
) -> None:
    truth = np.zeros((6, 5, 3), np.uint8)
    assert psnr_db(truth + np.uint8(difference), truth) == pytest.approx(expected, abs=1e-9)


def test_one_wrong_sample_of_four_is_averaged() -> None:
    # Errors 0, 0, 0, 10: MSE 25, PSNR 20 log10(255 / 5) = 20 log10(51).
    output = np.array([[7, 7], [7, 17]], np.uint8)
    truth = np.full((2, 2), 7, np.uint8)
    assert squared_error(output, truth) == 100
    assert psnr_db(output, truth) == pytest.approx(34.151403521, abs=1e-9)


def test_identical_images_have_infinite_psnr() -> None:
    image = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    assert psnr_db(image, image.copy()) == math.inf


def test_the_step_says_what_a_unit_is_worth() -> None:
    output = np.full((4, 4), 1000, np.float32)
    truth = np.zeros((4, 4), np.float32)
    assert psnr_db(output, truth, step=0.001) == pytest.approx(48.130803609, abs=1e-9)


def test_the_error_of_a_large_saturated_image_is_an_exact_integer() -> None:
    black, white = np.zeros((1100, 1000, 3), np.uint8), np.full((1100, 1000, 3), 255, np.uint8)
    assert squared_error(black, white) == 255**2 * 3_300_000
    white[5, 5, 1] = 254
    assert squared_error(black, white) == 255**2 * 3_300_000 - 255**2 + 254**2


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), height=st.integers(1, 40), width=st.integers(1, 40))
def test_noise_has_scikit_images_psnr(seed: int, height: int, width: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (2, height, width, 3), np.uint8)
    expected = peak_signal_noise_ratio(noise[1], noise[0], data_range=255)
    assert psnr_db(noise[0], noise[1]) == pytest.approx(expected, abs=1e-9)
    assert psnr_db(noise[0], noise[1]) == psnr_db(noise[1], noise[0])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), place=st.integers(0, 299), growth=st.integers(1, 100))
def test_psnr_falls_when_one_error_grows(seed: int, place: int, growth: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 100, 300, np.uint8).reshape(10, 10, 3)
    output = truth + rng.integers(0, 50, truth.shape, np.uint8)
    worse = output.copy()
    worse.flat[place] += growth
    assert psnr_db(worse, truth) < psnr_db(output, truth)
