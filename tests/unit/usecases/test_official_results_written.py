"""A board as the official results files."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from fakes import boards
from fakes.results_files import row, write

from harness.core.leaderboard import Row
from harness.usecases.official_results import import_results, write_results


def test_what_was_imported_is_written_again(tmp_path: Path) -> None:
    file = write(
        tmp_path / "results.json",
        {
            "00_SPAN": row(10.0),
            "01_Fast": row(5.0),
            "02_Untested": row(5.0, tested=False),
            "08_Torn": row(1.0, flops="many"),
            "1_Fast": row(6.0),
        },
    )
    board = import_results(file, "ntire2026", tmp_path / "reports")
    path, text = write_results(board, tmp_path / "out")
    before, after = json.loads(file.read_text(encoding="utf-8")), json.loads(path.read_text())
    assert after.keys() == before.keys() - {"08_Torn"}
    for name, figures in after.items():
        for key in before[name]:
            assert figures[key] == pytest.approx(before[name][key])
    assert len(text.read_text(encoding="utf-8").splitlines()) == 1 + len(after)


def measured(id_: str, title: str, params: float) -> Row:
    """A row of that many parameters that went through two rounds."""
    values = boards.values(params=params)
    return boards.ranked(1, id=id_, title=title, values=values, records=boards.records(id_))


def written(folder: Path, *rows: Row, **changes: object) -> dict[str, float]:
    """Parameters in millions by the name that results.json has for the row."""
    path, text = write_results(boards.board(*rows, **changes), folder)
    found = json.loads(path.read_text(encoding="utf-8"))
    assert len(text.read_text(encoding="utf-8").splitlines()) == 1 + len(found)
    return {name: figures["num_parameters"] for name, figures in found.items()}


def test_rows_that_share_a_title_are_told_apart_by_their_ids(tmp_path: Path) -> None:
    rows = (
        measured("mine", "SPAN", 1e6),
        measured("yours", "SPAN", 2e6),
        measured("other", "Other", 3e6),
    )
    assert written(tmp_path, *rows) == {"mine": 1.0, "yours": 2.0, "Other": 3.0}


@pytest.mark.parametrize("params", [1e300, float("inf"), -1.0])
def test_a_row_that_no_results_file_may_hold_is_left_out(tmp_path: Path, params: float) -> None:
    rows = (measured("mine", "SPAN", 1e6), measured("odd", "Odd", params))
    assert written(tmp_path, *rows) == {"SPAN": 1.0}


def test_a_count_of_layers_that_is_no_number_leaves_its_row_out(tmp_path: Path) -> None:
    odd = boards.ranked(2, id="odd", values=boards.values(convs=float("inf")))
    odd = dataclasses.replace(
        odd, entry=dataclasses.replace(odd.entry, records=boards.records("odd"))
    )
    assert written(tmp_path, measured("mine", "SPAN", 1e6), odd) == {"SPAN": 1.0}


def test_a_title_that_is_the_id_of_another_row_takes_nobodys_place(tmp_path: Path) -> None:
    rows = (
        measured("mine", "SPAN", 1e6),
        measured("yours", "SPAN", 2e6),
        measured("other", "mine", 3e6),
        measured("last", "other", 4e6),
    )
    found = written(tmp_path, *rows)
    assert found == {"mine": 1.0, "yours": 2.0, "other": 3.0, "last": 4.0}


def test_entries_of_a_checkout_keep_their_numbers(tmp_path: Path) -> None:
    rows = (measured("id04_rlfn", "RLFN", 1e6), measured("id05_rlfn", "RLFN", 2e6))
    assert written(tmp_path, *rows) == {"04_RLFN": 1.0, "05_RLFN": 2.0}


def test_the_baseline_is_called_as_official_files_call_it(tmp_path: Path) -> None:
    rows = (measured("rfdn", "RFDN", 1e6), measured("mine", "SPAN", 2e6))
    found = written(tmp_path, *rows, baseline_names=("00_RFDN_baseline",))
    assert found == {"00_RFDN_baseline": 1.0, "SPAN": 2.0}
