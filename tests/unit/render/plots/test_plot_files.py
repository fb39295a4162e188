from __future__ import annotations

import re

from fakes import boards

from harness.render.plots.plot_files import plot_files


def test_each_plot_is_written_in_both_sizes_and_both_formats() -> None:
    files = plot_files(boards.full_board())
    assert len(files) == 4 * 2 * 2
    widths = {}
    for name, data in files.items():
        if name.endswith(".pdf"):
            assert data.startswith(b"%PDF-")
            box = re.search(rb"/MediaBox \[ 0 0 (\S+) (\S+) \]", data)
            assert box is not None
            widths[name] = float(box[1])
        else:
            assert b"var(--" not in data
    assert widths["psnr_runtime_one_column.pdf"] == 249.0
    assert widths["psnr_runtime_two_columns.pdf"] == 510.0


def test_the_same_board_gives_the_same_files_and_any_name_is_drawn(recwarn: object) -> None:
    board = boards.board(boards.ranked(1, title="南京 $x$ <b>"))
    assert plot_files(board) == plot_files(board)
    assert not list(recwarn)  # type: ignore[call-overload]
