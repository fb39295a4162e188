"""Whether an entry is as good on images that nobody can have stored as where it was scored.

Truths are met twice: in the scored outputs, and in outputs of other images that were made of them.
Those are mosaics of parts (`harness.audits.mosaics`), where what bicubic makes of a part is taken
off from both, so that its content matters little; and fresh versions of one image
(`harness.audits.fresh_images`), whose every pixel but the ends' is met again. So a network is held
against itself.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev

from harness.audits import thresholds
from harness.audits.thresholds import Bounds
from harness.core.audit import LEVELS, Audit, AuditVerdict
from harness.quality.psnr import PEAK

ImageKey = tuple[str, str]  # dataset and image


@dataclass(frozen=True)
class PartErrors:
    """Mean squared errors of one part, in grey levels: of the entry, and of bicubic enlargement.

    `claimed` where it was scored, `anew` in a mosaic.
    """

    image: ImageKey
    claimed: float
    anew: float
    bicubic_claimed: float
    bicubic_anew: float
    scale: int = thresholds.LARGE_SCALE
    side: int = thresholds.CELL  # LR pixels, the shorter one

    @property
    def lost_db(self) -> float:
        """What is missing in the mosaic of the gain over bicubic that was claimed."""
        claimed = _db(self.claimed + thresholds.PART_ERROR) - _db(self.bicubic_claimed)
        return claimed - _db(self.anew) + _db(self.bicubic_anew)


@dataclass(frozen=True)
class FreshErrors:
    """Mean squared errors of one image, in grey levels, far from ends and cuts.

    `claimed` where it was scored, `anew` in the output of a fresh version, moved back.
    """

    image: ImageKey
    claimed: float
    anew: float
    scale: int

    @property
    def lost_db(self) -> float:
        """What is missing of the claimed PSNR."""
        return _db(self.claimed + thresholds.FRESH_ERROR) - _db(self.anew)


Errors = Sequence[PartErrors] | Sequence[FreshErrors]


@dataclass(frozen=True)
class InDoubt:
    """So much is lost that more is looked at: by `images`, and in the mean of all if `of_all`."""

    images: tuple[ImageKey, ...] = ()
    of_all: bool = False

    def __bool__(self) -> bool:
        return bool(self.images)


def scores(parts: Sequence[PartErrors], fresh: Sequence[FreshErrors] = ()) -> Audit | None:
    """The worse of what parts and fresh versions tell; None where there were none of either."""
    found = [_judged(parts, _of_parts(parts), "parts of images")] if parts else []
    found += [_judged(fresh, _of_fresh(fresh), "fresh versions of images")] if fresh else []
    return max(found, key=lambda audit: LEVELS.index(audit.verdict), default=None)


def doubt_of_parts(parts: Sequence[PartErrors]) -> InDoubt:
    """Whether another mosaic is worth its time."""
    return _of_parts(parts).doubt if parts else InDoubt()


def doubt_of_fresh(fresh: Sequence[FreshErrors]) -> InDoubt:
    """Whether another fresh version is worth its time."""
    return _of_fresh(fresh).doubt if fresh else InDoubt()


def _fresh_bounds(fresh: Sequence[FreshErrors]) -> Bounds:
    """What fresh versions may lose: errors are smaller where less is enlarged."""
    small = any(it.scale < thresholds.LARGE_SCALE for it in fresh)
    return thresholds.LOST_OF_FRESH_SMALL if small else thresholds.LOST_OF_FRESH


def _part_bounds(parts: Sequence[PartErrors]) -> Bounds:
    """What parts may lose: more of small ones at small scales, whose surroundings reach far in."""
    bounds = thresholds.LOST_OF_PARTS
    sides = [it.side for it in parts if it.scale < thresholds.LARGE_SCALE]
    grown = max(thresholds.CELL / min(sides, default=thresholds.CELL), 1.0) ** 2
    return replace(bounds, mean_db=bounds.mean_db * grown)


@dataclass(frozen=True)
class _Mean:
    """A mean loss in dB, of so many; what it may be, and from which on it is in doubt."""

    of: int
    mean_db: float
    most_db: float
    doubt_db: float

    @property
    def doubtful(self) -> bool:
        """Whether more should be looked at."""
        return self.mean_db > self.doubt_db


@dataclass(frozen=True)
class _Lost:
    """What is lost in the mean of all, and of each image, which are judged from `least` on."""

    whole: _Mean
    by_image: Mapping[ImageKey, _Mean]
    least: int = 1

    @property
    def alone(self) -> dict[ImageKey, float]:
        """What images lose that lose too much by themselves."""
        judged = {name: it for name, it in self.by_image.items() if it.of >= self.least}
        return {name: it.mean_db for name, it in judged.items() if it.mean_db > it.most_db}

    @property
    def doubt(self) -> InDoubt:
        """In the mean, and in what makes it so; and in images by themselves."""
        whole = self.whole
        images = (
            name
            for name, it in self.by_image.items()
            if it.doubtful or (whole.doubtful and it.mean_db > whole.doubt_db)
        )
        return InDoubt(tuple(images), whole.doubtful)


def _of_parts(parts: Sequence[PartErrors]) -> _Lost:
    """The mean over all, and that of each image; parts are judged where an image has several.

    In another phase fine stripes alias otherwise: some parts lose much and others of the image
    nothing, so that parts which differ allow for more.
    """
    bounds = _part_bounds(parts)
    of_all = (bounds.mean_db, bounds.spread_db, thresholds.OF_PARTS)
    of_one = (bounds.mean_db, bounds.of_one_db, thresholds.OF_PARTS_OF_ONE)
    by_image = {image: _mean(own, *of_one) for image, own in _by_image(parts).items()}
    whole = _mean([it.lost_db for it in parts], *of_all)
    return _Lost(replace(whole, doubt_db=bounds.mean_db), by_image, least=2)


def _of_fresh(fresh: Sequence[FreshErrors]) -> _Lost:
    """The mean over images, each the mean of its versions: what one loses lies in its content.

    Stripes lose much and the rest nothing, so that images which differ allow for more.
    """
    bounds = _fresh_bounds(fresh)
    by_image = {
        image: _Mean(len(own), fmean(own), bounds.of_one_db, bounds.of_one_db / 2)
        for image, own in _by_image(fresh).items()
    }
    whole = next(iter(by_image.values()))
    if len(by_image) > 1:
        spread = (bounds.mean_db, bounds.spread_db, thresholds.DEVIATIONS)
        whole = _mean([it.mean_db for it in by_image.values()], *spread)
    return _Lost(replace(whole, doubt_db=whole.most_db / 2), by_image)


def _judged(errors: Errors, found: _Lost, what: str) -> Audit:
    claimed_db = fmean(_db(it.claimed) for it in errors)
    evidence = (
        f"{claimed_db:.2f} dB claimed on {len(errors)} {what}, "
        f"{claimed_db - found.whole.mean_db:.2f} dB where the same can't have been stored"
    )
    over_db = found.whole.mean_db - found.whole.most_db
    if over_db > 0.0:
        level: AuditVerdict = "rejected" if over_db > thresholds.LOST_REJECTED_DB else "suspect"
        return Audit("scores", level, evidence)
    if alone := found.alone:
        odd = [f"{name} alone {own_db:.2f} dB less" for (_, name), own_db in alone.items()]
        return Audit("scores", "suspect", f"{evidence}; {', '.join(odd[:3])}")
    return Audit("scores", "ok", evidence)


def _by_image(errors: Errors) -> dict[ImageKey, list[float]]:
    found = defaultdict(list)
    for it in errors:
        found[it.image].append(it.lost_db)
    return found


def _mean(lost: Sequence[float], mean_db: float, spread_db: float, deviations: float) -> _Mean:
    """The mean, and what it may be: the losses' own spread counts where it is the larger one.

    Half of the spread is a doubt.
    """
    own_db = deviations * stdev(lost) if len(lost) > 1 else 0.0
    beyond_db = max(spread_db, own_db) / math.sqrt(len(lost))
    return _Mean(len(lost), fmean(lost), mean_db + beyond_db, beyond_db / 2)


def _db(error: float) -> float:
    return 10 * math.log10(PEAK**2 / (error + thresholds.ROUNDING))
