from __future__ import annotations

import pytest

from harness.counts.routing import routed


def test_a_cost_that_depends_on_the_image_is_told_with_its_range() -> None:
    assert routed([2_000, 0, 3_500, 2_500], (48, 64)) == (
        "its cost depends on what the image shows: 2,000 to 3,500 multiply-adds at 48x64 LR "
        "pixels, over 3 images; the count is of one"
    )


@pytest.mark.parametrize("macs", [[], [0, 0], [7_000], [7_000, 7_000, 7_006], [0, 7_000]])
def test_one_cost_is_nothing_to_tell(macs: list[int]) -> None:
    assert routed(macs, (48, 64)) == ""
