from __future__ import annotations

import numpy as np
import pytest
from fakes.audited import SCALE, bicubic, photographs

from harness.audits import mosaics
from harness.audits.fresh_images import Draw
from harness.audits.mosaics import Part, Source
from harness.quality.bicubic import downscale
from harness.quality.pixels import Uint8

TRUTHS = list(photographs().values())


def _sources(*, by_bicubic: bool = True) -> list[Source]:
    return [Source(downscale(it, SCALE), by_bicubic) for it in TRUTHS]


def _truth(number: int) -> Uint8:
    return TRUTHS[number]


@pytest.mark.parametrize("seed", range(20))
def test_parts_cover_a_mosaic_and_lie_in_another_phase_of_the_grid(seed: int) -> None:
    parts = mosaics.drawn(Draw(seed), _sources(), (48, 60), SCALE)
    covered = np.zeros((48, 60), int)
    for part in parts:
        part.in_mosaic(covered.astype(np.uint8), 1)  # within
        covered[part.row : part.row + part.height, part.column : part.column + part.width] += 1
        assert part.top % SCALE or part.left % SCALE
        size = (part.height * SCALE, part.width * SCALE, 3)
        assert part.in_source(TRUTHS[part.source], SCALE).shape == size
    assert (covered == 1).all()


def test_large_images_have_nine_parts() -> None:
    large = [Source(np.zeros((200, 300, 3), np.uint8), by_bicubic=True)] * 2
    assert len(mosaics.drawn(Draw(), large, (200, 300), SCALE)) == 9


@pytest.mark.parametrize("size", [(16, 60), (60, 15), (150, 150)])
def test_where_parts_are_too_small_or_too_large_for_the_images_there_is_none(
    size: tuple[int, int],
) -> None:
    assert mosaics.drawn(Draw(), _sources(), size, SCALE) == ()


def test_a_mosaic_holds_flipped_parts_and_its_lr_image_is_made_of_it() -> None:
    parts = (
        Part(0, 5, 6, 0, 0, 20, 12, flip=(-1, 1)),
        Part(2, 1, 0, 0, 12, 20, 12),
    )
    lr, hr = mosaics.made(parts, _sources(), _truth, SCALE)
    assert (hr[:, :48] == TRUTHS[0][5:85, 6:54][::-1]).all()
    assert (hr[:, 48:] == TRUTHS[2][1:81, :48]).all()
    assert (lr == downscale(hr, SCALE)).all()


def test_images_that_bicubic_did_not_make_keep_their_pixels() -> None:
    sources = [Source(it.lr + 3, by_bicubic=False) for it in _sources()]
    parts = mosaics.drawn(Draw(3), sources, (48, 60), SCALE)
    lr, hr = mosaics.made(parts, sources, _truth, SCALE)
    for part in parts:
        assert part.flip == (1, 1)
        top, left = part.top // SCALE, part.left // SCALE
        own = sources[part.source].lr[top : top + part.height, left : left + part.width]
        assert (part.in_mosaic(lr, 1) == own).all()
        truth = part.in_source(TRUTHS[part.source], SCALE)
        assert (part.in_mosaic(hr, SCALE) == truth).all()


@pytest.mark.parametrize("at", [(0, 0), (5, 6), (12, 31), (96, 120)])
def test_bicubic_of_a_part_is_that_of_its_image(at: tuple[int, int]) -> None:
    lr = _sources()[0].lr
    part = Part(0, *at, 0, 0, 24, 30)
    assert (part.bicubic(lr, SCALE, 4) == part.in_source(bicubic(lr), SCALE, 4)).all()
