from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from harness.datasets.image_cache import ImageCache


def image(level: int) -> np.ndarray:
    return np.full((10, 10, 1), level, np.uint8)


def test_an_image_is_read_once_and_one_leaves_where_more_would_not_fit() -> None:
    read: list[int] = []

    def get(level: int) -> np.ndarray:
        return cache.get(level, lambda: (read.append(level), image(level))[1])

    cache = ImageCache(most_bytes=200)
    for level in (1, 2, 1, 2, 3, 3):
        assert get(level)[0, 0, 0] == level
    assert read == [1, 2, 3]
    get(1), get(2)
    assert len(read) in {4, 5}  # one of the two had left, and the other had to, or 3


def test_one_that_is_larger_than_the_bound_is_still_given() -> None:
    assert ImageCache(most_bytes=1).get("it", lambda: image(7)).max() == 7


def test_nobody_can_change_what_others_will_see() -> None:
    held = ImageCache().get("it", lambda: image(7))
    with pytest.raises(ValueError, match="read-only"):
        held[0] = 0


def test_threads_that_want_the_same_image_wait_for_one_to_read_it() -> None:
    cache, read, begun = ImageCache(), [], threading.Barrier(2)

    def slow() -> np.ndarray:
        read.append(1)
        return image(7)

    def get(_: int) -> np.ndarray:
        begun.wait()
        return cache.get("it", slow)

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(get, range(2))
    assert one is other
    assert len(read) == 1


def test_what_could_not_be_read_is_tried_again() -> None:
    cache = ImageCache()
    with pytest.raises(OSError, match="gone"):
        cache.get("it", lambda: (_ for _ in ()).throw(OSError("gone")))
    assert cache.get("it", lambda: image(7)).max() == 7
