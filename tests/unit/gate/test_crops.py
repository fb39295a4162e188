from __future__ import annotations

import numpy as np
import pytest

from harness.gate.crops import crops, quality
from harness.quality.bicubic import downscale, upscale


def test_crops_are_those_of_their_seed_and_lr_is_made_of_hr() -> None:
    one = crops(scale=4, size=(24, 32), count=3, seed=0)
    again = crops(scale=4, size=(24, 32), count=3, seed=0)
    other = crops(scale=4, size=(24, 32), count=3, seed=1)
    for crop, same, unlike in zip(one, again, other, strict=True):
        assert crop.lr.pixels.shape == (24, 32, 3)
        assert crop.hr.shape == (96, 128, 3)
        assert np.array_equal(crop.lr.pixels, downscale(crop.hr, 4))
        assert np.array_equal(crop.lr.pixels, same.lr.pixels)
        assert not np.array_equal(crop.lr.pixels, unlike.lr.pixels)


def test_a_crop_may_be_larger_than_its_photograph() -> None:
    (crop,) = crops(scale=2, size=(300, 16), count=1, seed=0)
    assert crop.lr.pixels.shape == (300, 16, 3)


def test_the_quality_is_the_mean_over_the_crops() -> None:
    inputs = crops(scale=4, size=(24, 24), count=2, seed=0)
    perfect = quality(tuple(crop.hr for crop in inputs), inputs, 4)
    assert perfect == {"psnr": 100.0, "ssim": pytest.approx(1.0)}
    bicubic = quality(tuple(upscale(crop.lr.pixels, 4) for crop in inputs), inputs, 4)
    assert 15.0 < bicubic["psnr"] < 45.0


@pytest.mark.parametrize(("size", "count"), [((8, 96), 1), ((96, 4096), 1), ((96, 96), 0)])
def test_sizes_that_no_crop_can_have_are_refused(size: tuple[int, int], count: int) -> None:
    with pytest.raises(ValueError, match="inputs must be 16 to 1024 LR pixels"):
        crops(scale=4, size=size, count=count, seed=0)
