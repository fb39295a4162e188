from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.quality.bicubic import (
    crop_to_multiple,
    downscale,
    imresize,
    upscale,
    upscale_exactly,
)
from harness.quality.profile import CLASSIC_Y
from harness.quality.score import score

SIDES = {"Set5": 5, "Set14": 14}


def read_rgb(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert image is not None, path
    return np.ascontiguousarray(image[..., ::-1])


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("dataset", ["Set5", "Set14"])
def test_matlabs_lr_files_are_reproduced_bit_for_bit(
    shared_dir: Path, dataset: str, scale: int
) -> None:
    folder = shared_dir / "data" / dataset
    paths = sorted((folder / "HR").glob("*.png"))
    assert len(paths) == SIDES[dataset]
    for path in paths:
        published = read_rgb(folder / f"LR_x{scale}" / f"{path.stem}x{scale}.png")
        np.testing.assert_array_equal(downscale(read_rgb(path), scale), published, path.name)


def test_the_bicubic_row_of_set5_x4_has_its_published_psnr(shared_dir: Path) -> None:
    values = []
    for path in sorted((shared_dir / "data" / "Set5" / "HR").glob("*.png")):
        truth = crop_to_multiple(read_rgb(path), 4)
        estimate = upscale(downscale(truth, 4), 4)
        values.append(score(estimate, truth, profile=CLASSIC_Y, scale=4).psnr_db)
    assert np.mean(values) == pytest.approx(28.42, abs=0.01)


def test_an_edge_is_halved_as_worked_out_by_hand() -> None:
    # Weights at distances 1/4, 3/4, 5/4, 7/4 of an output pixel, over 256:
    # 111, 29, -9, -3 on each side (they sum to 128).
    # Row 0 1 | 2 3 | 4 5 | 6 7 is 0 0 0 0 255 255 255 255. Output pixel 1 (between rows 2 and 3)
    # sees the step at its right: rows 4, 5, 6 with weights 29, -9, -3: 17 * 255 / 256 = 16.93.
    # Output pixel 0 reaches row 4 with -3: below zero, clamped. The right half mirrors this.
    column = np.array([0, 0, 0, 0, 255, 255, 255, 255], np.uint8)
    image = np.repeat(column[:, None], 8, axis=1)
    expected = np.repeat(np.array([0, 17, 238, 255], np.uint8)[:, None], 4, axis=1)
    np.testing.assert_array_equal(downscale(image, 2), expected)
    np.testing.assert_array_equal(downscale(image.T, 2), expected.T)


def test_a_tie_is_rounded_up_as_matlab_does() -> None:
    # Weights over 128 at distances 1/4, 3/4, 5/4, 7/4: 111, 29, -9, -3. The last pixel is mirrored:
    # output 7: 32 * (111 + 29) / 128 = 35; output 6: 32 * (111 - 9) / 128 = 25.5, up to 26;
    # output 5: 32 * (29 - 3) / 128 = 6.5, up to 7; output 4: 32 * -9 / 128, clamped to 0.
    line = np.array([[0, 0, 0, 32]], np.uint8)
    doubled = upscale(line, 2)
    assert doubled.shape == (2, 8)
    assert doubled[0, 4:].tolist() == [0, 7, 26, 35]


def test_an_odd_size_is_cropped_to_the_scale() -> None:
    image = np.random.default_rng(0).integers(0, 256, (13, 19, 3), np.uint8)
    assert crop_to_multiple(image, 4).shape == (12, 16, 3)
    np.testing.assert_array_equal(downscale(image, 4), downscale(image[:12, :16], 4))


def test_rows_are_rounded_before_columns_begin() -> None:
    # One pass over both axes would give another image: the order and the rounding are observable.
    image = np.random.default_rng(1).integers(0, 256, (32, 32), np.uint8)
    rows_first = downscale(image, 2)
    columns_first = downscale(np.ascontiguousarray(image.T), 2).T
    assert (rows_first != columns_first).any()
    assert np.abs(rows_first.astype(int) - columns_first).max() <= 1


@pytest.mark.parametrize("scale", [Fraction(1, 2), Fraction(1, 3), Fraction(1, 8), Fraction(3, 4)])
@pytest.mark.parametrize("shape", [(18, 13), (9, 16, 3), (1, 1)])
def test_the_fast_way_equals_a_plain_loop(scale: Fraction, shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(2).integers(0, 256, shape, np.uint8)
    for ratio in (scale, 1 / scale):
        np.testing.assert_array_equal(imresize(image, ratio), plain_imresize(image, ratio))


@settings(max_examples=40, deadline=None)
@given(
    value=st.integers(0, 255),
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    scale=st.sampled_from([Fraction(1, 4), Fraction(1, 3), Fraction(2), Fraction(5, 3)]),
)
def test_a_flat_image_stays_flat(value: int, height: int, width: int, scale: Fraction) -> None:
    resized = imresize(np.full((height, width), value, np.uint8), scale)
    assert resized.shape == (-(-height * scale // 1), -(-width * scale // 1))
    assert (resized == value).all()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.integers(2, 4))
def test_a_mirrored_image_gives_the_mirrored_result(seed: int, scale: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (4 * scale, 6 * scale, 3), np.uint8)
    for axis in (0, 1):
        flipped = downscale(np.flip(image, axis), scale)
        np.testing.assert_array_equal(flipped, np.flip(downscale(image, scale), axis))


def test_scale_one_changes_nothing() -> None:
    image = np.random.default_rng(3).integers(0, 256, (9, 7, 3), np.uint8)
    np.testing.assert_array_equal(upscale(image, 1), image)


@pytest.mark.parametrize(
    ("image", "scale", "message"),
    [
        (np.zeros((8, 8), np.float32), 2, "image: must be a numpy array of uint8, got float32"),
        (np.zeros((8, 8, 4), np.uint8), 2, r"image: must be H x W or H x W x 3.*\(8, 8, 4\)"),
        (np.zeros((0, 8), np.uint8), 2, "not empty"),
        (np.zeros((8, 8), np.uint8), 0, "scale: must be an int of at least 1, got 0"),
        (np.zeros((8, 8), np.uint8), 0.25, "scale: must be an int of at least 1, got 0.25"),
        (np.zeros((8, 3), np.uint8), 4, "image: 8x3 is smaller than the scale 4"),
    ],
)
def test_what_cannot_be_downscaled_is_refused(image: np.ndarray, scale: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        downscale(image, scale)


@pytest.mark.parametrize("scale", [0.25, 0, Fraction(-1, 2), True])
def test_a_scale_that_is_not_exact_is_refused(scale: Fraction) -> None:
    with pytest.raises(ValueError, match=r"scale: must be a positive int or Fraction.*1, 4"):
        imresize(np.zeros((8, 8), np.uint8), scale)


def plain_imresize(image: np.ndarray, scale: Fraction) -> np.ndarray:
    """The definition, pixel by pixel, in rational arithmetic."""
    return plain_axis(plain_axis(image, scale, 0), scale, 1)


def plain_axis(image: np.ndarray, scale: Fraction, axis: int) -> np.ndarray:
    lines = np.moveaxis(image, axis, 0).astype(object)
    shrink = min(scale, Fraction(1))
    resized = []
    for out in range(-(-len(lines) * scale // 1)):
        centre = (out + Fraction(1, 2)) / scale - Fraction(1, 2)
        total, weights = 0 * lines[0], Fraction(0)
        for source in range(int(centre - 2 / shrink) - 1, int(centre + 2 / shrink) + 2):
            weight = keys_kernel(shrink * abs(centre - source))
            total = total + weight * lines[mirrored(source, len(lines))]
            weights += weight
        resized.append((total / weights + Fraction(1, 2)) // 1)
    clipped = np.clip(np.array(resized, dtype=object), 0, 255).astype(np.uint8)
    return np.moveaxis(clipped, 0, axis)


def keys_kernel(x: Fraction) -> Fraction:
    if x < 1:
        return (3 * x**3 - 5 * x**2 + 2) / 2
    return (-(x**3) + 5 * x**2 - 8 * x + 4) / 2 if x < 2 else Fraction(0)


def mirrored(index: int, size: int) -> int:
    while not 0 <= index < size:
        index = -1 - index if index < 0 else 2 * size - 1 - index
    return index


def test_a_plane_is_enlarged_without_rounding_or_clipping() -> None:
    # a step between two pixels, where Keys' kernel has 111, 29, -9 and -3 of 128 at distances of
    # 1/4, 3/4, 5/4 and 7/4
    found = upscale_exactly(np.array([[0.0, 0.0, 128.0, 128.0]]), 2)
    expected = [0, -3, -9, 29 - 3, 111 - 9, 128 + 9, 128 + 3, 128]
    assert found.tolist() == [expected, expected]


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_without_rounding_an_image_is_enlarged_as_with_it(scale: int) -> None:
    image = np.random.default_rng(scale).integers(60, 200, (9, 7), dtype=np.uint8)
    apart = np.abs(upscale_exactly(image.astype(np.float64), scale) - upscale(image, scale))
    assert apart.max() < 1.2  # half a level for each axis, and what the kernel makes of the first
