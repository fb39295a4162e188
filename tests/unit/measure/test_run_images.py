from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes.challenges import write_challenge, write_set5

from harness.datasets.dataset import DatasetError, read_hr
from harness.datasets.find import find
from harness.measure.run_images import (
    RunImages,
    Scorer,
    again,
    floor,
    gather,
)
from harness.measure.session import LrImage
from harness.quality.score import PSNR_CAP_DB
from harness.rules import rulebook

TINY = {
    "id": "tiny",
    "title": "Tiny",
    "scale": 4,
    "quality_profile": "ntire",
    "datasets": [{"name": "Set5", "split": "validation"}],
    "columns": [{"metric": "psnr:Set5", "title": "PSNR"}],
}


@pytest.fixture
def made(tmp_path: Path) -> tuple[RunImages, Scorer]:
    challenge = rulebook.read(str(write_challenge(tmp_path / "tiny.toml")))
    found = find("Set5", data_dir=write_set5(tmp_path / "data"), scale=4)
    material = gather(challenge, (found,), ("said before",))
    return material, Scorer(challenge, material)


def truth(material: RunImages) -> np.ndarray:
    _, pair = material.pairs[0]
    return read_hr(pair, scale=4)


def test_workers_are_handed_lr_images_and_notes_are_kept(made: tuple[RunImages, Scorer]) -> None:
    material, _ = made
    assert [(it.image, it.pixels.shape) for it in material.lr] == [
        ("baby", (16, 16, 3)),
        ("bird", (16, 16, 3)),
    ]
    assert material.notes[0] == "said before"
    assert any(note.startswith("Set5: LR made from HR") for note in material.notes)


def test_an_output_equal_to_its_truth_has_a_finite_score(made: tuple[RunImages, Scorer]) -> None:
    material, judge = made
    score = judge(material.lr[0], truth(material))
    assert (score.psnr_db, score.ssim) == (PSNR_CAP_DB, 1.0)


def test_one_level_of_error_everywhere_is_48_db(made: tuple[RunImages, Scorer]) -> None:
    material, judge = made
    hr = truth(material)
    off = np.where(hr < 255, hr + 1, hr - 1).astype(np.uint8)
    score = judge(material.lr[0], off)
    assert score.psnr_db == pytest.approx(48.1308, abs=1e-4)  # 20 log10(255)


def test_the_same_output_in_a_later_round_keeps_its_score(made: tuple[RunImages, Scorer]) -> None:
    material, judge = made
    image = material.lr[0]
    first = judge(image, truth(material))
    later = again(judge, (first,))
    assert later(image, truth(material)) is first
    other = np.zeros_like(truth(material))
    assert later(image, other) == judge(image, other)


def test_bicubic_is_scored_on_every_image(made: tuple[RunImages, Scorer]) -> None:
    material, judge = made
    scores = floor(rulebook.parse(TINY, where="test"), material, judge)
    assert [score.image for score in scores] == ["baby", "bird"]
    assert all(score.psnr_db and 10 < score.psnr_db < PSNR_CAP_DB for score in scores)


def test_truths_are_at_hand_for_audits(made: tuple[RunImages, Scorer]) -> None:
    material, judge = made
    assert judge.knows(material.lr[0])
    assert (judge.hr(material.lr[0]) == truth(material)).all()
    assert not judge.knows(LrImage("other", "baby", material.lr[0].pixels))


def test_bicubic_of_the_truth_tells_whether_lr_images_were_made_by_it(
    made: tuple[RunImages, Scorer],
) -> None:
    material, judge = made
    assert judge.by_bicubic(material.lr[0])
    challenge = rulebook.parse(TINY, where="test")
    sharper = material.lr[0].showing(np.roll(material.lr[0].pixels, 1, axis=0))
    assert not Scorer(challenge, material).by_bicubic(sharper)


def test_lr_images_are_decoded_when_they_are_asked_for_and_have_a_size_before(
    made: tuple[RunImages, Scorer],
) -> None:
    image = made[0].lr[0]
    assert image.size == (16, 16)
    assert image.pixels is image.pixels  # held, as there is room
    other = image.showing(np.zeros((16, 16, 3), np.uint8))
    assert ((other.dataset, other.image), other.pixels.max()) == (("Set5", "baby"), 0)


def test_a_damaged_lr_image_is_told_before_anything_is_measured(tmp_path: Path) -> None:
    challenge = rulebook.read(str(write_challenge(tmp_path / "tiny.toml")))
    found = find("Set5", data_dir=write_set5(tmp_path / "data"), scale=4)
    (tmp_path / "data" / "Set5" / "HR" / "bird.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"bird\.png"):
        gather(challenge, (found,), ())


def test_a_damaged_truth_is_told_too_where_no_floor_reads_it_first(tmp_path: Path) -> None:
    challenge = rulebook.read(str(write_challenge(tmp_path / "tiny.toml")))
    place = write_set5(tmp_path / "data")
    lr = place / "Set5" / "LR_x4"
    lr.mkdir()
    for name in ("baby", "bird"):  # of the truths' sizes; the truth is not needed to make them
        cv2.imwrite(str(lr / f"{name}x4.png"), np.zeros((16, 16, 3), np.uint8))
    found = find("Set5", data_dir=place, scale=4)
    hr = place / "Set5" / "HR" / "bird.png"
    hr.write_bytes(hr.read_bytes()[:-20])  # its header is whole
    gather(challenge, (found,), ())
    with pytest.raises(DatasetError, match=r"bird\.png"):
        gather(replace(challenge, show_floor=False), (found,), ())
