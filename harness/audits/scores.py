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


def scores(parts: Sequence[PartErrors], fresh: Sequence[FreshErrors] = ()) -> Audit | None:
    """The worse of what parts and fresh versions tell; None where there were none of either."""
    found = [_judged(parts, _of_parts(parts), "parts of images")] if parts else []
    found += [_judged(fresh, _of_fresh(fresh), "fresh versions of images")] if fresh else []
    return max(found, key=lambda audit: LEVELS.index(audit.verdict), default=None)


def doubtful_parts(parts: Sequence[PartErrors]) -> bool:
    """Whether more mosaics are worth their time: what parts scatter by makes them more so."""
    lost, bounds = [it.lost_db for it in parts], _part_bounds(parts)
    return bool(parts) and (fmean(lost) > bounds.mean_db or max(lost) > bounds.of_one_db / 2)


def doubtful_fresh(fresh: Sequence[FreshErrors]) -> bool:
    """Whether more fresh versions are worth their time: half of what may be lost is lost."""
    if not fresh:
        return False
    found, of_one_db = _of_fresh(fresh), _fresh_bounds(fresh).of_one_db
    return found.mean_db > found.most_db / 2 or max(found.by_image.values()) > of_one_db / 2


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
class _Lost:
    """In dB: the mean, and what it may be; and of images the mean, and those that lose too much."""

    mean_db: float
    most_db: float
    by_image: Mapping[ImageKey, float]
    alone: Mapping[ImageKey, float]


def _of_parts(parts: Sequence[PartErrors]) -> _Lost:
    """The mean over all, and that of each image of which there are several.

    In another phase fine stripes alias otherwise: some parts lose much and others of the image
    nothing, so that parts which differ allow for more.
    """
    bounds, lost = _part_bounds(parts), [it.lost_db for it in parts]
    most_db = _most_db(lost, bounds.mean_db, bounds.spread_db, thresholds.OF_PARTS)
    by_image = {image: [it.lost_db for it in own] for image, own in _by_image(parts).items()}
    of_one = (bounds.mean_db, bounds.of_one_db, thresholds.OF_PARTS_OF_ONE)
    means = {image: fmean(own) for image, own in by_image.items()}
    alone = {
        image: mean_db
        for image, mean_db in means.items()
        if len(by_image[image]) > 1 and mean_db > _most_db(by_image[image], *of_one)
    }
    return _Lost(fmean(lost), most_db, means, alone)


def _of_fresh(fresh: Sequence[FreshErrors]) -> _Lost:
    """The mean over images, each the mean of its versions: what one loses lies in its content.

    Stripes lose much and the rest nothing, so that images which differ allow for more.
    """
    bounds = _fresh_bounds(fresh)
    means = {image: fmean(it.lost_db for it in own) for image, own in _by_image(fresh).items()}
    most_db = bounds.of_one_db
    if len(means) > 1:
        spread = (bounds.mean_db, bounds.spread_db, thresholds.DEVIATIONS)
        most_db = _most_db([*means.values()], *spread)
    alone = {image: mean_db for image, mean_db in means.items() if mean_db > bounds.of_one_db}
    return _Lost(fmean(means.values()), most_db, means, alone)


def _judged(errors: Errors, found: _Lost, what: str) -> Audit:
    claimed_db = fmean(_db(it.claimed) for it in errors)
    evidence = (
        f"{claimed_db:.2f} dB claimed on {len(errors)} {what}, "
        f"{claimed_db - found.mean_db:.2f} dB where the same can't have been stored"
    )
    over_db = found.mean_db - found.most_db
    if over_db > 0.0:
        level: AuditVerdict = "rejected" if over_db > thresholds.LOST_REJECTED_DB else "suspect"
        return Audit("scores", level, evidence)
    if found.alone:
        odd = [f"{name} alone {own_db:.2f} dB less" for (_, name), own_db in found.alone.items()]
        return Audit("scores", "suspect", f"{evidence}; {', '.join(odd[:3])}")
    return Audit("scores", "ok", evidence)


def _by_image(errors: Errors) -> dict[ImageKey, list[PartErrors | FreshErrors]]:
    found = defaultdict(list)
    for it in errors:
        found[it.image].append(it)
    return found


def _most_db(lost: Sequence[float], mean_db: float, spread_db: float, deviations: float) -> float:
    """What may be lost in the mean: the losses' own spread counts where it is the larger one."""
    own_db = deviations * stdev(lost) if len(lost) > 1 else 0.0
    return mean_db + max(spread_db, own_db) / math.sqrt(len(lost))


def _db(error: float) -> float:
    return 10 * math.log10(PEAK**2 / (error + thresholds.ROUNDING))
