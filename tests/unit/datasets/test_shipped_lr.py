from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from harness.datasets.find import find
from harness.quality.bicubic import Borders, downscale

HR = np.random.default_rng(0).integers(0, 256, (3, 32, 24, 3), np.uint8)


def note(root: Path, lr: list[NDArray[np.uint8]]) -> str:
    for folder, images in (("HR", HR), ("LR_x4", lr)):
        (root / "Set5" / folder).mkdir(parents=True)
        for name, image in zip(("baby", "bird", "head"), images, strict=True):
            cv2.imwrite(str(root / "Set5" / folder / f"{name}.png"), image[:, :, ::-1])
    return find("Set5", data_dir=root, scale=4).notes[-1]


@pytest.mark.parametrize("borders", ["mirrored", "clamped"])
def test_lr_of_matlab_s_bicubic_is_known_by_its_borders(tmp_path: Path, borders: Borders) -> None:
    told = note(tmp_path, [downscale(image, 4, borders=borders) for image in HR])
    assert told == (
        f"LR files are MATLAB's bicubic of HR, borders {borders} (compared: baby, bird, head)"
    )


def test_other_lr_is_told_with_its_largest_difference(tmp_path: Path) -> None:
    lr = [downscale(image, 4) for image in HR]
    lr[1][3, 2, 0] = np.uint8((int(lr[1][3, 2, 0]) + 37) % 256)
    apart = abs(int(lr[1][3, 2, 0]) - int(downscale(HR[1], 4)[3, 2, 0]))
    assert f"they differ from it by up to {apart} of 255 grey levels" in note(tmp_path, lr)


def test_borders_of_one_image_each_are_neither(tmp_path: Path) -> None:
    lr = [
        downscale(HR[0], 4),
        downscale(HR[1], 4, borders="clamped"),
        downscale(HR[2], 4, borders="clamped"),
    ]
    assert "LR files are not MATLAB's bicubic of HR" in note(tmp_path, lr)


def test_clamped_borders_repeat_the_edge_pixel() -> None:
    """The first of two LR pixels: its kernel reaches 3 pixels beyond the edge of these 4 rows."""
    image = np.zeros((4, 4), np.uint8)
    image[0] = 200
    wide = np.concatenate([np.repeat(image[:1], 8, 0), image, np.repeat(image[-1:], 8, 0)])
    inside = downscale(wide, 2)[4:6, :]
    assert np.array_equal(downscale(image, 2, borders="clamped"), inside)


def test_shipped_files_of_public_copies_are_known(shared_dir: Path) -> None:
    for name, scale in (("Set5", 2), ("Set5", 3), ("Set5", 4), ("Set14", 4)):
        found = find(name, data_dir=shared_dir / "data", scale=scale)
        assert "MATLAB's bicubic of HR, borders mirrored" in found.notes[-1]
