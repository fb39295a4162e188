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
    found = [_of_parts(parts)] if parts else []
    found += [_of_fresh(fresh)] if fresh else []
    return max(found, key=lambda audit: LEVELS.index(audit.verdict), default=None)


def fresh_bounds(fresh: Sequence[FreshErrors]) -> Bounds:
    """What fresh versions may lose: errors are smaller where less is enlarged."""
    small = any(it.scale < thresholds.LARGE_SCALE for it in fresh)
    return thresholds.LOST_OF_FRESH_SMALL if small else thresholds.LOST_OF_FRESH


def part_bounds(parts: Sequence[PartErrors]) -> Bounds:
    """What parts may lose: more of small ones at small scales, whose surroundings reach far in."""
    bounds = thresholds.LOST_OF_PARTS
    sides = [it.side for it in parts if it.scale < thresholds.LARGE_SCALE]
    grown = max(thresholds.CELL / min(sides, default=thresholds.CELL), 1.0) ** 2
    return replace(bounds, mean_db=bounds.mean_db * grown)


def _of_parts(parts: Sequence[PartErrors]) -> Audit:
    """The mean over all, and that of each image of which there are several.

    In another phase fine stripes alias otherwise: some parts lose much and others of the image
    nothing, so that parts which differ allow for more.
    """
    bounds, lost = part_bounds(parts), [it.lost_db for it in parts]
    over_db = fmean(lost) - _most_db(lost, bounds.mean_db, bounds.spread_db, thresholds.OF_PARTS)
    by_image = {name: [it.lost_db for it in own] for name, own in _by_image(parts).items()}
    of_one = (bounds.mean_db, bounds.of_one_db, thresholds.OF_PARTS_OF_ONE)
    alone_db = {
        name: fmean(own)
        for name, own in by_image.items()
        if len(own) > 1 and fmean(own) > _most_db(own, *of_one)
    }
    return _judged(parts, "parts of images", fmean(lost), over_db, alone_db)


def _of_fresh(fresh: Sequence[FreshErrors]) -> Audit:
    """The mean over images, each the mean of its versions: what one loses lies in its content.

    Stripes lose much and the rest nothing, so that images which differ allow for more.
    """
    bounds = fresh_bounds(fresh)
    lost = {image: _mean_db(own) for image, own in _by_image(fresh).items()}
    lost_db = fmean(lost.values())
    most_db = bounds.of_one_db
    if len(lost) > 1:
        spread = (bounds.mean_db, bounds.spread_db, thresholds.DEVIATIONS)
        most_db = _most_db([*lost.values()], *spread)
    alone_db = {image: own_db for image, own_db in lost.items() if own_db > bounds.of_one_db}
    return _judged(fresh, "fresh versions of images", lost_db, lost_db - most_db, alone_db)


def _judged(
    errors: Errors, what: str, lost_db: float, over_db: float, alone_db: Mapping[ImageKey, float]
) -> Audit:
    claimed_db = fmean(_db(it.claimed) for it in errors)
    evidence = (
        f"{claimed_db:.2f} dB claimed on {len(errors)} {what}, "
        f"{claimed_db - lost_db:.2f} dB where the same can't have been stored"
    )
    if over_db > 0.0:
        level: AuditVerdict = "rejected" if over_db > thresholds.LOST_REJECTED_DB else "suspect"
        return Audit("scores", level, evidence)
    if alone_db:
        odd = [f"{name} alone {own_db:.2f} dB less" for (_, name), own_db in alone_db.items()]
        return Audit("scores", "suspect", f"{evidence}; {', '.join(odd[:3])}")
    return Audit("scores", "ok", evidence)


def doubtful(errors: Errors, bounds: Bounds) -> bool:
    """Whether more mosaics, or fresh versions, are worth their time."""
    return bool(errors) and (
        _mean_db(errors) > bounds.mean_db or any(it.lost_db > bounds.of_one_db / 2 for it in errors)
    )


def _by_image(errors: Errors) -> dict[ImageKey, list[PartErrors | FreshErrors]]:
    found = defaultdict(list)
    for it in errors:
        found[it.image].append(it)
    return found


def _most_db(lost: Sequence[float], mean_db: float, spread_db: float, deviations: float) -> float:
    """What may be lost in the mean: the losses' own spread counts where it is the larger one."""
    own_db = deviations * stdev(lost) if len(lost) > 1 else 0.0
    return mean_db + max(spread_db, own_db) / math.sqrt(len(lost))


def _mean_db(errors: Sequence[PartErrors | FreshErrors]) -> float:
    return fmean(it.lost_db for it in errors)


def _db(error: float) -> float:
    return 10 * math.log10(PEAK**2 / (error + thresholds.ROUNDING))
