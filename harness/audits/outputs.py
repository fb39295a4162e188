"""Whether an output follows the pixels given: shrunk, flipped back, and changed a little.

A super-resolved image shrunk to the size of its LR image is that image, whatever network made it;
so small changes of the LR image, known to the trusted side alone, must be found in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.audits import thresholds
from harness.audits.fresh_images import Fresh
from harness.core.audit import Audit, AuditVerdict
from harness.quality.bicubic import downscale, upscale
from harness.quality.colour import WEIGHTS, weighted
from harness.quality.pixels import Floats, Uint8
from harness.quality.psnr import psnr_db
from harness.quality.score import PSNR_CAP_DB

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


def levels_apart(one: Uint8, other: Uint8) -> int:
    """The largest difference between two images."""
    return int(np.abs(one.astype(np.int16) - other).max(initial=0))


def came_differently(apart: int) -> str:
    """What is said of one image that came out `apart` from itself; "" if it did not."""
    return f"the same image came out differently, by up to {apart} of 255" if apart else ""


def outputs(shown: Shown, scale: int, *, luma: bool = False) -> Audit:
    """The worst of what the outputs tell.

    What has one channel is judged by one: outputs that are grey, and all of a model that is given
    `luma` alone, whose colours are not its own. It is held against the image's luma, so that
    nothing of what an entry returns is left out.
    """
    height, width, _ = shown.lr.shape
    whole = np.count_nonzero((shown.lr > 0) & (shown.lr < 255)) / 3
    if whole < thresholds.LEAST_PIXELS or not shown.lr.std() > 1.0:
        return Audit("outputs", "ok", f"nothing can be told from {height}x{width} such pixels")
    see = _luma if luma or _is_grey(shown) else _colours
    sr, lr = see(shown.sr), see(shown.lr)
    small = downscale(sr, scale)
    shrunk = small.astype(np.float64)
    found = [_alike(small, lr, _RESEMBLANCE, thresholds.RESEMBLANCE_DB)]
    found += [_alike(sr, see(it), _AGAIN, thresholds.AGAIN_DB) for it in shown.again]
    if shown.fresh:
        backs = [(fresh, see(fresh.back(output, scale))) for fresh, output in shown.fresh]
        changes = [see(_perturbation(shown.lr, fresh.perturbed)) for fresh, _ in shown.fresh]
        found += [
            _alike(sr, back, _FLIPPED, thresholds.FLIPPED_DB, "rejected") for _, back in backs
        ]
        found.append(_response(shrunk, [back for _, back in backs], changes, scale))
        found += [_detailed(sr, fresh, back, scale) for fresh, back in backs]
    if shown.warm_up is not None:
        found.append(_warmed(lr, see(_perturbation(shown.lr, shown.warm_up)), shrunk))
    return _worst(found)


def _is_grey(shown: Shown) -> bool:
    """Whether all that came back is, whatever was given."""
    came = (shown.sr, *shown.again, *(output for _, output in shown.fresh))
    return all(np.ptp(it, axis=-1).max(initial=0) <= thresholds.GREY_LEVELS for it in came)


def _colours(samples: NDArray[Any]) -> NDArray[Any]:
    return samples


def _luma(samples: NDArray[Any]) -> NDArray[Any]:
    """Of an image, uint8, or of differences of two; from 0 to 255, as a grey image has it."""
    plane = weighted(samples.astype(np.float32)) / sum(WEIGHTS)
    return np.rint(plane).astype(np.uint8) if samples.dtype == np.uint8 else plane


def _alike(
    one: Uint8, other: Uint8, text: str, least_db: float, level: AuditVerdict = "suspect"
) -> Doubt:
    """Two images that must be alike by `least_db`, and the `level` where they are not."""
    like_db = min(psnr_db(one, other), PSNR_CAP_DB)
    return "ok" if like_db >= least_db else level, text.format(f"{like_db:.1f} dB")


def _response(
    shrunk: Floats, backs: Sequence[Uint8], changes: Sequence[Floats], scale: int
) -> Doubt:
    """The least of the fresh images' responses: the share of the perturbation that comes out.

    Of small images their mean, which chance moves less. Seams of a rolled image change more than
    any perturbation does, so that differences are cut off.
    """
    most = thresholds.MOST_LEVELS
    shares = [
        _share(np.clip(downscale(back, scale) - shrunk, -most, most), change)
        for back, change in zip(backs, changes, strict=True)
    ]
    many = shrunk.shape[0] * shrunk.shape[1] >= thresholds.MANY_PIXELS
    share = min(shares) if many else fmean(shares)
    level: AuditVerdict = "ok" if share >= thresholds.RESPONSE_SUSPECT else "suspect"
    if share < thresholds.RESPONSE_REJECTED:
        level = "rejected"
    return level, f"of small changes in the image {share:.2f} come out"


def _detailed(scored: Uint8, fresh: Fresh, back: Uint8, scale: int) -> Doubt:
    """Whether both outputs have the same detail: what an image holds beyond its shrunk version.

    A stored image whose coarse part is corrected has another one as soon as it is rolled. Where one
    of the two images ends and the other does not, detail differs by right: that is left out.
    """
    margin = thresholds.DETAIL_MARGIN
    if fresh.inner_share(margin) < thresholds.DETAIL_AREA:
        return "ok", "detail: too little of the image to tell"
    one, other = (fresh.inner(_detail(it, scale), margin) for it in (scored, back))
    if min(one.std(), other.std()) < thresholds.DETAIL_LEVELS:
        return "ok", "detail: too little of it to tell"
    spread = float(one.std() * other.std())
    alike = float(((one - one.mean()) * (other - other.mean())).mean()) / spread
    level: AuditVerdict = "ok" if alike >= thresholds.DETAIL_ALIKE else "suspect"
    return level, f"detail: correlated by {alike:.2f} between them"


def _detail(image: Uint8, scale: int) -> Floats:
    return image.astype(np.float64) - upscale(downscale(image, scale), scale)


def _warmed(lr: Uint8, change: Floats, shrunk: Floats) -> Doubt:
    """Whether the warm-up's changes are in the output: beside another tone, which is no change."""
    apart = _without_tone(shrunk, lr)
    share = _share(apart, change)
    # of a small image, or of an output far from it, that much comes out by chance
    chance = float(np.sqrt((apart * apart).mean() / max(float((change * change).sum()), 1.0)))
    most = max(thresholds.WARM_UP_RESPONSE, thresholds.WARM_UP_CHANCE * chance)
    level: AuditVerdict = "rejected" if share > most else "ok"
    return level, f"of the small changes that the warm-up's image alone had {share:.2f}"


def _without_tone(shrunk: Floats, lr: Uint8) -> Floats:
    """What no multiple of the LR image, and no constant, explains: grey may have another range."""
    centred = lr - lr.mean()
    slope = float((shrunk * centred).sum() / max(float((centred * centred).sum()), 1.0))
    return np.asarray(shrunk - shrunk.mean() - slope * centred)


def _perturbation(lr: Uint8, perturbed: Uint8) -> Floats:
    """By how much pixels were changed, 0 where black or white cut the change off.

    What is left there goes one way only, and so does any change of tone.
    """
    most = thresholds.PERTURBATION
    return np.where((lr >= most) & (lr <= 255 - most), perturbed.astype(float) - lr, 0.0)


def _share(difference: Floats, perturbation: Floats) -> float:
    return float((difference * perturbation).sum() / max((perturbation * perturbation).sum(), 1.0))


def _worst(found: Sequence[Doubt]) -> Audit:
    for level in ("rejected", "suspect"):
        told = [text for it, text in found if it == level]
        if told:
            return Audit("outputs", level, "; ".join(dict.fromkeys(told)))
    least = {text.partition(":")[0]: text for _, text in reversed(found)}
    return Audit("outputs", "ok", "; ".join(reversed(least.values())))
