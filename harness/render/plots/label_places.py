"""Where names stand beside the circles of a drawing: over no circle, no other name, no leader line.

Each name in turn takes the first free place of a few rings around its circle. Farther out a leader
line joins the two, which crosses nothing either.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.render.plots.shapes import Spot

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]
_RINGS_PT = (2.0, 9.0, 18.0, 29.0, 42.0, 57.0, 74.0)
_DIRECTIONS = 24
_PIECE_PT = 60.0
_LEADER_PT = 6.0  # a nearer name needs no line
_AIR_PT = 1.5
_SAMPLES = np.linspace(0.0, 1.0, 32)  # of a leader line


@dataclass(frozen=True)
class Box:
    """A rectangle, in points; `bottom` is the larger of its heights."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Disc:
    """What a name belongs to and must not cover."""

    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class Place:
    """Where a name stands, and the ends of its leader line, if it has one."""

    box: Box
    leader: tuple[Spot, Spot] | None


class Places:
    """A drawing's free room inside `room`, taken name by name; polylines are kept clear as well."""

    def __init__(
        self, discs: Sequence[Disc], room: Box, lines: Sequence[Sequence[Spot]] = ()
    ) -> None:
        self._discs = np.array([(it.x, it.y, it.radius) for it in discs]).reshape(-1, 3)
        self._room = room
        self._boxes: Numbers = np.empty((0, 4))
        self._leaders: Numbers = np.concatenate([_pieces(()), *map(_pieces, lines)])
        self._points: Numbers = _along(self._leaders)

    def take(self, disc: Disc, width: float, height: float) -> Place | None:
        """The first free place around a disc for a name of that size; None where there is none."""
        boxes, leaders, away = _around(disc, width, height, self._room)
        left = np.flatnonzero(self._inside(boxes))
        left = left[self._clear_of_names(boxes[left])]
        for at in left[self._clear_of_discs(boxes[left])]:
            far = away[at] > _LEADER_PT
            if far and not self._uncrossed(leaders[at], disc):
                continue
            box = Box(*boxes[at].tolist())
            self._boxes = np.vstack([self._boxes, boxes[at]])
            if not far:
                return Place(box, None)
            self._leaders = np.concatenate([self._leaders, leaders[at][None]])
            self._points = np.concatenate([self._points, _along(leaders[at][None])])
            (x, y), (to_x, to_y) = leaders[at].tolist()
            return Place(box, ((x, y), (to_x, to_y)))
        return None

    def _inside(self, boxes: Numbers) -> Mask:
        low, high = (self._room.left, self._room.top), (self._room.right, self._room.bottom)
        return np.asarray((boxes[:, :2] >= low).all(axis=1) & (boxes[:, 2:] <= high).all(axis=1))

    def _clear_of_discs(self, boxes: Numbers) -> Mask:
        if not len(boxes):
            return np.zeros(0, dtype=np.bool_)
        discs = self._near(boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0))
        middles = discs[None, :, :2]
        nearest = np.clip(middles, boxes[:, None, :2], boxes[:, None, 2:])
        apart = np.hypot(*np.moveaxis(nearest - middles, 2, 0))
        return np.asarray((apart > discs[:, 2] + _AIR_PT).all(axis=1))

    def _near(self, low: Numbers, high: Numbers) -> Numbers:
        """The discs that reach into a rectangle: of hundreds most are far off."""
        reach = self._discs[:, 2:] + _AIR_PT
        inside = (self._discs[:, :2] > low - reach) & (self._discs[:, :2] < high + reach)
        return self._discs[inside.all(axis=1)]

    def _clear_of_names(self, boxes: Numbers) -> Mask:
        one, other = boxes[:, None], self._boxes[None]
        low, high = one[..., :2] - _AIR_PT, one[..., 2:] + _AIR_PT
        over: Mask = np.all((low < other[..., 2:]) & (other[..., :2] < high), axis=2)
        airy = np.add(boxes, (-_AIR_PT, -_AIR_PT, _AIR_PT, _AIR_PT))
        return np.asarray(~np.any(over, axis=1)) & ~_any_inside(self._points, airy)

    def _uncrossed(self, leader: Numbers, own: Disc) -> bool:
        """Whether a line keeps off names, other discs and other lines."""
        points = _along(leader[None])
        others = self._near(leader.min(axis=0), leader.max(axis=0))
        others = others[(others[:, :2] != (own.x, own.y)).any(axis=1)]
        apart = np.hypot(*np.moveaxis(points[:, None] - others[None, :, :2], 2, 0))
        over = (apart < others[:, 2] + 0.5).any() or _any_inside(points, self._boxes).any()
        return not (over or _crosses(leader, self._leaders).any())


