from __future__ import annotations

from collections.abc import Iterable

import pytest

from harness.core.record import Energy
from harness.measure.energy import Window, energy, spread
from harness.measure.worker_process import WorkerFailed

IMAGES = [("Set5", "a"), ("Set5", "b")]


def _energy(
    counter: Iterable[float | None], found: Iterable[Window], fastest_s: float = 0.01
) -> Energy | None:
    told, windows = iter(counter), iter(found)
    return energy(
        IMAGES,
        counter=lambda: next(told),
        repeat=lambda _index: next(windows),
        fastest_s=dict.fromkeys(IMAGES, fastest_s),
    )


def test_each_image_counts_the_same_whatever_its_window_held() -> None:
    # 100 J over 50 forwards, 300 J over 100: 2 J and 3 J an image
    found = _energy((1000.0, 1100.0, 1200.0, 1500.0), ((50, 2.0), (100, 2.5)))
    assert found is not None
    assert (found.per_image_j, found.forwards, found.source) == (2.5, 2, "nvml_counter")
    assert [(it.image, it.joules, it.forwards, it.wall_s) for it in found.windows] == [
        ("a", 100.0, 50, 2.0),
        ("b", 300.0, 100, 2.5),
    ]


@pytest.mark.parametrize(
    ("counter", "window"),
    [
        ((None,), (50, 2.0)),  # no counter
        ((5.0, None), (50, 2.0)),
        ((5.0, 5.0), (50, 2.0)),  # it did not move
        ((5.0, 4.0), (50, 2.0)),  # the driver was loaded anew
        ((5.0, 9.0), (50, 0.9)),  # less than a second: too coarse
    ],
)
def test_a_counter_that_can_not_tell_gives_no_figure(
    counter: tuple[float | None, ...], window: Window
) -> None:
    assert _energy(counter, (window,)) is None


@pytest.mark.parametrize(
    ("fastest_s", "most"),
    [
        (0.01, 400),  # twice as fast
        (0.004, 2000),  # and a millisecond less for each start
        (0.0004, 100_000),  # that mostly waits for its start: 20 times as fast
        (1e-6, 2_000_000),  # nothing is faster than a microsecond
    ],
)
def test_no_more_forwards_are_believed_than_there_was_time_for(fastest_s: float, most: int) -> None:
    found = _energy((0.0, 9.0, 9.0, 18.0), [(most, 2.0)] * 2, fastest_s)
    assert found is not None
    assert found.per_image_j == 9.0 / most
    for forwards in (0, -3, most + 1):
        with pytest.raises(WorkerFailed, match=f"claims {forwards} forwards within 2 s"):
            _energy((0.0, 9.0), ((forwards, 2.0),), fastest_s)


def test_windows_are_spread_over_the_images() -> None:
    assert [spread(count) for count in (0, 1, 4, 7, 100)] == [
        [],
        [0],
        [0, 1, 2, 3],
        [0, 2, 4, 6],
        [0, 33, 66, 99],
    ]
