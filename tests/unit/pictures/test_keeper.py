from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from fakes import pictures

from harness.core.outcome import BadInput
from harness.core.record import ImageScore
from harness.datasets.png import read_image
from harness.pictures.boxes import Region
from harness.pictures.keeper import INDEX, Keeper, PictureFolder, chosen, kept_image, png
from harness.quality.bicubic import downscale
from harness.quality.pixels import pixel_digest

WRITES = """
import sys
from pathlib import Path
import numpy as np
from harness.pictures.boxes import whole
from harness.pictures.keeper import PictureFolder
from harness.quality.pixels import pixel_digest
folder, rng = PictureFolder(Path(sys.argv[1])), np.random.default_rng(0)
while True:
    image = rng.integers(0, 256, (400, 400, 3), np.uint8)
    folder.write(pixel_digest(image), whole(image), image)
"""


@pytest.fixture
def folder(tmp_path: Path) -> PictureFolder:
    return PictureFolder(tmp_path / "pictures")


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (24, 20, 3), np.uint8)


def test_a_picture_comes_back_to_the_bit(folder: PictureFolder) -> None:
    image, box = noise(), Region(0, 0, 20, 24)
    folder.write("a" * 32, box, image)
    assert np.array_equal(folder.read("a" * 32, box), image)


def test_a_part_is_cut_from_what_is_kept_whole(folder: PictureFolder) -> None:
    image = noise()
    folder.write("a" * 32, Region(0, 0, 20, 24), image)
    part = folder.read("a" * 32, Region(3, 4, 5, 6))
    assert np.array_equal(part, image[4:10, 3:8])
    assert folder.read("b" * 32, Region(3, 4, 5, 6)) is None


def test_a_damaged_picture_is_none(folder: PictureFolder) -> None:
    box = Region(0, 0, 20, 24)
    folder.write("a" * 32, box, noise())
    path = folder.file("a" * 32, box)
    path.write_bytes(path.read_bytes()[:-20])
    assert folder.read("a" * 32, box) is None


def test_a_picture_of_another_size_than_its_name_says_is_none(folder: PictureFolder) -> None:
    folder.path.mkdir()
    folder.file("a" * 32, Region(0, 0, 64, 64)).write_bytes(png(noise()))
    assert folder.read("a" * 32, Region(30, 30, 8, 8)) is None


@pytest.mark.parametrize("digest", ["../../etc/passwd", "", "*", "A" * 32, "a" * 31, "x" * 9000])
def test_what_is_no_digest_names_no_file(folder: PictureFolder, digest: str) -> None:
    assert folder.read(digest, Region(0, 0, 1, 1)) is None
    assert not folder.has(digest, Region(0, 0, 1, 1))
    with pytest.raises(ValueError, match="no digest"):
        folder.file(digest, Region(0, 0, 1, 1))


def test_outputs_of_images_that_were_not_asked_for_are_not_kept(folder: PictureFolder) -> None:
    kept = pictures.keep(folder)
    keeper = Keeper(folder, {kept.key: kept})
    output = pictures.off_by(9, Region(0, 0, 8, 8))
    wanted, other = pictures.score(output, 40.0), pictures.score(output, 40.0, "other")
    assert list(keeper.missing([wanted, other])) == [wanted]
    keeper.keep(other, output)
    assert list(keeper.missing([wanted])) == [wanted]
    keeper.keep(wanted, output)
    assert list(keeper.missing([wanted, other])) == []
    assert np.array_equal(folder.read(wanted.digest, kept.boxes[0]), output)


def test_what_is_kept_is_found_again_and_the_last_word_counts(folder: PictureFolder) -> None:
    assert folder.index() == {}
    kept = pictures.keep(folder)
    pictures.keep(folder, hr="")
    other = pictures.keep(folder, "other")
    index = folder.index()
    assert list(index) == [kept.key, other.key]
    assert (index[kept.key].hr, index[other.key]) == ("", other)


