from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data
from skimage.metrics import structural_similarity

from harness.quality.ssim import mean_ssim

C1 = (0.01 * 255) ** 2
C2 = (0.03 * 255) ** 2


def plain_ssim(x: np.ndarray, y: np.ndarray) -> float:
    return structural_similarity(
        x,
        y,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        channel_axis=2 if x.ndim == 3 else None,
    )


def noisy(image: np.ndarray, sigma: float, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, sigma, image.shape)
    return np.clip(image + noise, 0, 255).round().astype(np.uint8)


def flat(value: int) -> np.ndarray:
    return np.full((60, 70, 3), value, np.uint8)


def checkerboard(low: int, high: int) -> np.ndarray:
    squares = (np.indices((60, 70)) // 24).sum(axis=0) % 2
    return np.repeat(np.where(squares, high, low)[..., None], 3, axis=2).astype(np.uint8)


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def test_two_flat_images_leave_only_the_luminance_term() -> None:
    # Variances are zero, so SSIM = (2 * 100 * 50 + C1) / (100^2 + 50^2 + C1).
    expected = (10000 + C1) / (12500 + C1)
    assert mean_ssim(flat(100), flat(50)) == pytest.approx(expected, abs=1e-7)
    assert expected == pytest.approx(0.8001040, abs=1e-7)


def test_black_against_white_is_worked_out_by_hand() -> None:
    assert mean_ssim(flat(0), flat(255)) == pytest.approx(C1 / (255**2 + C1), abs=1e-7)


def test_a_single_window_with_one_bright_pixel_is_worked_out_by_hand() -> None:
    # Only one 11x11 window fits. With weight w at the centre, the means are 0 and 255 w, the
    # variances 0 and 255^2 (w - w^2), the covariance 0.
    bright = np.zeros((11, 11), np.uint8)
    bright[5, 5] = 255
    taps = np.exp(-(np.arange(-5, 6) ** 2) / 4.5)
    weight = (1 / taps.sum()) ** 2
    mean, variance = 255 * weight, 255**2 * (weight - weight**2)
    expected = C1 * C2 / ((mean**2 + C1) * (variance + C2))
    assert mean_ssim(np.zeros_like(bright), bright) == pytest.approx(expected, abs=1e-9)


PAIRS: dict[str, Callable[[], tuple[np.ndarray, np.ndarray]]] = {
    "photo with little noise": lambda: (data.astronaut(), noisy(data.astronaut(), 1)),
    "photo with noise": lambda: (data.coffee(), noisy(data.coffee(), 8)),
    "dark photo with heavy noise": lambda: (data.rocket(), noisy(data.rocket(), 40)),
    "photo and its negative": lambda: (data.coffee(), 255 - data.coffee()),
    "noise": lambda: (random(90, 110, 3), random(90, 110, 3, seed=1)),
    "saturated noise": lambda: (
        random(90, 110, 3) // 128 * 255,
        random(90, 110, 3, seed=1) // 128 * 255,
    ),
    "flat": lambda: (flat(100), flat(101)),
    "flat and dark, with noise": lambda: (flat(17), noisy(flat(17), 3)),
    "flat and bright, with noise": lambda: (noisy(flat(240), 3), noisy(flat(240), 3, seed=1)),
    "clipped white with noise": lambda: (flat(255), noisy(flat(255), 3)),
    "black against white": lambda: (flat(0), flat(255)),
    "a photo and a brighter one": lambda: (data.coffee() // 2, data.coffee() // 2 + 40),
    "coarse blocks against grey": lambda: (checkerboard(78, 178), flat(128)),
    "blocks a little off": lambda: (checkerboard(113, 143), flat(128)),
    "equal": lambda: (random(90, 110, 3), random(90, 110, 3)),
    "one channel": lambda: (random(90, 110), random(90, 110, seed=1)),
    "long and thin": lambda: (random(11, 900, 3), random(11, 900, 3, seed=1)),
    "tall and thin": lambda: (random(900, 12, 3), random(900, 12, 3, seed=1)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_ssim_equals_scikit_images(name: str) -> None:
    x, y = PAIRS[name]()
    assert mean_ssim(x, y) == pytest.approx(plain_ssim(x, y), abs=1e-6)


def test_a_step_and_a_pedestal_only_rescale() -> None:
    x, y = random(60, 80), random(60, 80, seed=1)
    coarse = mean_ssim(x.astype(np.float32), y.astype(np.float32), pedestal=16.0, step=0.5)
    assert coarse == pytest.approx(plain_ssim(16 + x / 2, 16 + y / 2), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(11, 300),
    width=st.integers(11, 300),
    channels=st.sampled_from([(), (3,)]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_size_is_tiled_without_a_seam(
    height: int, width: int, channels: tuple[int, ...], seed: int
) -> None:
    x, y = (
        random(height, width, *channels, seed=seed),
        random(height, width, *channels, seed=seed + 1),
    )
    value = mean_ssim(x, y)
    assert value == pytest.approx(plain_ssim(x, y), abs=1e-6)
    assert -1 <= value <= 1
    assert mean_ssim(x, x) == 1.0
    assert mean_ssim(y, x) == value


@settings(max_examples=40, deadline=None)
@given(
    levels=st.lists(st.integers(0, 255), min_size=8, max_size=8),
    side=st.integers(6, 40),
)
def test_flat_blocks_of_any_brightness_are_not_lost_in_rounding(
    levels: list[int], side: int
) -> None:
    blocks = np.array(levels, np.uint8).reshape(2, 2, 2)
    x, y = (block.repeat(side, axis=0).repeat(side + 3, axis=1) for block in blocks)
    assert mean_ssim(x, y) == pytest.approx(plain_ssim(x, y), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_flipping_both_images_changes_nothing(seed: int) -> None:
    x, y = random(40, 50, 3, seed=seed), random(40, 50, 3, seed=seed + 1)
    for axis in (0, 1):
        flipped = mean_ssim(np.flip(x, axis).copy(), np.flip(y, axis).copy())
        assert flipped == pytest.approx(mean_ssim(x, y), abs=1e-7)
