"""Folders of tiny images, laid out as somebody's datasets are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

SET5 = ("baby", "bird", "butterfly", "head", "woman")


def write_image(path: Path, height: int, width: int, *, value: int = 128) -> None:
    """One colour, so that any bicubic LR of it is equal to any other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((height, width, 3), value, np.uint8))


def write_tree(root: Path, files: Mapping[str, tuple[int, int]]) -> None:
    """Images of these heights and widths."""
    for name, (height, width) in files.items():
        write_image(root / name, height, width)


def write_pairs(root: Path, hr: str, lr: str, *, scale: int = 4) -> None:
    """Set5 as HR of 4x3 LR pixels, by two patterns of file names with `*` for the image."""
    write_tree(root, {hr.replace("*", image): (4 * scale, 3 * scale) for image in SET5})
    write_tree(root, {lr.replace("*", image): (4, 3) for image in SET5})
