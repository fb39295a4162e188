"""A row that can't be drawn says so in its place, and takes no other row along."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from harness.core.leaderboard import BoardEntry, Leaderboard, Row
from harness.core.outcome import undrawn

T = TypeVar("T")
_LARGEST = 2.0**63  # of a figure: a worker may claim no more


def drawable(board: Leaderboard, draw: Callable[[Leaderboard], T]) -> tuple[Leaderboard, T]:
    """The board as far as it can be drawn, and what `draw` makes of it.

    A row by which `draw` fails, or with a figure that would widen a table beyond reading, is a
    failed one that tells why; the others keep their ranks and figures. What fails without any such
    row is a fault of ours, and raised.
    """
    board = _without(board, _refuse_endless)
    try:
        return board, draw(board)
    except Exception:
        kept = _without(board, lambda row: draw(replace(board, rows=(row,))))
        if kept is board:
            raise
        return kept, draw(kept)


def _without(board: Leaderboard, tried: Callable[[Row], object]) -> Leaderboard:
    """The board with a failed row for each by which `tried` fails; the same one if none does."""
    rows = []
    for row in board.rows:
        try:
            tried(row)
            rows.append(row)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other rows stand
            rows.append(undrawable(row, error))
    unchanged = all(one is other for one, other in zip(rows, board.rows, strict=True))
    return board if unchanged else replace(board, rows=tuple(rows))


def undrawable(row: Row, error: Exception) -> Row:
    """The failed row that stands for one that can't be drawn."""
    was, fault = row.entry, undrawn(error)
    entry = BoardEntry(was.id, str(was.team), str(was.title), was.role, failure=fault)
    return Row(entry, ranked=False, reason=entry.reason)


def _refuse_endless(row: Row) -> None:
    for key, figure in row.entry.values.items():
        if math.isfinite(figure) and abs(figure) > _LARGEST:
            raise ValueError(f"{key} is {figure:g}, more than a table holds")