def test_an_index_that_cant_be_read_is_told(folder: PictureFolder) -> None:
    folder.path.mkdir()
    (folder.path / INDEX).write_text('[{"dataset": 3}]', encoding="utf-8")
    with pytest.raises(BadInput, match=r"images\.json can't be read: remove"):
        folder.index()


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ('"scale": 4', '"scale": 20000'),
        ('"scale": 4', '"scale": 0'),
        ('"scale": 4', '"scale": -4'),
        ('"x": 0', '"x": 1'),
        ('"width": 320', '"width": 1000000000'),
    ],
)
def test_an_index_of_images_that_cant_be_is_told(
    folder: PictureFolder, said: str, instead: str
) -> None:
    pictures.keep(folder)
    text = (folder.path / INDEX).read_text(encoding="utf-8")
    assert said in text
    (folder.path / INDEX).write_text(text.replace(said, instead), encoding="utf-8")
    with pytest.raises(BadInput, match=r"images\.json can't be read: remove"):
        folder.index()


def test_nothing_waits_for_a_pipe_in_place_of_a_file(folder: PictureFolder) -> None:
    folder.path.mkdir()
    os.mkfifo(folder.path / INDEX)
    with pytest.raises(BadInput, match=r"images\.json can't be read: remove"):
        folder.index()
    os.mkfifo(folder.file("a" * 32, Region(0, 0, 8, 8)))
    assert folder.read("a" * 32, Region(0, 0, 8, 8)) is None


def test_a_picture_of_another_size_is_not_decoded(
    folder: PictureFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.path.mkdir()
    folder.file("a" * 32, Region(0, 0, 64, 64)).write_bytes(png(noise()))
    monkeypatch.setattr("cv2.imdecode", None)
    assert folder.read("a" * 32, Region(0, 0, 8, 8)) is None


def test_crops_are_where_bicubic_errs_most(folder: PictureFolder) -> None:
    hr = np.full((480, 480, 3), 128, np.uint8)
    hr[200:360:2, 40:200] = 255  # stripes, which no LR image holds
    kept = kept_image(folder, ("set", "a"), lr=downscale(hr, 4), hr=hr, crops=True, scale=4)
    assert kept.boxes[0] == Region(40, 200, 160, 160)
    assert len(kept.boxes) == 2
    assert np.array_equal(folder.read(kept.hr, kept.boxes[0]), kept.boxes[0].cut(hr))
    assert folder.read(kept.hr, Region(0, 0, 480, 480)) is None


def test_no_truth_is_kept_where_none_is_given(folder: PictureFolder) -> None:
    lr = noise()
    kept = kept_image(folder, ("set", "a"), lr=lr, hr=None, crops=False, scale=2)
    assert (kept.hr, kept.boxes) == ("", (Region(0, 0, 40, 48),))
    assert [path.name for path in folder.path.iterdir()] == [f"{pixel_digest(lr)}_0_0_20_24.png"]


def test_the_truth_of_a_data_set_that_is_hidden_now_is_removed(folder: PictureFolder) -> None:
    hr, other = noise(), noise(1)
    for name, truth in (("test", hr), ("open", other)):
        lr = downscale(truth, 2)
        folder.enter(
            [kept_image(folder, (name, "a"), lr=lr, hr=truth, crops=False, scale=2)],
        )
    folder.sweep({"test", "unknown"})
    box = Region(0, 0, 20, 24)
    assert folder.read(pixel_digest(hr), box) is None
    assert np.array_equal(folder.read(pixel_digest(other), box), other)
    assert {key: bool(it.hr) for key, it in folder.index().items()} == {
        ("test", "a"): False,
        ("open", "a"): True,
    }


def test_the_first_images_are_kept() -> None:
    assert [chosen(3, 5), chosen(9, 5), chosen("crops", 5), chosen(None, 5)] == [3, 5, 5, 5]


def test_a_kill_leaves_whole_pictures_alone(folder: PictureFolder) -> None:
    for after_s in (0.05, 0.12, 0.2):
        writer = subprocess.Popen([sys.executable, "-c", WRITES, str(folder.path)])
        until = time.monotonic() + 60
        while not list(folder.path.glob("*.png")) and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(after_s)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    folder.sweep()
    paths = list(folder.path.iterdir())
    assert paths
    for path in paths:
        assert pixel_digest(read_image(path)) == path.name.partition("_")[0]


def test_a_score_without_psnr_is_kept_alike(folder: PictureFolder) -> None:
    kept = pictures.keep(folder, hr="")
    output = pictures.truth()
    blind = ImageScore(*kept.key, pixel_digest(output))
    Keeper(folder, {kept.key: kept}).keep(blind, output)
    assert folder.has(blind.digest, kept.boxes[0])
