"""BMP and lossless TIFF files of 8-bit RGB or grey, decoded by Pillow.

Pillow brings deeper samples down to 8 bits, fills in what a torn file lacks of its colours, and
turns images by their tags, all in silence. So what it would change is refused before it decodes.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from harness.datasets.image_header import Header, ImageFileError

_LFS = b"version https://git-lfs"
_LOSSLESS = {"raw", "packbits", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "lzma", "zstd"}
_MODES = {
    "RGBA": "has transparency",
    "P": "has a palette",
    "PA": "has a palette",
    "1": "has 1 bit a pixel",
    "CMYK": "is of CMYK colours",
    "YCbCr": "is of YCbCr colours",
    "LAB": "is of Lab colours",
}
_BITS, _SAMPLE_FORMAT, _ORIENTATION = 258, 339, 274  # tags of TIFF 6.0
_BMP_BITS = 28  # offset of the bits a pixel, in all headers but the oldest, of OS/2
_CONVERT = "convert it to 8-bit PNG"


def read_header(path: Path) -> Header:
    """The header of a BMP or TIFF file, whose pixels are decoded to see that they are whole.

    Raises ImageFileError for a file that can't be opened, is of another format, is damaged, lossy,
    turned by a tag, holds several images, or is not 8-bit RGB or grey.
    """
    height, width = read_image(path).shape[:2]
    return Header(height, width)


def read_image(path: Path) -> NDArray[np.uint8]:
    """The pixels: H x W x 3 RGB; grey in three equal channels. Raises as `read_header` does."""
    with _explained(path), Image.open(path, formats=["BMP", "TIFF"]) as image:
        fault = "; ".join(_faults(image, path))
        if fault:
            raise ImageFileError(f"{fault}; {_CONVERT}")
        image.load()
        pixels = np.asarray(image.convert("RGB"), dtype=np.uint8)
    return np.ascontiguousarray(pixels)


_BROKEN = (ValueError, KeyError, IndexError, TypeError, SyntaxError, EOFError, struct.error)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Pillow's ways to fail as one, with what to do."""
    try:
        if fault := _no_image(path):
            raise ImageFileError(fault)  # noqa: TRY301 - opening can fail as decoding can
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of torn metadata, and of sizes that can't be true
            yield
    except ImageFileError:
        raise
    except UnidentifiedImageError:
        fault = f"is no {_kind(path)} file that can be read; get it again, or {_CONVERT}"
        raise ImageFileError(fault) from None
    except (OSError, Image.DecompressionBombError, Warning, *_BROKEN) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        fault = f"cannot be read: {reason or 'it is damaged'}; get it again"
        raise ImageFileError(fault) from error


def _no_image(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(len(_LFS))
    if head == _LFS:
        return "is a Git LFS pointer and not the image: run `git lfs pull`"
    return "" if head else "is empty; get the file again"


def _faults(image: Image.Image, path: Path) -> Iterator[str]:
    if image.format != _kind(path):
        yield f"is {image.format} under another name"
        return
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        yield from _tiff_faults(image)
    else:
        bits = int.from_bytes(path.read_bytes()[_BMP_BITS : _BMP_BITS + 2], "little")
        if bits == 16:
            yield "has 16 bits a pixel, less than 8 a channel"
    if image.mode not in ("RGB", "L"):
        yield _MODES.get(image.mode, f"is of Pillow's mode {image.mode}")


def _tiff_faults(image: TiffImagePlugin.TiffImageFile) -> Iterator[str]:
    tags = image.tag_v2
    how = image.info.get("compression", "raw")
    if how not in _LOSSLESS:
        yield f"is compressed by {how}, which is lossy or not known"
    if set(tags.get(_BITS, (1,))) != {8}:
        yield f"has {max(tags.get(_BITS, (1,)))} bits a channel"
    if set(tags.get(_SAMPLE_FORMAT, (1,))) != {1}:
        yield "has signed or floating-point samples"
    if tags.get(_ORIENTATION, 1) != 1:
        yield "is to be turned, by its Orientation"
    if image.n_frames > 1:
        yield f"holds {image.n_frames} images"


def _kind(path: Path) -> str:
    return "BMP" if path.suffix.lower() == ".bmp" else "TIFF"
