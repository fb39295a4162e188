from __future__ import annotations

import csv
import io

from fakes import boards

from harness.render.as_image_csv import to_image_csv


def test_each_image_of_each_entry_is_a_line_with_figures_in_base_units() -> None:
    row = boards.ranked(1, id="net", records=boards.records("net"))
    first, second = csv.DictReader(io.StringIO(to_image_csv(boards.board(row))))
    assert first == {
        "id": "net",
        "dataset": boards.VALID,
        "image": "astronaut",
        "psnr_db": "30.001",  # of the first round
        "psnr_y_db": "",
        "ssim": "0.81",
        "runtime_s": "0.0275",  # the median of 27 and 28 ms
    }
    assert (second["image"], second["psnr_db"], second["runtime_s"]) == (
        "coffee",
        "31.001",
        "0.0295",
    )


def test_a_board_without_images_has_none() -> None:
    assert to_image_csv(boards.board()) == ""


def test_no_name_is_taken_for_a_formula() -> None:
    row = boards.ranked(1, id="=1+1", records=boards.records("x"))
    assert '"\'=1+1"' in to_image_csv(boards.board(row))