def _pieces(line: Sequence[Spot]) -> Numbers:
    """A polyline as short lines, from start to end."""
    pieces = []
    for one, other in itertools.pairwise(line):
        number = 1 + int(math.dist(one, other) / _PIECE_PT)
        cuts = np.linspace(one, other, number + 1)
        pieces += list(itertools.pairwise(cuts))
    return np.array(pieces).reshape(-1, 2, 2)


def _around(disc: Disc, width: float, height: float, room: Box) -> tuple[Numbers, Numbers, Numbers]:
    """Boxes around a disc, nearest first; the line from its rim to each; how far they are away.

    One that would reach out of the room at a side is moved back: above or below a disc near an edge
    a wide name has no other place.
    """
    angles = np.arange(_DIRECTIONS) * (2.0 * math.pi / _DIRECTIONS)
    away = np.repeat(_RINGS_PT, _DIRECTIONS)
    turn = np.tile(np.stack([np.cos(angles), np.sin(angles)], axis=1), (len(_RINGS_PT), 1))
    half = np.array([width, height]) / 2.0
    middle = np.array([disc.x, disc.y])
    centres = middle + turn * (disc.radius + away[:, None]) + _leaning(turn) * half
    sides = (room.left + half[0], max(room.left, room.right - width) + half[0])
    centres[:, 0] = np.clip(centres[:, 0], *sides)
    boxes = np.hstack([centres - half, centres + half])
    ends = np.clip(middle, boxes[:, :2], boxes[:, 2:])
    towards = ends - middle
    length = np.maximum(np.hypot(towards[:, 0], towards[:, 1]), 1e-9)[:, None]
    rims = middle + towards / length * disc.radius
    return boxes, np.stack([rims, ends], axis=1), away


def _leaning(turn: Numbers) -> Numbers:
    """By how many halves of its size a box lies off: wholly to a side, or in the middle above."""
    return np.asarray(np.clip(turn * 1.6, -1.0, 1.0))


def _along(leaders: Numbers) -> Numbers:
    """Points of lines, close enough that no name fits between two."""
    start, end = leaders[:, None, 0], leaders[:, None, 1]
    return np.asarray((start + (end - start) * _SAMPLES[None, :, None]).reshape(-1, 2))


def _any_inside(points: Numbers, boxes: Numbers) -> Mask:
    """For each box whether one of the points lies in it."""
    if not len(boxes):
        return np.zeros(0, dtype=np.bool_)
    near = (points > boxes[:, :2].min(axis=0)) & (points < boxes[:, 2:].max(axis=0))
    points = points[near.all(axis=1)]
    point, box = points[None], boxes[:, None]
    inside: Mask = np.all((point > box[..., :2]) & (point < box[..., 2:]), axis=2)
    return np.asarray(np.any(inside, axis=1))


def _crosses(line: Numbers, others: Numbers) -> Mask:
    """For each other line whether the two cross."""

    def side(of: Numbers, to: Numbers, point: Numbers) -> Numbers:
        return np.asarray(
            (to[..., 0] - of[..., 0]) * (point[..., 1] - of[..., 1])
            - (to[..., 1] - of[..., 1]) * (point[..., 0] - of[..., 0])
        )

    (a, b), c, d = line, others[:, 0], others[:, 1]
    return np.asarray((side(a, b, c) * side(a, b, d) < 0.0) & (side(c, d, a) * side(c, d, b) < 0.0))
