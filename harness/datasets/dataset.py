"""A dataset that was found whole: its pairs, its content hash, its pixels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.core.challenge import CropRule
from harness.core.outcome import BadInput
from harness.datasets.image_files import read_image
from harness.datasets.image_header import ImageFileError
from harness.quality.bicubic import crop_to_multiple, downscale

LrOrigin = Literal["files", "bicubic"]
REMEDY = "Repair or replace what is named, then run again."


class DatasetError(BadInput):
    """A dataset that cannot be used: every fault found, and what to do about them."""

    def __init__(self, dataset: str, faults: Iterable[str], *, remedy: str) -> None:
        self.faults = tuple(faults)
        if len(self.faults) == 1:
            super().__init__(f"{dataset}: {self.faults[0]}. {remedy}")
        else:
            lines = "\n".join(f"  - {fault}" for fault in self.faults)
            super().__init__(f"{dataset}: {len(self.faults)} faults:\n{lines}\n{remedy}")


class DatasetMissing(DatasetError):
    """No file of the dataset was found at all, so an optional dataset can be skipped."""


@dataclass(frozen=True)
class ImagePair:
    """One image. At least one of the two files is there.

    lr       None: LR is made from HR by our bicubic
    hr       None: there is no truth to score against
    lr_size  height and width of the LR image, in pixels
    crop     "common": either file may be larger, and is cut to that
    """

    image: str
    lr: Path | None
    hr: Path | None
    lr_size: tuple[int, int]
    crop: CropRule = "multiple"

    def __post_init__(self) -> None:
        if self.lr is None and self.hr is None:
            raise ValueError(f"{self.image}: a pair needs an LR or an HR file")


@dataclass(frozen=True)
class Dataset:
    """The pairs of a dataset at one scale, in the order of their names.

    lr_origin  "files", or "bicubic" where LR is made from HR
    notes      what a reader of the figures must know: missing images, LR of our own, cropping
    """

    name: str
    scale: int
    pairs: tuple[ImagePair, ...]
    lr_origin: LrOrigin
    notes: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """sha256 over names, scale, origin of LR and all bytes of all files; read once.

        Independent of where the files lie, so the same images give the same digest anywhere.
        Raises DatasetError if a file can no longer be read.
        """
        content = [
            self.name,
            self.scale,
            self.lr_origin,
            [(pair.image, _sha256(pair.lr), _sha256(pair.hr)) for pair in self.pairs],
            *sorted({pair.crop for pair in self.pairs} - {"multiple"}),  # told where it is used
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def read_lr(pair: ImagePair, *, scale: int) -> NDArray[np.uint8]:
    """The LR image, h x w x 3 RGB; made from HR by our MATLAB bicubic where there is no file.

    Raises DatasetError for a file whose pixels are damaged or whose size has changed.
    """
    if pair.lr is not None:
        return _sized(pair.lr, _pixels(pair.lr), pair.lr_size, pair.crop)
    return downscale(read_hr(pair, scale=scale), scale)


def read_hr(pair: ImagePair, *, scale: int) -> NDArray[np.uint8]:
    """The HR image, H x W x 3 RGB, its top left part of exactly `scale` times the LR's size.

    Raises DatasetError for a file whose pixels are damaged or whose size has changed, ValueError
    for a pair without HR.
    """
    if pair.hr is None:
        raise ValueError(f"{pair.image}: the pair has no HR image; read LR alone")
    height, width = pair.lr_size
    image = crop_to_multiple(_pixels(pair.hr), scale)
    return _sized(pair.hr, image, (height * scale, width * scale), pair.crop)


def _pixels(path: Path) -> NDArray[np.uint8]:
    try:
        return read_image(path)
    except ImageFileError as error:
        raise DatasetError(path.name, [f"{path} {error}"], remedy=REMEDY) from error


def _sized(
    path: Path, image: NDArray[np.uint8], size: tuple[int, int], crop: CropRule
) -> NDArray[np.uint8]:
    """The top left part of an image, which is all of it unless both are cut to what they share."""
    part = np.ascontiguousarray(image[: size[0], : size[1]])
    if part.shape[:2] == size and (crop == "common" or image.shape[:2] == size):
        return part
    fault = f"{path} has changed since the dataset was checked: expected {size}, got "
    raise DatasetError(path.name, [f"{fault}{image.shape[:2]}"], remedy=REMEDY)


def _sha256(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        fault = f"{path} cannot be read: {error.strerror}"
        raise DatasetError(path.name, [fault], remedy=REMEDY) from error
