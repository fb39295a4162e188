"""Whether an entry is as good on images that nobody can have stored as where it was scored.

Parts of the truths are met twice: in the scored outputs, and in the outputs of mosaics
(`harness.audits.mosaics`). What bicubic makes of a part is taken off from both, so that the part's
content matters little, and a network is held against itself.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from harness.audits import thresholds
from harness.core.audit import Audit
from harness.quality.psnr import PEAK


@dataclass(frozen=True)
class PartErrors:
    """Mean squared errors of one part, in grey levels: of the entry, and of bicubic enlargement.

    `claimed` where it was scored, `anew` in a mosaic.
    """

    image: tuple[str, str]  # dataset and image
    claimed: float
    anew: float
    bicubic_claimed: float
    bicubic_anew: float

    @property
    def lost_db(self) -> float:
        """What is missing in the mosaic of the gain over bicubic that was claimed."""
        claimed = _db(self.claimed) - _db(self.bicubic_claimed)
        return claimed - _db(self.anew) + _db(self.bicubic_anew)


def scores(parts: Sequence[PartErrors]) -> Audit | None:
    """The mean over all parts, and each image by itself; None where there were none."""
    if not parts:
        return None
    lost_db = fmean(part.lost_db for part in parts)
    claimed_db = fmean(_db(part.claimed) for part in parts)
    evidence = (
        f"{claimed_db:.2f} dB claimed on {len(parts)} parts of images, "
        f"{claimed_db - lost_db:.2f} dB where the same parts can't have been stored"
    )
    if lost_db > _bound(len(parts), thresholds.LOST_SPREAD_DB):
        return Audit("scores", "suspect", evidence)
    odd = [
        f"{image} alone {_mean_db(own):.2f} dB less"
        for (_, image), own in _by_image(parts).items()
        if _mean_db(own) > _bound(len(own), thresholds.LOST_OF_ONE_DB)
    ]
    if odd:
        return Audit("scores", "suspect", f"{evidence}; {', '.join(odd[:3])}")
    return Audit("scores", "ok", evidence)


def doubtful(parts: Sequence[PartErrors]) -> bool:
    """Whether more mosaics are worth their time."""
    if not parts:
        return False
    alone_db = thresholds.LOST_OF_ONE_DB / 2
    return fmean(part.lost_db for part in parts) > thresholds.LOST_DB or any(
        part.lost_db > alone_db for part in parts
    )


def _by_image(parts: Sequence[PartErrors]) -> dict[tuple[str, str], list[PartErrors]]:
    found = defaultdict(list)
    for part in parts:
        found[part.image].append(part)
    return found


def _mean_db(parts: Sequence[PartErrors]) -> float:
    return fmean(part.lost_db for part in parts)


def _bound(number: int, spread_db: float) -> float:
    """What the mean of so many honest parts does not lose."""
    return thresholds.LOST_DB + spread_db / math.sqrt(number)


def _db(error: float) -> float:
    return 10 * math.log10(PEAK**2 / (error + thresholds.ROUNDING))
