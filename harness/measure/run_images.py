"""The images of a run: LR for the workers, truths for the judge, decoded as they are asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from harness.core.challenge import Challenge
from harness.core.record import ImageScore
from harness.datasets.dataset import Dataset, ImagePair, read_hr, read_lr
from harness.datasets.image_cache import ImageCache
from harness.machine import environment as machine
from harness.measure.session import LrImage
from harness.measure.worker_group import concurrently
from harness.pictures.keeper import Keeper, KeptImage, PictureFolder, chosen, kept_image
from harness.pictures.wishes import Extent
from harness.quality.bicubic import downscale, upscale
from harness.quality.pixels import Uint8, pixel_digest
from harness.quality.profile import PROFILES
from harness.quality.score import prepare, score_prepared

ROUNDED = 1  # grey level, by which another program's bicubic may differ from ours
BORDER = 4  # LR pixels, which depend on what is thought to lie beyond the image


class FiledImage(LrImage):
    """An LR image whose pixels are decoded when they are asked for, and held for a while."""

    _size: tuple[int, int]
    _read: Callable[[], Uint8]

    def __init__(self, dataset: str, pair: ImagePair, read: Callable[[], Uint8]) -> None:
        for name, value in (("dataset", dataset), ("image", pair.image)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_size", pair.lr_size)
        object.__setattr__(self, "_read", read)

    @property
    def pixels(self) -> Uint8:
        """Not to be written to."""
        return self._read()

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels, as the file's header told them."""
        return self._size


@dataclass(frozen=True)
class RunImages:
    """Every image that the challenge could find here."""

    lr: tuple[LrImage, ...]
    pairs: tuple[
        tuple[str, ImagePair], ...
    ]  # dataset's name, pair; as many as `lr`, the same order
    digest: str  # of all of it
    notes: tuple[str, ...]


def gather(challenge: Challenge, found: tuple[Dataset, ...], notes: tuple[str, ...]) -> RunImages:
    """The images of `found`. DatasetError names one that can't be read."""
    unread = {it.name for it in challenge.datasets if it.truth and not challenge.show_floor}
    pairs = tuple((it.name, pair) for it in found for pair in it.pairs)
    cache = ImageCache()

    def filed(number: int) -> LrImage:
        name, pair = pairs[number]
        read = partial(read_lr, pair, scale=challenge.scale)
        cache.get(number, read)  # a damaged one is told before anything is measured
        if name in unread:  # as the floor, whose scores come first, tells other truths
            read_hr(pair, scale=challenge.scale)
        return FiledImage(name, pair, partial(cache.get, number, read))

    lr = tuple(concurrently(filed, range(len(pairs)), workers=machine.usable_cores()))
    digest = hashlib.sha256("".join(it.digest for it in found).encode()).hexdigest()
    said = tuple(f"{it.name}: {note}" for it in found for note in it.notes)
    return RunImages(lr, pairs, digest, notes + said)


def keeper_of(
    extents: Mapping[str, Extent], challenge: Challenge, material: RunImages, folder: PictureFolder
) -> Keeper:
    """Make the folder ready for outputs of those images of each data set.

    LR is kept of all of them, truth where it may be shown. WriteError where the disk refuses.
    """
    shown = {use.name for use in challenge.datasets if use.shown}
    found: list[KeptImage] = []
    for dataset, extent in extents.items():
        its = [it for it in zip(material.lr, material.pairs, strict=True) if it[1][0] == dataset]
        for image, (_name, pair) in its[: chosen(extent, len(its))]:
            found.append(
                kept_image(
                    folder,
                    (dataset, image.image),
                    lr=image.pixels,
                    hr=read_hr(pair, scale=challenge.scale) if dataset in shown else None,
                    crops=extent == "crops",
                    scale=challenge.scale,
                )
            )
    folder.enter(found)
    return Keeper(folder, {it.key: it for it in found})


class Scorer:
    """Scores outputs against truths, of which as many stay decoded as a bound of memory lets.

    Several threads may score at once.
    """

    def __init__(self, challenge: Challenge, material: RunImages) -> None:
        truth = {use.name for use in challenge.datasets if use.truth}
        self._profile, self._scale = PROFILES[challenge.quality_profile], challenge.scale
        self.colour = self._profile.colour
        self._pairs = {(name, it.image): it for name, it in material.pairs if name in truth}
        self._by_bicubic: dict[str, bool] = {}  # datasets
        self._truths = ImageCache()

    def __call__(self, image: LrImage, output: Uint8) -> ImageScore:
        """PSNR, SSIM and digest of one output."""
        digest = pixel_digest(output)
        if not self.knows(image):
            return ImageScore(image.dataset, image.image, digest)
        truth = prepare(self.hr(image), profile=self._profile, scale=self._scale)
        figures = score_prepared(output, truth).finite()
        return ImageScore(image.dataset, image.image, digest, **figures)

    def knows(self, image: LrImage) -> bool:
        """Whether the image has a truth."""
        return (image.dataset, image.image) in self._pairs

    def hr(self, image: LrImage) -> Uint8:
        """The truth, which is not to be written to."""
        key = image.dataset, image.image
        return self._truths.get(key, lambda: read_hr(self._pairs[key], scale=self._scale))

    def by_bicubic(self, image: LrImage) -> bool:
        """Whether our bicubic makes images of its dataset of their truths, as one of them tells."""
        if image.dataset not in self._by_bicubic:
            apart = downscale(self.hr(image), self._scale).astype(np.int16) - image.pixels
            inside = np.abs(apart[BORDER:-BORDER, BORDER:-BORDER])
            self._by_bicubic[image.dataset] = bool(inside.max(initial=0) <= ROUNDED)
        return self._by_bicubic[image.dataset]

    @property
    def has_truth(self) -> bool:
        """Whether there is anything to score against."""
        return bool(self._pairs)


def again(judge: Scorer, scored: tuple[ImageScore, ...]) -> Callable[[LrImage, Uint8], ImageScore]:
    """A judge for a later round: an output equal to the first round's keeps its score."""
    known = {(score.dataset, score.image): score for score in scored}

    def judged(image: LrImage, output: Uint8) -> ImageScore:
        first = known.get((image.dataset, image.image))
        if first is not None and first.digest == pixel_digest(output):
            return first
        return judge(image, output)

    return judged


def keeping(
    judge: Callable[[LrImage, Uint8], ImageScore], keeper: Keeper
) -> Callable[[LrImage, Uint8], ImageScore]:
    """A judge that keeps the picture of what it has scored, if it is asked for."""

    def judged(image: LrImage, output: Uint8) -> ImageScore:
        score = judge(image, output)
        keeper.keep(score, output)
        return score

    return judged


def floor(challenge: Challenge, material: RunImages, judge: Scorer) -> tuple[ImageScore, ...]:
    """The scores of MATLAB bicubic upscaling, the floor that a network must beat; on all cores."""

    def scored(image: LrImage) -> ImageScore:
        return judge(image, upscale(image.pixels, challenge.scale))

    return tuple(concurrently(scored, material.lr, workers=machine.usable_cores()))
