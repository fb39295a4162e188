"""Runs that keep pictures: what they leave, and what a later run adds without measuring."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.challenges import write_challenge, write_set5
from fakes.entries import CONV, write_entry

from harness.core.leaderboard import Leaderboard
from harness.core.outcome import BadInput
from harness.datasets.png import read_image
from harness.pictures.boxes import Region
from harness.pictures.keeper import PictureFolder
from harness.quality.pixels import pixel_digest
from harness.usecases.evaluate import RunRequest, evaluate

WHOLE = Region(0, 0, 64, 64)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_entry(tmp_path / "entries" / "good")
    write_entry(tmp_path / "entries" / "conv", CONV)
    write_challenge(tmp_path / "tiny.toml")
    write_set5(tmp_path / "data")
    return tmp_path


def run(place: Path, *keep_images: str) -> Leaderboard:
    return evaluate(
        RunRequest(
            entries=tuple(str(place / "entries" / name) for name in ("good", "conv")),
            challenge=str(place / "tiny.toml"),
            data_dir=place / "data",
            reports=place / "reports",
            keep_images=keep_images,
        )
    )


def records(place: Path) -> dict[Path, bytes]:
    folder = place / "reports" / "tiny" / "records"
    return {path: path.read_bytes() for path in folder.rglob("*.json")}


def test_pictures_are_kept_and_a_later_run_makes_what_is_missing_without_measuring(
    place: Path,
) -> None:
    folder = PictureFolder(place / "reports" / "tiny" / "pictures")
    board = run(place)
    assert not folder.path.exists()
    measured = records(place)
    assert len(measured) == 2 * 2 + 1

    run(place, "1")  # of two images
    digests = {
        (row.entry.id, image): score.digest
        for row in board.rows
        for (_, image), score in row.entry.scores.items()
    }
    for name in ("good", "conv"):
        picture = folder.read(digests[name, "baby"], WHOLE)
        assert picture is not None
        assert pixel_digest(picture) == digests[name, "baby"]
        assert not folder.has(digests[name, "bird"], WHOLE)

    gone = folder.file(digests["conv", "baby"], WHOLE)
    gone.unlink()
    run(place, "all")
    assert gone.is_file()
    assert all(folder.has(it, WHOLE) for (name, _), it in digests.items() if name != "bicubic")
    assert records(place) == measured
    pictures = [path for path in folder.path.iterdir() if path.suffix == ".png"]
    assert len(pictures) == 2 * 4  # of two images LR, HR and two outputs
    for path in pictures:
        assert pixel_digest(read_image(path)) == path.name.partition("_")[0]


def test_a_first_run_keeps_pictures_as_it_scores_them(place: Path) -> None:
    board = run(place, "all")
    folder = PictureFolder(place / "reports" / "tiny" / "pictures")
    digests = [it.digest for row in board.rows for it in row.entry.scores.values()]
    assert sum(folder.has(it, WHOLE) for it in digests) == 2 * 2  # bicubic is drawn anew


def test_a_data_set_that_is_not_there_stops_the_run_before_anything_is_measured(
    place: Path,
) -> None:
    with pytest.raises(BadInput, match="Set6"):
        run(place, "all:Set6")
    assert not records(place)
