from __future__ import annotations

import numpy as np
import pytest

from harness.pictures.boxes import STEP, Region, error_map, hardest, most_different


def error_at(*places: tuple[int, int, float], size: int = 96) -> np.ndarray:
    """An error map with squares of 32 pixels."""
    error = np.zeros((size, size), np.float32)
    for x, y, amount in places:
        error[y : y + 32, x : x + 32] = amount
    return error


def test_a_box_cuts_its_pixels() -> None:
    image = np.arange(5 * 6 * 3, dtype=np.uint8).reshape(5, 6, 3)
    assert np.array_equal(Region(1, 2, 3, 2).cut(image), image[2:4, 1:4])
    with pytest.raises(ValueError, match="does not lie within 6x5"):
        Region(4, 0, 3, 2).cut(image)


@pytest.mark.parametrize("sides", [(-1, 0, 1, 1), (0, -1, 1, 1), (0, 0, 0, 1), (0, 0, 1, 0)])
def test_a_box_without_pixels_is_refused(sides: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="box"):
        Region(*sides)


def test_a_box_within_another_is_seen_from_its_corner() -> None:
    outer, inner = Region(10, 20, 50, 60), Region(15, 22, 45, 58)
    assert outer.holds(inner)
    assert inner.within(outer) == Region(5, 2, 45, 58)
    assert not inner.holds(outer)
    assert not outer.holds(Region(11, 20, 50, 60))


def test_errors_are_those_of_luma() -> None:
    black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
    assert error_map(white, black) == pytest.approx(219.0)  # 235 - 16
    red = black.copy()
    red[..., 0] = 255
    assert error_map(black, red) == pytest.approx(65.481)


def test_entries_differ_most_where_one_alone_is_wrong() -> None:
    shared, own = (0, 0, 50.0), (64, 40, 20.0)
    spread, box = most_different([error_at(shared), error_at(shared, own)], side=32)
    assert spread == pytest.approx(20.0)
    assert box == Region(64, 40, 32, 32)


def test_one_entry_alone_is_shown_where_it_errs_most() -> None:
    assert most_different([error_at((8, 64, 5.0))], side=32) == (5.0, Region(8, 64, 32, 32))


def test_a_crop_is_no_larger_than_its_image() -> None:
    assert most_different([np.ones((20, 40), np.float32)], side=160)[1] == Region(0, 0, 40, 20)


def test_hard_squares_come_in_order_and_none_over_another() -> None:
    found = hardest(error_at((0, 0, 9.0), (64, 64, 7.0)), 2, side=32)
    assert found == (Region(0, 0, 32, 32), Region(64, 64, 32, 32))


def test_there_are_fewer_where_no_more_have_room() -> None:
    assert len(hardest(np.ones((32, 32 + STEP), np.float32), 5, side=32)) == 1
