from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from fakes import boards

from harness.core.leaderboard import Ratio
from harness.core.submission import PublishedFigures
from harness.documents.atomic import WriteError
from harness.render import document, to_frame, write


def test_a_row_holds_its_figures_in_base_units() -> None:
    (row,) = document(boards.board())["rows"]
    assert row["id"] == "rlfn_ntire"
    assert row["team"] == "ByteESR"
    assert row["status"] == "ok"
    assert row["runtime_s"] == 0.02711
    assert row["first_call_s"] == 0.0913
    assert (row["params"], row["macs"], row["convs"]) == (317_218, 19_695_306_752, 39)
    assert row["activations"] == 80_045_184
    assert row["memory_bytes"] == 395_837_440
    assert row["quality"] == {
        boards.VALID: {"psnr_db": 29.0, "ssim": 0.8123},
        boards.TEST: {"psnr_db": 28.72, "ssim": None},
    }
    assert row["ranks"]["runtime"] == 1
    assert row["tracks"]["sub1"] == {"score": 2.0, "rank": 1}
    assert row["verdict"] == "verified"


def test_counts_are_whole_numbers_in_json() -> None:
    (row,) = json.loads(json.dumps(document(boards.board())))["rows"]
    assert isinstance(row["params"], int)
    assert isinstance(row["memory_bytes"], int)


def test_what_was_not_measured_is_none_and_never_nan() -> None:
    values = boards.values(runtime=math.nan, macs=math.inf, valid=math.inf)
    (row,) = document(boards.board(boards.ranked(1, values=values)))["rows"]
    assert row["runtime_s"] is None
    assert row["macs"] is None
    assert row["quality"][boards.VALID]["psnr_db"] is None


def test_the_environment_and_the_challenge_stand_beside_the_rows() -> None:
    shown = document(boards.full_board())
    assert shown["challenge"]["id"] == "sample"
    assert shown["environment"]["stable"]["threads"] == "2"
    assert shown["notes"] == ["The machine was not idle: a load of 1.98 was seen."]


def test_what_others_took_of_the_machine_stands_by_rounds() -> None:
    busy = replace(boards.ENVIRONMENT, seen={"others_cores": "1.26", "steal_share": "0.02"})
    timed = tuple(replace(it, environment=busy) for it in boards.records("rlfn_ntire"))
    (told, *_) = document(boards.board(boards.ranked(1, records=timed)))["disturbances"]
    assert told == {
        "round": 2,  # the first of the fakes is number 1, from 0
        "others_cores": 1.26,
        "steal_share": 0.02,
        "throttled_share": None,
    }


def test_a_failed_row_has_its_reason() -> None:
    (row,) = document(boards.board(boards.failed_row()))["rows"]
    assert (row["status"], row["ranked"]) == ("failed", False)
    assert row["reason"] == "forward: no answer within 300 s"
    assert row["failure"] == {
        "stage": "forward",
        "reason": "timeout",
        "message": "no answer within 300 s",
    }
    assert row["runtime_s"] is None


def test_rows_that_went_through_have_no_failure_and_the_floor_no_reason_either() -> None:
    rows = {row["id"]: row for row in document(boards.full_board())["rows"]}
    assert (rows["bicubic"]["reason"], rows["bicubic"]["failure"]) == ("", None)
    assert (rows["imdn"]["reason"], rows["imdn"]["failure"]) == ("untrained: no weights", None)


def test_a_row_says_whether_it_was_timed_by_an_earlier_run() -> None:
    old = boards.records("old", session="s0", started="2029-12-31T00:00:00Z")
    rows = [boards.ranked(1, records=old), boards.ranked(2, id="b", records=boards.records("b"))]
    shown = document(boards.board(*rows, boards.failed_row()))["rows"]
    assert [row["earlier_run"] for row in shown] == [True, False, False]


def test_printed_macs_are_named_by_their_convention() -> None:
    printed = (PublishedFigures("report", macs_g=19.7, macs_convention="ntire2022"),)
    (row,) = document(boards.board(boards.ranked(1, published=printed)))["rows"]
    assert row["published"] == {"report": {"macs_ntire2022": 19.7e9}}


def test_the_frame_has_one_row_an_entry_in_order_with_units_in_its_columns() -> None:
    board = boards.full_board()
    frame = to_frame(board)
    assert list(frame["id"]) == [row.entry.id for row in board.rows]
    assert frame.loc[0, "psnr_db:sample_valid"] == 29.0
    assert frame.loc[0, "rank:runtime"] == 1
    assert frame.loc[0, "track_rank:main"] == 1
    assert pd.isna(frame.loc[frame["id"] == "bicubic", "runtime_s"]).all()


def test_the_frame_has_the_ratio_to_the_baseline_with_the_ends_of_its_interval() -> None:
    row = replace(boards.ranked(1), runtime_ratio=Ratio("rfdn", 1.2, 1.1, 1.3))
    frame = to_frame(boards.board(row, boards.ranked(2, id="rfdn")))
    names = ["runtime_ratio", "runtime_ratio_low", "runtime_ratio_high"]
    assert list(frame.loc[0, names]) == [1.2, 1.1, 1.3]
    assert frame.loc[1, names].isna().all()


def test_an_empty_frame_still_has_its_columns() -> None:
    full = boards.board()
    assert {"id", "runtime_s", "macs"} <= set(to_frame(type(full)(full.challenge, ())).columns)


def test_write_makes_six_files_and_a_page_for_each_row(tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "sample"
    paths = write(boards.full_board(), folder)
    names = ["index.html", *(f"table.{it}" for it in ("md", "tex", "csv")), "images.csv"]
    names.append("leaderboard.json")
    assert [path.name for path in paths] == names
    assert sorted(path.name for path in folder.iterdir()) == sorted([*names, "entries"])
    assert json.loads((folder / "leaderboard.json").read_text())["rows"][0]["id"] == "rlfn_ntire"


def test_writing_the_same_board_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in write(boards.full_board(), tmp_path)]
    second = [path.read_bytes() for path in write(boards.full_board(), tmp_path)]
    assert first == second


def test_a_failed_write_leaves_the_old_file_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, *_ = write(boards.board(), tmp_path)
    before = page.read_bytes()

    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(WriteError, match=r"entries/.*\.html can't be written: disk full"):
        write(boards.full_board(), tmp_path)
    assert page.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 6
    assert [it.name for it in (tmp_path / "entries").iterdir()] == ["rlfn_ntire.html"]


def test_a_lone_surrogate_in_a_name_can_be_written(tmp_path: Path) -> None:
    paths = write(boards.board(boards.ranked(1, team="a\ud800b")), tmp_path)
    assert all(path.stat().st_size for path in paths)
