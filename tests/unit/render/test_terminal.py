from __future__ import annotations

import pytest
from fakes.boards import full_board
from fakes.terminal import to_plain

from harness.render.as_terminal import _fitting
from harness.render.table import table


@pytest.mark.parametrize("width", [60, 80, 100, 133, 160, 250])
def test_no_column_is_squeezed_and_no_line_is_wider_than_the_terminal(width: int) -> None:
    board = table(full_board())
    drawn = to_plain(board, width=width)
    assert all(len(line) <= width for line in drawn.splitlines())
    for number in _fitting(board, width):
        figures = {line.cells[number].text for line in board.lines}
        assert all(figure in drawn for figure in figures), board.headings[number].full


def test_what_finds_no_room_is_named() -> None:
    board = table(full_board())
    last = board.headings[-1].full
    assert "No room here for" not in to_plain(board, width=400)
    narrow = to_plain(board, width=80)
    assert last in narrow[narrow.index("No room here for") :].replace("\n", " ")


def test_a_narrow_terminal_shows_what_decides_a_challenge() -> None:
    board = table(full_board())
    keys = [board.headings[number].key for number in _fitting(board, 90)]
    assert "runtime" in keys
    assert any(key.startswith("psnr:") for key in keys)
    assert not any(key.startswith("ssim:") for key in keys)
