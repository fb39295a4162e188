"""Whether an HR image and its LR image are of sizes that belong together, and how both are cut."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.challenge import CropRule

LARGEST_CROP = 24  # HR pixels: the largest multiple that HR is cropped to, of scales 2, 3, 4 and 8
ImageSize = tuple[int, int]  # height, width


@dataclass(frozen=True)
class PairRules:
    """What a challenge asks of pairs of images.

    truth     False: LR alone is enough
    least_px  height and width that an HR image must have to be scored
    crop      how much HR and LR may differ, and how they are cut
    """

    scale: int
    truth: bool = True
    least_px: int = 1
    crop: CropRule = "multiple"


def cut(lr: ImageSize | None, hr: ImageSize, rules: PairRules) -> ImageSize | str:
    """The LR size that a pair is cut to, HR to `scale` times of it; or what is wrong with it.

    `lr` None: LR is made of HR.
    """
    scale = rules.scale
    whole = hr[0] // scale, hr[1] // scale  # what HR has room for
    if min(whole) < 1:
        return f"HR is {_told(hr)}, smaller than the scale {scale}"
    lr = lr or whole
    if lr != whole and (fault := _unlike(lr, hr, rules)):
        return fault
    size = min(lr[0], whole[0]), min(lr[1], whole[1])
    left = size[0] * scale, size[1] * scale
    if rules.truth and min(left) < rules.least_px:
        return (
            f"HR has {_told(left)} pixels to score, and at least "
            f"{rules.least_px}x{rules.least_px} are needed: a border is cut off, and one window of "
            "SSIM has to fit"
        )
    return size


def _unlike(lr: ImageSize, hr: ImageSize, rules: PairRules) -> str:
    scale = rules.scale
    spare = [large - small * scale for small, large in zip(lr, hr, strict=True)]
    # LR was rounded up where the scale does not divide HR, or made of HR that was cropped
    near = all(-scale < pixels < LARGEST_CROP for pixels in spare)
    if near and rules.crop == "common":
        return ""
    fault = (
        f"HR is {_told(hr)}, LR {_told(lr)} (height x width); HR must be {scale} times LR, "
        f"{lr[0] * scale}x{lr[1] * scale}, or up to {scale - 1} pixels larger"
    )
    return f"{fault}; `--crop common` cuts both to what they have in common" if near else fault


def _told(size: ImageSize) -> str:
    return f"{size[0]}x{size[1]}"
