from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from harness.audits.fresh_images import FLIPS, Draw, Fresh, flipped


def test_a_flip_is_its_own_inverse_and_there_are_four() -> None:
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert len(set(FLIPS)) == 4
    for flip in FLIPS:
        assert (flipped(flipped(image, flip), flip) == image).all()
    assert (flipped(image, (-1, 1)) == image[::-1]).all()


@pytest.mark.parametrize("seed", range(8))
def test_what_comes_back_lies_where_the_image_itself_would_have_it(seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    fresh = Draw(seed).fresh(image)
    enlarged = fresh.shown.repeat(2, 0).repeat(2, 1)
    assert (fresh.back(enlarged, 2) == fresh.perturbed.repeat(2, 0).repeat(2, 1)).all()


def test_a_perturbation_is_small_and_another_one_each_time() -> None:
    image = np.full((16, 16, 3), 254, np.uint8)
    draw = Draw()
    first, second = draw.fresh(image).perturbed, draw.fresh(image).perturbed
    assert (first != second).any()
    assert abs(first.astype(int) - 254).max() <= 2
    assert (first > 250).all()  # no change wraps around


def test_a_roll_brings_in_on_one_side_what_leaves_on_the_other() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(1, 4, 3)
    fresh = Fresh(image, (1, 1), (0, 1))
    assert fresh.shown[0, :, 0].tolist() == [9, 0, 3, 6]


def test_some_are_drawn_in_their_order_and_all_where_they_are_few() -> None:
    draw = Draw()
    drawn = {draw.some("abcd", 2) for _ in range(200)}
    assert drawn == set(combinations("abcd", 2))
    assert draw.some("abc", 5) == ("a", "b", "c")


def test_half_of_an_order_is_unseen() -> None:
    orders = {tuple(Draw(seed).order(2, 2)) for seed in range(60)}
    assert len(orders) == 6
    assert all(sum(order) == 2 for order in orders)
