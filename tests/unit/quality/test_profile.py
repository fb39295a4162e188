from __future__ import annotations

import pytest

from harness.quality.colour import LUMA, RGB
from harness.quality.profile import CLASSIC_Y, NTIRE, PROFILES, Profile


def test_profiles_are_found_by_name() -> None:
    assert dict(PROFILES) == {"ntire": NTIRE, "classic-y": CLASSIC_Y}
    assert (NTIRE.colour, CLASSIC_Y.colour) == (RGB, LUMA)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_both_conventions_cut_off_as_many_pixels_as_the_scale(scale: int) -> None:
    assert [profile.border_px(scale) for profile in PROFILES.values()] == [scale, scale]


def test_the_mapping_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        PROFILES["mine"] = NTIRE  # type: ignore[index]


def test_nonsense_is_refused_when_a_profile_is_made() -> None:
    with pytest.raises(ValueError, match="border_per_scale: must not be negative, got -1"):
        Profile(name="odd", colour=RGB, border_per_scale=-1)
    with pytest.raises(ValueError, match="name: must not be empty"):
        Profile(name="", colour=RGB, border_per_scale=1)
