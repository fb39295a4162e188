"""Whether an output follows the pixels given: shrunk, flipped back, and changed a little.

A super-resolved image shrunk to the size of its LR image is that image, whatever network made it;
so small changes of the LR image, known to the trusted side alone, must be found in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import numpy.typing as npt

from harness.audits.fresh_images import Fresh
from harness.audits.thresholds import (
    AGAIN_DB,
    DETAIL_ALIKE,
    DETAIL_AREA,
    DETAIL_LEVELS,
    DETAIL_MARGIN,
    FLIPPED_DB,
    LEAST_PIXELS,
    MANY_PIXELS,
    MOST_LEVELS,
    RESEMBLANCE_DB,
    RESPONSE_REJECTED,
    RESPONSE_SUSPECT,
    WARM_UP_RESPONSE,
)
from harness.core.audit import Audit, AuditVerdict
from harness.quality.bicubic import downscale, upscale
from harness.quality.pixels import Floats, Uint8

Doubt = tuple[AuditVerdict, str]
_RESEMBLANCE = "shrunk, the output is {} from the image given"
_AGAIN = "the same image once more: {} from the scored output"
_FLIPPED = "a rolled, flipped and salted image: {} from the scored output"


@dataclass(frozen=True)
class Shown:
    """What was given and what came back: the image itself, and fresh versions of it."""

    lr: Uint8
    sr: Uint8
    again: tuple[Uint8, ...] = ()  # outputs of the image itself, given once more
    fresh: tuple[tuple[Fresh, Uint8], ...] = ()
    warm_up: Uint8 | None = None  # the perturbed image of the warm-up, turned back


def outputs(shown: Shown, scale: int) -> Audit:
    """The worst of what the outputs tell."""
    height, width, _ = shown.lr.shape
    if height * width < LEAST_PIXELS or not shown.lr.std() > 1.0:
        return Audit("outputs", "ok", f"nothing can be told from {height}x{width} such pixels")
    shrunk = downscale(shown.sr, scale).astype(np.float64)
    found = [_alike(shrunk, shown.lr, _RESEMBLANCE, least_db=RESEMBLANCE_DB, level="suspect")]
    found += [
        _alike(shown.sr, output, _AGAIN, least_db=AGAIN_DB, level="suspect")
        for output in shown.again
    ]
    if shown.fresh:
        backs = [(fresh, fresh.back(output, scale)) for fresh, output in shown.fresh]
        found += [
            _alike(shown.sr, back, _FLIPPED, least_db=FLIPPED_DB, level="rejected")
            for _, back in backs
        ]
        found.append(_response(shown.lr, shrunk, backs, scale))
        found += [_detailed(shown.sr, fresh, back, scale) for fresh, back in backs]
    if shown.warm_up is not None:
        found.append(_warmed(shown.lr, shown.warm_up, shrunk))
    return _worst(found)


def psnr_db(one: npt.NDArray[np.generic], other: npt.NDArray[np.generic]) -> float:
    """Of two images, 100 dB at most."""
    error = float(np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2))
    return min(100.0, 20 * math.log10(255) - 10 * math.log10(max(error, 1e-12)))


def _alike(
    one: npt.NDArray[np.generic], other: Uint8, text: str, *, least_db: float, level: AuditVerdict
) -> Doubt:
    """Two images that must be alike by `least_db`, and the `level` where they are not."""
    like_db = psnr_db(one, other)
    return "ok" if like_db >= least_db else level, text.format(f"{like_db:.1f} dB")


def _response(lr: Uint8, shrunk: Floats, backs: Sequence[tuple[Fresh, Uint8]], scale: int) -> Doubt:
    """The least of the fresh images' responses: the share of the perturbation that comes out.

    Of small images their mean, which chance moves less. Seams of a rolled image change more than
    any perturbation does, so that differences are cut off.
    """
    shares = [
        _share(
            np.clip(downscale(back, scale) - shrunk, -MOST_LEVELS, MOST_LEVELS),
            fresh.perturbed.astype(float) - lr,
        )
        for fresh, back in backs
    ]
    share = min(shares) if lr.shape[0] * lr.shape[1] >= MANY_PIXELS else fmean(shares)
    level: AuditVerdict = "ok" if share >= RESPONSE_SUSPECT else "suspect"
    if share < RESPONSE_REJECTED:
        level = "rejected"
    return level, f"of small changes in the image {share:.2f} come out"


def _detailed(scored: Uint8, fresh: Fresh, back: Uint8, scale: int) -> Doubt:
    """Whether both outputs have the same detail: what an image holds beyond its shrunk version.

    A stored image whose coarse part is corrected has another one as soon as it is rolled. Where one
    of the two images ends and the other does not, detail differs by right: that is left out.
    """
    height, width, _ = fresh.perturbed.shape
    rows, columns = (
        np.repeat(_within(size, shift), scale)
        for size, shift in zip((height, width), fresh.shift, strict=True)
    )
    if rows.mean() * columns.mean() < DETAIL_AREA:
        return "ok", "detail: too little of the image to tell"
    one, other = (_detail(it, scale)[rows][:, columns] for it in (scored, back))
    if min(one.std(), other.std()) < DETAIL_LEVELS:
        return "ok", "detail: too little of it to tell"
    spread = float(one.std() * other.std())
    alike = float(((one - one.mean()) * (other - other.mean())).mean()) / spread
    level: AuditVerdict = "ok" if alike >= DETAIL_ALIKE else "suspect"
    return level, f"detail: correlated by {alike:.2f} between them"


def _within(size: int, shift: int) -> npt.NDArray[np.bool_]:
    """Rows or columns that are far from the image's ends and from where it was cut."""
    at = np.arange(size)
    ends = np.minimum(at, size - 1 - at)
    cut = np.abs(at + 0.5 - (size - shift) % size)
    return np.asarray((ends >= DETAIL_MARGIN) & (cut >= DETAIL_MARGIN))


def _detail(image: Uint8, scale: int) -> Floats:
    return image.astype(np.float64) - upscale(downscale(image, scale), scale)


def _warmed(lr: Uint8, warm_up: Uint8, shrunk: Floats) -> Doubt:
    share = _share(shrunk - lr, warm_up.astype(float) - lr)
    level: AuditVerdict = "rejected" if share > WARM_UP_RESPONSE else "ok"
    return level, f"of the small changes that the warm-up's image alone had {share:.2f}"


def _share(difference: Floats, perturbation: Floats) -> float:
    return float((difference * perturbation).sum() / max((perturbation * perturbation).sum(), 1.0))


def _worst(found: Sequence[Doubt]) -> Audit:
    for level in ("rejected", "suspect"):
        told = [text for it, text in found if it == level]
        if told:
            return Audit("outputs", level, "; ".join(dict.fromkeys(told)))
    least = {text.partition(":")[0]: text for _, text in reversed(found)}
    return Audit("outputs", "ok", "; ".join(reversed(least.values())))
