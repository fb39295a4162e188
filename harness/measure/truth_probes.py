"""What a run's truths tell: of mosaics made of them, and of fresh versions of scored images."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle, islice
from typing import Protocol

import numpy as np

from harness.audits import mosaics, thresholds
from harness.audits.fresh_images import FLIPS, UNFLIPPED, Draw, Flip, Fresh, flipped
from harness.audits.mosaics import Part, Source
from harness.audits.scores import FreshErrors, InDoubt, PartErrors
from harness.measure.session import LrImage
from harness.quality.bicubic import upscale
from harness.quality.colour import ColourSpace
from harness.quality.pixels import Uint8
from harness.quality.psnr import squared_error


class Truths(Protocol):
    """The truths of a run, which the trusted side alone has."""

    @property
    def colour(self) -> ColourSpace:
        """The colours that scores are taken in."""

    def knows(self, image: LrImage) -> bool:
        """Whether the image has a truth."""

    def by_bicubic(self, image: LrImage) -> bool:
        """Whether MATLAB's bicubic makes images of its dataset of their truths."""

    def hr(self, image: LrImage) -> Uint8:
        """The truth, of exactly `scale` times the image's size."""


@dataclass(frozen=True, eq=False)
class _Plan:
    like: LrImage  # of whose size
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class _Mosaic:
    parts: tuple[Part, ...]
    lr: Uint8
    hr: Uint8


class MosaicProbe:
    """What `scores` judges of one process. Nothing is shown where no image has a truth."""

    def __init__(
        self,
        images: tuple[LrImage, ...],
        truths: Truths,
        draw: Draw,
        like: tuple[LrImage, ...],
        scale: int,
    ) -> None:
        """Draw mosaics of the sizes of `like`, in turn: sizes that the entry was made for."""
        self._truths, self._scale, self._draw = truths, scale, draw
        known = tuple(it for it in images if truths.knows(it))
        self._images = draw.some(known, thresholds.MOSAIC_SOURCES)  # whose pixels are held
        self._sources = tuple(Source(it.pixels, truths.by_bicubic(it)) for it in self._images)
        plans = (
            _Plan(it, mosaics.drawn(draw, self._sources, it.size, scale))
            for it in islice(cycle(like), thresholds.PAIRS + thresholds.MORE_PAIRS)
        )
        self._plans = [plan for plan in plans if plan.parts]
        self._left = [*self._plans]  # those that were not shown
        self._scored: dict[Part, Uint8] = {}  # what scored outputs have of each part
        self._shown: list[_Mosaic] = []
        self._outputs: list[Uint8] = []
        self._found: list[tuple[PartErrors, ...]] = []  # of each mosaic

    def scored(self, image: LrImage, output: Uint8) -> None:
        """Keep what mosaics will hold of a scored output."""
        for part in (part for plan in self._plans for part in plan.parts):
            if self._images[part.source] is image:
                cut = part.in_source(output, self._scale, thresholds.SEAM)
                self._scored[part] = np.ascontiguousarray(cut)

    def until(self, number: int) -> list[LrImage]:
        """Mosaics until so many were made; fewer where so many were not drawn."""
        return [self._made(plan) for plan in self._left[: max(number - len(self._shown), 0)]]

    def another(self, doubt: InDoubt) -> LrImage | None:
        """One more mosaic, with a part of an image in doubt if not all are; None if none is left.

        Each part has to be scored.
        """
        for plan in self._left:
            images = {self._images[part.source].key for part in plan.parts}
            if doubt.of_all or images & {*doubt.images}:
                return self._made(plan)
        return None

    def begins_like(self, image: LrImage) -> bool:
        """Whether the first can be judged, was not made yet, and has that image's size."""
        return not self._shown and any(
            it.like.size == image.size and self._scored.keys() >= {*it.parts}
            for it in self._plans[:1]
        )

    @property
    def waits(self) -> bool:
        """Whether one was made whose output is not there yet."""
        return len(self._outputs) < len(self._shown)

    def answered(self, output: Uint8) -> None:
        """The output of the next of the mosaics that were made."""
        self._outputs.append(output)

    def errors(self) -> tuple[PartErrors, ...]:
        """Of all parts shown, once every image was scored."""
        done = len(self._found)
        for mosaic, output in zip(self._shown[done:], self._outputs[done:], strict=True):
            bicubic = upscale(mosaic.lr, self._scale)
            errors = (self._errors(part, mosaic, output, bicubic) for part in mosaic.parts)
            self._found.append(tuple(errors))
        return tuple(it for found in self._found for it in found)

    def _made(self, plan: _Plan) -> LrImage:
        lr, hr = mosaics.made(plan.parts, self._sources, self._truth, self._scale)
        self._shown.append(_Mosaic(plan.parts, lr, hr))
        self._left.remove(plan)
        # a table of patches as they are holds those of parts, too
        shown = self._draw.changed(lr, thresholds.FRESH_SHARE_CHANGED)
        return plan.like.showing(shown)

    def _truth(self, number: int) -> Uint8:
        return self._truths.hr(self._images[number])

    def _errors(self, part: Part, mosaic: _Mosaic, output: Uint8, bicubic: Uint8) -> PartErrors:
        truth, anew, floor = (
            part.in_mosaic(it, self._scale, thresholds.SEAM) for it in (mosaic.hr, output, bicubic)
        )
        image = self._images[part.source]
        in_source = flipped(truth, part.flip)
        first_floor = part.bicubic(image.pixels, self._scale, thresholds.SEAM)
        return PartErrors(
            (image.dataset, image.image),
            claimed=_error(self._truths.colour, self._scored[part], in_source),
            anew=_error(self._truths.colour, anew, truth),
            bicubic_claimed=_error(self._truths.colour, first_floor, in_source),
            bicubic_anew=_error(self._truths.colour, floor, truth),
            scale=self._scale,
            side=min(part.height, part.width),
        )


def flips(truths: Truths | None, image: LrImage) -> tuple[Flip, ...]:
    """How an image may be turned: where bicubic did not make it, a direction is part of it."""
    known = truths is not None and truths.knows(image)
    return (UNFLIPPED,) if known and truths and not truths.by_bicubic(image) else FLIPS


def fresh_errors(
    truths: Truths, image: LrImage, scored: Uint8, fresh: Fresh, output: Uint8
) -> FreshErrors | None:
    """Of the scored output, and of that of a fresh version; None where too little is comparable."""
    scale, margin = scored.shape[0] // image.pixels.shape[0], thresholds.DETAIL_MARGIN
    if fresh.inner_share(margin) < thresholds.DETAIL_AREA:
        return None
    truth, claimed, anew = (
        fresh.inner(it, margin) for it in (truths.hr(image), scored, fresh.back(output, scale))
    )
    return FreshErrors(
        (image.dataset, image.image),
        claimed=_error(truths.colour, claimed, truth),
        anew=_error(truths.colour, anew, truth),
        scale=scale,
    )


def _error(colour: ColourSpace, one: Uint8, truth: Uint8) -> float:
    """Mean squared error in grey levels, in the colours of the scores."""
    ours, theirs = (colour.samples(np.ascontiguousarray(it)) for it in (one, truth))
    return squared_error(ours, theirs) * colour.step**2 / ours.size
