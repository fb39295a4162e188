from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from harness.quality.bicubic import downscale, upscale
from reference_models.training import batches, images
from reference_models.training.faults import TrainingError
from reference_models.training.recipe import Contrastive, Stage


def _read(folder: Path, **options: int) -> tuple[images.Pair, ...]:
    return images.read_folder(folder, scale=4, **{"smallest_side": 60, **options})


def _stage(contrastive: Contrastive | None = None) -> Stage:
    return Stage("it", 10, 5, 60, "l1", 1e-3, "constant", contrastive=contrastive)


def test_pairs_are_rgb_with_lr_by_matlab_bicubic(photographs: Path) -> None:
    bgr = cv2.imread(str(photographs / "2.png"))
    pair = _read(photographs)[2]
    assert pair.name == "2.png"
    assert np.array_equal(pair.hr, bgr[:, :, ::-1])
    assert np.array_equal(pair.lr, downscale(pair.hr, 4))


def test_an_empty_or_missing_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(TrainingError, match="holds no images"):
        _read(tmp_path)
    with pytest.raises(TrainingError, match="is no folder"):
        _read(tmp_path / "nowhere")


def test_every_image_that_cannot_be_used_is_named(photographs: Path) -> None:
    random = np.random.default_rng(1)
    small = random.integers(0, 256, (59, 80, 3), dtype=np.uint8)
    deep = random.integers(0, 65536, (80, 80, 3), dtype=np.uint16)
    cv2.imwrite(str(photographs / "small.png"), small)
    cv2.imwrite(str(photographs / "deep.png"), deep)
    cv2.imwrite(str(photographs / "deep.tif"), deep)
    whole = (photographs / "0.png").read_bytes()
    (photographs / "cut.png").write_bytes(whole[: len(whole) // 2])
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    (photographs / "flipped.png").write_bytes(flipped)
    jpeg = cv2.imencode(".jpg", random.integers(0, 256, (200, 200, 3), dtype=np.uint8))[1].tobytes()
    (photographs / "cut.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    (photographs / "noise.jpg").write_bytes(os.urandom(500) + b"\xff\xd9")
    (photographs / "nothing.bmp").write_bytes(b"")
    with pytest.raises(TrainingError) as caught:
        _read(photographs)
    message = str(caught.value)
    assert "8 of 12 images can't be used" in message
    for line in (
        "small.png: is 59x80, smaller than the 60x60",
        "deep.png: is a 16-bit image",
        "deep.tif: is a 16-bit image",
        "cut.png: was cut off",
        "flipped.png: is damaged: a checksum",
        "cut.jpg: was cut off",
        "noise.jpg: cannot be decoded",
        "nothing.bmp: cannot be decoded",
    ):
        assert line in message


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_a_greyscale_image_becomes_three_equal_channels(tmp_path: Path, suffix: str) -> None:
    grey = np.random.default_rng(1).integers(0, 256, (60, 64), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / f"grey.{suffix}"), grey)
    (pair,) = _read(tmp_path)
    assert np.array_equal(pair.hr, np.stack([grey] * 3, axis=2))


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_transparency_is_dropped(tmp_path: Path, suffix: str) -> None:
    bgra = np.random.default_rng(1).integers(0, 256, (60, 64, 4), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / f"clear.{suffix}"), bgra)
    (pair,) = _read(tmp_path)
    assert np.array_equal(pair.hr, bgra[:, :, 2::-1])


def test_jpegs_alone_are_shrunk(photographs: Path) -> None:
    image = cv2.imread(str(photographs / "0.png"))
    cv2.imwrite(str(photographs / "big.jpg"), cv2.resize(image, (224, 192)))
    shapes = {pair.name: pair.hr.shape for pair in _read(photographs, shrink_jpegs=2)}
    assert shapes["big.jpg"] == shapes["0.png"] == (96, 112, 3)


def test_validation_images_are_spread_and_never_trained_on(photographs: Path) -> None:
    pairs = _read(photographs)
    training, held_out = images.split(pairs, 2)
    assert [it.name for it in training] == ["0.png", "2.png"]
    assert [it.name for it in held_out] == ["1.png", "3.png"]
    with pytest.raises(TrainingError, match="holds 4 images, and 4 are kept"):
        images.split(pairs, 4)


def test_a_centre_crop_keeps_hr_and_lr_together(photographs: Path) -> None:
    pair = _read(photographs)[0]
    crop = images.centre_crop(pair, side=64, scale=4)
    assert np.array_equal(crop.hr, pair.hr[16:80, 24:88])
    assert np.array_equal(crop.lr, pair.lr[4:20, 6:22])


def test_a_batch_depends_on_seed_stage_and_iteration_alone(photographs: Path) -> None:
    pairs = _read(photographs)

    def hr(key: tuple[int, int], iteration: int) -> bytes:
        batch = batches.draw(pairs, _stage(), scale=4, key=key, iteration=iteration)
        return batch.hr.numpy().tobytes()

    assert hr((1, 0), 5) == hr((1, 0), 5)
    assert len({hr((1, 0), 5), hr((2, 0), 5), hr((1, 1), 5), hr((1, 0), 6)}) == 4


def test_patches_of_lr_and_hr_belong_together() -> None:
    # every LR pixel stands over 4 x 4 HR pixels of its own colour, however a patch is turned
    coarse = np.random.default_rng(1).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    pair = images.Pair("it", coarse.repeat(4, axis=0).repeat(4, axis=1), coarse)
    batch = batches.draw([pair], _stage(), scale=4, key=(1, 0), iteration=0)
    assert batch.lr.shape == (5, 3, 15, 15)
    assert batch.hr.shape == (5, 3, 60, 60)
    assert np.array_equal(batch.hr[:, :, ::4, ::4], batch.lr)
    assert np.array_equal(batch.hr[:, :, 3::4, 3::4], batch.lr)
    assert batch.bicubic is None


def test_the_contrastive_loss_is_given_the_bicubic_upscaling_of_lr(photographs: Path) -> None:
    stage = _stage(Contrastive(weight=1.0))
    batch = batches.draw(_read(photographs), stage, scale=4, key=(1, 0), iteration=0)
    assert batch.bicubic is not None
    lr = (batch.lr[0].permute(1, 2, 0) * 255).round().numpy().astype(np.uint8)
    expected = upscale(np.ascontiguousarray(lr), 4) / np.float32(255)
    assert np.allclose(batch.bicubic[0].permute(1, 2, 0).numpy(), expected)
