"""A row that can't be drawn says so in its place, and takes no other row along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from harness.core.leaderboard import BoardEntry, Leaderboard, Row
from harness.core.outcome import undrawn

T = TypeVar("T")


def drawable(board: Leaderboard, draw: Callable[[Leaderboard], T]) -> tuple[Leaderboard, T]:
    """The board as far as it can be drawn, and what `draw` makes of it.

    A row by which `draw` fails is a failed one that tells why; the others keep their ranks and
    figures. What fails without any such row is a fault of ours, and raised.
    """
    try:
        return board, draw(board)
    except Exception:
        rows = tuple(_alone(board, row, draw) for row in board.rows)
        if all(one is other for one, other in zip(rows, board.rows, strict=True)):
            raise
        kept = replace(board, rows=rows)
        return kept, draw(kept)


def _alone(board: Leaderboard, row: Row, draw: Callable[[Leaderboard], object]) -> Row:
    try:
        draw(replace(board, rows=(row,)))
    except Exception as error:  # noqa: BLE001 - whatever it is, the other rows stand
        was = row.entry
        entry = BoardEntry(was.id, str(was.team), str(was.title), was.role, failure=undrawn(error))
        return Row(entry, ranked=False, reason=entry.reason)
    return row
