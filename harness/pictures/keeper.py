"""Pictures of a run: PNG files beside its records, each named by what it shows.

A file's name is the digest of the whole image's pixels, which an `ImageScore` has as well, and the
part of it that is there. So no record tells of pictures, and an output that two entries share lies
there once. `images.json` says of which images LR, truth and which parts are kept.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from pydantic import ValidationError

from harness.core.outcome import BadInput
from harness.core.record import ImageScore
from harness.core.submission import SCALES
from harness.core.values import refuse, value
from harness.datasets.png import pixels
from harness.documents import atomic, plain_file
from harness.documents.typed import adapter
from harness.pictures.boxes import Region, error_map, hardest, whole
from harness.pictures.wishes import Extent
from harness.quality.bicubic import upscale
from harness.quality.pixels import Uint8, pixel_digest

CROPS = 2  # of an image of which crops alone are kept
INDEX = "images.json"
_MOST_INDEX = 100_000_000  # bytes
_MOST_BYTES = 4  # of a PNG file for each pixel: three, where nothing could be packed
_OTHER_BYTES = 100_000  # of its headers
FOLDER = "pictures"  # beside the records
# OpenCV's fastest settings that don't waste room: 0.12 s and 0.7 bytes a pixel for photographs
_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE)


@value
class KeptImage:
    """An image whose outputs are kept: all of them, or the boxes alone."""

    dataset: str
    image: str
    scale: int
    height: int  # of the LR image
    width: int
    lr: str  # digest of its pixels; LR is kept whole
    hr: str  # digest of the truth, "" where none is kept
    boxes: tuple[Region, ...]

    def __post_init__(self) -> None:
        if self.scale not in SCALES or min(self.height, self.width) < 1:
            raise ValueError(f"no image has {self.width}x{self.height} pixels at x{self.scale}")
        sr = Region(0, 0, self.width * self.scale, self.height * self.scale)
        refuse(f"{box} does not lie within the image" for box in self.boxes if not sr.holds(box))

    @property
    def key(self) -> tuple[str, str]:
        """Data set and image."""
        return self.dataset, self.image


_INDEX = adapter(tuple[KeptImage, ...])


@dataclass(frozen=True)
class PictureFolder:
    """Where pictures lie."""

    path: Path

    def index(self) -> dict[tuple[str, str], KeptImage]:
        """What is kept, by data set and image; nothing where no run kept any.

        BadInput for an index that can't be read.
        """
        try:
            kept = _INDEX.validate_json(
                plain_file.read(self.path / INDEX, _MOST_INDEX), strict=True
            )
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError):
            raise BadInput(
                f"{self.path / INDEX} can't be read: remove {self.path}, and run again with "
                "--keep-images"
            ) from None
        return {it.key: it for it in kept}

    def enter(self, kept: Iterable[KeptImage]) -> None:
        """Add to the index; of an image that is there, what is said last counts."""
        known = self.index() | {it.key: it for it in kept}
        atomic.write(self.path / INDEX, _INDEX.dump_json(tuple(known.values()), indent=1))

    def has(self, digest: str, box: Region) -> bool:
        """Whether that part of the image is there."""
        return _is_digest(digest) and self.file(digest, box).is_file()

    def write(self, digest: str, box: Region, image: Uint8) -> None:
        """Keep a part of an image, H x W x 3 RGB, unless it is there.

        The file is whole or not there, even if the process is killed. WriteError where the disk
        refuses.
        """
        if not self.has(digest, box):
            atomic.write(self.file(digest, box), png(box.cut(image)))

    def read(self, digest: str, box: Region) -> Uint8 | None:
        """A part of an image, of the box's size; None where it is not there or damaged.

        It is cut from a larger part where there is one.
        """
        if not _is_digest(digest):
            return None
        for path in (self.file(digest, box), *sorted(self.path.glob(f"{digest}_*.png"))):
            held = _box_of(path)
            if held is not None and held.holds(box):
                try:
                    return box.within(held).cut(_decoded(path, held))
                except (OSError, ValueError):  # damaged, or of another size than its name says
                    continue
        return None

    def sweep(self, withheld: Collection[str] = ()) -> None:
        """Remove what a process that was killed left half written, and truths that are hidden now.

        Those of the `withheld` data sets, which an earlier run may have shown. BadInput for an
        index that can't be read.
        """
        for path in self.path.glob(atomic.LEFTOVERS):
            path.unlink(missing_ok=True)
        known = self.index().values() if withheld else ()
        told = [it for it in known if it.hr and it.dataset in withheld]
        for kept in told:
            for path in self.path.glob(f"{kept.hr}_*.png") if _is_digest(kept.hr) else ():
                path.unlink(missing_ok=True)
        if told:
            self.enter(replace(it, hr="") for it in told)

    def file(self, digest: str, box: Region) -> Path:
        """Where a part of an image lies. ValueError for what is no digest of pixels."""
        if not _is_digest(digest):
            raise ValueError(f"{digest!r:.80} is no digest of pixels")
        return self.path / f"{digest}_{box.x}_{box.y}_{box.width}_{box.height}.png"


@dataclass(frozen=True)
class Keeper:
    """Keeps outputs of the images that were asked for."""

    folder: PictureFolder
    images: Mapping[tuple[str, str], KeptImage]

    def keep(self, score: ImageScore, output: Uint8) -> None:
        """Keep an output that was scored, if its image is one of those; else do nothing."""
        kept = self.images.get((score.dataset, score.image))
        for box in kept.boxes if kept else ():
            self.folder.write(score.digest, box, output)

    def missing(self, scores: Iterable[ImageScore]) -> Iterator[ImageScore]:
        """Those of the scored outputs that ought to be there and are not."""
        for score in scores:
            kept = self.images.get((score.dataset, score.image))
            if kept and not all(self.folder.has(score.digest, box) for box in kept.boxes):
                yield score


def kept_image(
    folder: PictureFolder,
    name: tuple[str, str],
    *,
    lr: Uint8,
    hr: Uint8 | None,
    crops: bool,
    scale: int,
) -> KeptImage:
    """Keep LR, and truth where one is given, and say what is to be kept of the image's outputs.

    Crops are where bicubic upscaling errs most, which is known before any model runs.
    """
    boxes: tuple[Region, ...] = (Region(0, 0, lr.shape[1] * scale, lr.shape[0] * scale),)
    if crops and hr is not None:
        boxes = hardest(error_map(upscale(lr, scale), hr), CROPS)
    lr_digest, hr_digest = pixel_digest(lr), "" if hr is None else pixel_digest(hr)
    folder.write(lr_digest, whole(lr), lr)
    if hr is not None:
        for box in boxes:
            folder.write(hr_digest, box, hr)
    height, width = lr.shape[:2]
    return KeptImage(*name, scale, height, width, lr_digest, hr_digest, boxes)


def chosen(extent: Extent, images: int) -> int:
    """How many of a data set's images are kept, from the first one on."""
    return min(extent, images) if isinstance(extent, int) else images


def png(image: Uint8) -> bytes:
    """An image, H x W x 3 RGB, as a PNG file. One thread, and none is left spinning."""
    # the conversion is numpy's: OpenCV's own may use a pool of threads
    good, data = cv2.imencode(".png", np.ascontiguousarray(image[:, :, ::-1]), _PNG)
    if not good:
        raise ValueError(f"{image.shape} pixels can't be written as PNG")
    return bytes(data)


def _is_digest(text: str) -> bool:
    """Whether a file may be named so: records could say anything."""
    return re.fullmatch("[0-9a-f]{32}", text) is not None


def _decoded(path: Path, box: Region) -> Uint8:
    """The pixels of a file; ValueError, before they are decoded, where they don't fill the box."""
    data = plain_file.read(path, _MOST_BYTES * box.width * box.height + _OTHER_BYTES)
    return pixels(data, size=(box.height, box.width))


def _box_of(path: Path) -> Region | None:
    try:
        return Region(*map(int, path.stem.split("_")[1:]))
    except (TypeError, ValueError):
        return None
