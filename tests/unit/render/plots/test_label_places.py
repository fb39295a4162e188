from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from harness.render.plots.label_places import Box, Disc, Place, Places

ROOM = Box(40.0, 2.0, 559.0, 300.0)


def over(one: Box, other: Box) -> bool:
    across = one.left < other.right and other.left < one.right
    return across and one.top < other.bottom and other.top < one.bottom


def covers(box: Box, disc: Disc) -> bool:
    x = min(max(disc.x, box.left), box.right)
    y = min(max(disc.y, box.top), box.bottom)
    return math.hypot(x - disc.x, y - disc.y) < disc.radius


def test_a_name_alone_stands_to_the_right_without_a_line() -> None:
    place = Places([Disc(100.0, 100.0, 10.0)], ROOM).take(Disc(100.0, 100.0, 10.0), 60.0, 9.0)
    assert place == Place(Box(112.0, 95.5, 172.0, 104.5), None)


def test_at_the_right_edge_it_stands_on_another_side() -> None:
    disc = Disc(555.0, 100.0, 3.0)
    place = Places([disc], ROOM).take(disc, 60.0, 9.0)
    assert place is not None
    assert place.box.right <= ROOM.right


def test_no_room_is_no_place() -> None:
    disc = Disc(60.0, 60.0, 5.0)
    assert Places([disc], Box(50.0, 50.0, 90.0, 90.0)).take(disc, 60.0, 9.0) is None


def test_a_line_is_kept_clear() -> None:
    disc = Disc(100.0, 100.0, 5.0)
    place = Places([disc], ROOM, [[(100.0, 100.0), (500.0, 100.0)]]).take(disc, 60.0, 9.0)
    assert place is not None
    assert not place.box.top - 1.0 < 100.0 < place.box.bottom + 1.0  # nor touched


@pytest.mark.parametrize("rows", [5, 45, 300])
def test_names_cover_no_circle_and_no_name_and_lines_keep_off_both(rows: int) -> None:
    drawn = np.random.default_rng(rows)
    x = 60 + 480 * drawn.beta(1, 4, rows)  # most are fast
    y = 20 + 260 * drawn.beta(1, 3, rows)
    discs = [Disc(*it) for it in zip(x, y, drawn.uniform(2, 9, rows), strict=True)]
    places = Places(discs, ROOM)
    found = [(it, places.take(it, 70.0, 9.0)) for it in discs[:40]]
    taken = [(disc, place) for disc, place in found if place is not None]
    assert len(taken) >= {5: 5, 45: 12, 300: 1}[rows]
    for (_, one), (_, other) in itertools.combinations(taken, 2):
        assert not over(one.box, other.box)
    for own, place in taken:
        assert not any(covers(place.box, disc) for disc in discs)
        if place.leader is None:
            continue
        points = np.linspace(*place.leader, 200)
        others = [disc for disc in discs if disc != own]
        assert not any(math.dist(it, (d.x, d.y)) < d.radius for it in points for d in others)
        boxes = [it.box for _, it in taken]
        assert not any(
            box.left < px < box.right and box.top < py < box.bottom
            for px, py in points[:-1]
            for box in boxes
        )
