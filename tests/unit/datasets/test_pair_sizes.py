from __future__ import annotations

import pytest

from harness.datasets.pair_sizes import PairRules, cut

MULTIPLE, COMMON = PairRules(4), PairRules(4, crop="common")


@pytest.mark.parametrize("hr", [(16, 12), (19, 15)])
def test_hr_is_cut_to_a_multiple_of_the_scale_which_lr_must_be(hr: tuple[int, int]) -> None:
    assert cut((4, 3), hr, MULTIPLE) == (4, 3)
    assert cut(None, hr, MULTIPLE) == (4, 3)


@pytest.mark.parametrize(
    ("lr", "hr", "common"),
    [
        ((78, 120), (321, 481), (78, 120)),  # of HR cropped to a multiple of 12: 312x480
        ((81, 121), (321, 481), (80, 120)),  # rounded up, as MATLAB does with what it is given
        ((81, 120), (321, 480), (80, 120)),
        ((80, 120), (320, 480), (80, 120)),
        ((72, 114), (311, 479), (72, 114)),  # of HR cropped to a multiple of 24
    ],
)
def test_both_may_be_cut_to_what_they_have_in_common(
    lr: tuple[int, int], hr: tuple[int, int], common: tuple[int, int]
) -> None:
    assert cut(lr, hr, COMMON) == common
    if common == lr and hr == (320, 480):
        return
    fault = cut(lr, hr, MULTIPLE)
    assert isinstance(fault, str)
    assert fault.endswith("; `--crop common` cuts both to what they have in common")


@pytest.mark.parametrize("rules", [MULTIPLE, COMMON])
@pytest.mark.parametrize("lr", [(40, 60), (160, 240), (120, 80), (82, 120), (74, 120)])
def test_lr_of_another_scale_or_image_is_a_fault_however_it_is_cut(
    lr: tuple[int, int], rules: PairRules
) -> None:
    fault = cut(lr, (320, 480), rules)
    assert isinstance(fault, str)
    assert fault.startswith(f"HR is 320x480, LR {lr[0]}x{lr[1]} (height x width); HR must be 4")
    assert "--crop" not in fault


def test_hr_must_have_room_for_the_border_and_one_window_of_ssim() -> None:
    scored = PairRules(4, least_px=19)
    assert cut(None, (20, 20), scored) == (5, 5)
    fault = cut((5, 4), (22, 19), scored)  # 20x16 once it is cut to a multiple of the scale
    assert isinstance(fault, str)
    assert fault.startswith("HR has 20x16 pixels to score, and at least 19x19 are needed")
    assert cut((5, 4), (22, 19), PairRules(4, truth=False, least_px=19)) == (5, 4)


def test_hr_smaller_than_the_scale_is_a_fault() -> None:
    assert cut(None, (3, 12), MULTIPLE) == "HR is 3x12, smaller than the scale 4"
