"""Image files of the formats that are read, by their suffix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.datasets import bmp_tiff, png
from harness.datasets.image_header import Header

FORMATS = ((".png",), (".bmp",), (".tif", ".tiff"))
"""Suffixes in lower case; the earlier ones are preferred where an image is there in several."""


def read_header(path: Path) -> Header:
    """The header of a PNG, BMP or TIFF file that is whole.

    Raises ImageFileError for one that is damaged, isn't of its suffix's format, or has other than
    8 bits a channel.
    """
    return png.read_header(path) if _is_png(path) else bmp_tiff.read_header(path)


def read_image(path: Path) -> NDArray[np.uint8]:
    """The pixels, H x W x 3 RGB, grey in three equal channels; raises as `read_header` does."""
    return png.read_image(path) if _is_png(path) else bmp_tiff.read_image(path)


def _is_png(path: Path) -> bool:
    return path.suffix.lower() == ".png"
