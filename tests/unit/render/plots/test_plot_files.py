from __future__ import annotations

import re

from fakes import boards

from harness.render.plots.plot_files import plot_files
from harness.render.plots.shapes import Circle, Colour, Sheet, Text, to_svg


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


def test_neighbouring_circles_of_one_colour_say_once_how_they_look() -> None:
    colours: tuple[Colour, ...] = ("entry", "entry", "reference")
    circles = tuple(Circle(10.0 * at, 5.0, 2.0, it) for at, it in enumerate(colours))
    svg = to_svg(Sheet(40.0, 10.0, (*circles, Text(1.0, 1.0, "name"), circles[0])))
    assert svg.count("<g ") == svg.count("</g>") == 3
    assert svg.count("<circle ") == 4
    assert svg.count("fill-opacity") == 3
