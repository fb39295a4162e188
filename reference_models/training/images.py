"""A folder of HR photographs, and the LR images made of them, in memory as uint8."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from harness.datasets.image_header import ImageFileError
from harness.datasets.png import read_image
from harness.quality.bicubic import crop_to_multiple, downscale
from reference_models.training.faults import TrainingError, listed

Image = NDArray[np.uint8]
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
_JPEG = (".jpg", ".jpeg")
_JPEG_END, _TAIL = b"\xff\xd9", 4096  # bytes that cameras may append
_COLOURS = 3


@dataclass(frozen=True, eq=False)
class Pair:
    """HR, H x W x 3 RGB, and LR, H/scale x W/scale x 3, both uint8."""

    name: str
    hr: Image
    lr: Image


def read_folder(
    folder: Path, *, scale: int, smallest_side: int, shrink_jpegs: int = 1
) -> tuple[Pair, ...]:
    """Every image in the folder and below it, by name, with its LR image by MATLAB's bicubic.

    Greyscale images become three equal channels and transparency is dropped, as in `esr run`. JPEGs
    are shrunk by `shrink_jpegs` first, which hides the traces of their compression. TrainingError
    names every file that can't be used: damaged, not of 8 bits, or with a side below
    `smallest_side` pixels.
    """
    paths = _paths(folder)
    pairs, faults = [], []
    for path in paths:
        name = path.relative_to(folder).as_posix()
        try:
            hr = _read(path, shrink_jpegs)
            _require_size(hr, smallest_side)
        except _UnusableError as fault:
            faults.append(f"{name}: {fault}")
            continue
        hr = np.ascontiguousarray(crop_to_multiple(hr, scale))
        pairs.append(Pair(name, hr, downscale(hr, scale)))
    if faults:
        raise listed(f"{folder}: {len(faults)} of {len(paths)} images can't be used:", faults)
    return tuple(pairs)


def split(pairs: Sequence[Pair], held_out: int) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """Training and validation images: the latter at even distances among the names."""
    if len(pairs) <= held_out:
        raise TrainingError(
            f"the folder holds {len(pairs)} images, and {held_out} are kept for validation; add "
            "images, or name a folder of their own with --validation"
        )
    chosen = {(2 * index + 1) * len(pairs) // (2 * held_out) for index in range(held_out)}
    training = tuple(pair for index, pair in enumerate(pairs) if index not in chosen)
    return training, tuple(pairs[index] for index in sorted(chosen))


def centre_crop(pair: Pair, *, side: int, scale: int) -> Pair:
    """The middle of a pair, `side` HR pixels high and wide, or less where the image is smaller."""
    height, width = (min(side // scale, size) for size in pair.lr.shape[:2])
    top, left = (pair.lr.shape[0] - height) // 2, (pair.lr.shape[1] - width) // 2
    lr = pair.lr[top : top + height, left : left + width]
    top, left, height, width = (scale * value for value in (top, left, height, width))
    return Pair(pair.name, pair.hr[top : top + height, left : left + width], lr)


def digest(pairs: Sequence[Pair]) -> str:
    """sha256 of the images' pixels, in their order; names don't matter."""
    total = hashlib.sha256()
    for pair in pairs:
        total.update(str(pair.hr.shape).encode())
        total.update(np.ascontiguousarray(pair.hr).data)
    return total.hexdigest()


class _UnusableError(Exception):
    """One image; the message goes on after its name."""


def _paths(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise TrainingError(f"{folder} is no folder; name one that holds HR images")
    paths = sorted(
        path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() in SUFFIXES
    )
    if not paths:
        raise TrainingError(f"{folder} holds no images; put HR images there ({' '.join(SUFFIXES)})")
    return paths


def _read(path: Path, shrink_jpegs: int) -> Image:
    suffix = path.suffix.lower()
    try:
        hr = read_image(path) if suffix == ".png" else _decode(path.read_bytes(), suffix)
    except ImageFileError as error:
        raise _UnusableError(str(error)) from error
    except OSError as error:
        raise _UnusableError(f"cannot be read: {error.strerror}") from error
    if suffix in _JPEG and shrink_jpegs > 1:
        _require_size(hr, shrink_jpegs)
        return downscale(hr, shrink_jpegs)
    return hr


def _decode(data: bytes, suffix: str) -> Image:
    """RGB of a file that is no PNG."""
    if suffix in _JPEG and _JPEG_END not in data[-_TAIL:]:
        raise _UnusableError("was cut off before its end; get the file again")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    except cv2.error as error:
        raise _UnusableError(f"cannot be decoded: {error.err}") from error
    if image is None:
        raise _UnusableError("cannot be decoded: it is damaged or no image; get the file again")
    if image.dtype != np.uint8:
        bits = 8 * image.dtype.itemsize
        raise _UnusableError(f"is a {bits}-bit image; convert it to 8 bits a channel")
    if image.ndim < _COLOURS or image.shape[2] < _COLOURS:
        grey = image.reshape(*image.shape[:2], -1)[:, :, :1]
        return np.ascontiguousarray(np.repeat(grey, _COLOURS, axis=2), dtype=np.uint8)
    return np.ascontiguousarray(image[:, :, _COLOURS - 1 :: -1], dtype=np.uint8)


def _require_size(image: Image, smallest_side: int) -> None:
    height, width = image.shape[:2]
    if min(height, width) < smallest_side:
        raise _UnusableError(
            f"is {height}x{width}, smaller than the {smallest_side}x{smallest_side} pixels that "
            "the recipe needs; take it away or choose a recipe of smaller patches"
        )
