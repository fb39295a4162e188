from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import boards, pictures

from harness.core.challenge import DatasetUse
from harness.core.outcome import BadInput
from harness.pictures.boxes import Region
from harness.pictures.comparison import compared, comparisons, extremes, pick, shown_entries
from harness.pictures.keeper import PictureFolder

LUMA = 219 / 255  # of a grey level


def test_the_crop_is_where_the_entries_differ_and_shows_all_of_them(tmp_path: Path) -> None:
    board = pictures.two_entries(tmp_path)
    (found,) = comparisons(board, PictureFolder(tmp_path))
    assert found.box == Region(96, 80, 160, 160)
    assert found.spread == pytest.approx(30 * LUMA, abs=0.01)
    shots = {it.id: it for it in found.shots}
    assert list(shots) == ["LR", "bicubic", "bad", "good", "HR"]
    assert shots["good"].score is not None
    assert shots["good"].score.psnr_db == 100.0
    assert np.all(shots["bad"].pixels == pictures.GREY + 30)
    assert shots["bad"].error is not None
    assert shots["bad"].error.mean() == pytest.approx(30 * LUMA, abs=0.01)
    assert shots["LR"].error is None


def test_no_picture_of_a_test_split_is_shown(tmp_path: Path) -> None:
    board = pictures.two_entries(tmp_path)
    hidden = (DatasetUse(boards.VALID, "test"), DatasetUse(boards.TEST, "test"))
    board = replace(board, challenge=replace(board.challenge, datasets=hidden))
    folder = PictureFolder(tmp_path)
    assert comparisons(board, folder) == ()
    with pytest.raises(BadInput, match="may not be shown"):
        pick(board, folder, "square")


def test_an_entry_without_a_picture_is_left_out(tmp_path: Path) -> None:
    board = pictures.two_entries(tmp_path)
    folder = PictureFolder(tmp_path)
    bad = {row.entry.id: row.entry for row in board.rows}["bad"]
    (digest,) = (it.digest for it in bad.scores.values())
    folder.file(digest, Region(0, 0, 320, 320)).unlink()
    (found,) = comparisons(board, folder)
    assert [it.id for it in found.shots] == ["LR", "bicubic", "good", "HR"]


def test_a_crop_that_is_named_is_shown(tmp_path: Path) -> None:
    board, folder = pictures.two_entries(tmp_path), PictureFolder(tmp_path)
    kept = pick(board, folder, f"{boards.VALID}/square")
    found = compared(board, folder, kept, shown_entries(board), Region(96, 80, 16, 24))
    assert found is not None
    assert (found.box, found.spread) == (Region(96, 80, 16, 24), pytest.approx(30 * LUMA, abs=0.01))
    assert found.truth is not None
    assert found.truth.shape == (320, 320, 3)


def test_an_image_that_is_not_kept_is_told_with_those_that_are(tmp_path: Path) -> None:
    board, folder = pictures.two_entries(tmp_path), PictureFolder(tmp_path)
    with pytest.raises(BadInput, match="none of the kept images: sample_valid/square"):
        pick(board, folder, "circle")
    with pytest.raises(BadInput, match="no pictures of sample are kept"):
        pick(board, PictureFolder(tmp_path / "empty"), "square")


def test_an_entrys_best_image_is_the_one_where_it_leads_the_others_most() -> None:
    image = pictures.truth()
    names = ("easy", "hard", "odd")
    figures = {"a": (40.0, 20.0, 30.0), "b": (40.5, 23.0, 29.0), "c": (39.0, 20.5, 31.0)}
    board = pictures.board(
        *(
            (
                entry,
                tuple(
                    pictures.score(image, psnr_db, name)
                    for name, psnr_db in zip(names, its, strict=True)
                ),
            )
            for entry, its in figures.items()
        )
    )
    found = extremes(board)
    # medians: 40.0, 20.5, 30.0
    assert {key: (best.key[1], worst.key[1]) for key, (best, worst) in found.items()} == {
        "a": ("odd", "hard"),
        "b": ("hard", "odd"),
        "c": ("odd", "easy"),
    }
    assert found["b"][0].apart_db == pytest.approx(2.5)


def test_untrained_models_are_not_compared(tmp_path: Path) -> None:
    board = pictures.two_entries(tmp_path)
    rows = tuple(replace(row, entry=replace(row.entry, untrained=True)) for row in board.rows)
    assert comparisons(replace(board, rows=rows), PictureFolder(tmp_path)) == ()
