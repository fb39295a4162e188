"""Quality profiles: which colours are compared, and how much of the border is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from harness.quality.colour import LUMA, RGB, ColourSpace
from harness.quality.ssim import WINDOW


@dataclass(frozen=True, slots=True)
class Profile:
    """A named convention for PSNR and SSIM.

    `border_per_scale` times the scale gives the pixels that are cut off on every side first.
    """

    name: str
    colour: ColourSpace
    border_per_scale: int

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("Profile.name: must not be empty; give the convention a name")
        if self.border_per_scale < 0:
            raise ValueError(
                f"Profile.border_per_scale: must not be negative, got {self.border_per_scale}; "
                "use 0 to keep the border"
            )

    def border_px(self, scale: int) -> int:
        """Pixels that are cut off on every side."""
        return self.border_per_scale * scale

    def least_px(self, scale: int) -> int:
        """The height and width that an image must have for one window of SSIM within the border."""
        return WINDOW + 2 * self.border_px(scale)


#: RGB, border = scale: the evaluation script of the NTIRE ESR challenges.
NTIRE = Profile(name="ntire", colour=RGB, border_per_scale=1)

#: Unrounded BT.601 luma, border = scale: the tables of the papers on Set5, Set14, B100, Urban100.
CLASSIC_Y = Profile(name="classic-y", colour=LUMA, border_per_scale=1)

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {profile.name: profile for profile in (NTIRE, CLASSIC_Y)}
)
