from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from harness.datasets.completeness import from_package
from harness.datasets.dataset import Dataset, DatasetError, ImagePair, read_hr, read_lr
from harness.datasets.find import _package, find
from harness.datasets.known import lookup
from harness.datasets.pair_sizes import PairRules
from harness.quality.bicubic import downscale


def write(path: Path, height: int, width: int, *, value: int = 128) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((height, width, 3), value, np.uint8))
    return path


def one_pair(root: Path, *, value: int = 128) -> Dataset:
    write(root / "Set5/HR/baby.png", 16, 12, value=value)
    write(root / "Set5/LR_x4/babyx4.png", 4, 3, value=value)
    return find("Set5", data_dir=root, scale=4)


def test_the_digest_does_not_depend_on_where_the_files_lie(tmp_path: Path) -> None:
    first, second = one_pair(tmp_path / "a"), one_pair(tmp_path / "b")
    assert first.digest == second.digest
    assert len(first.digest) == 64


def test_the_digest_changes_with_a_pixel_of_either_file(tmp_path: Path) -> None:
    whole = one_pair(tmp_path).digest
    for file, size in (("HR/baby.png", (16, 12)), ("LR_x4/babyx4.png", (4, 3))):
        one_pair(tmp_path)
        write(tmp_path / "Set5" / file, *size, value=129)
        assert find("Set5", data_dir=tmp_path, scale=4).digest != whole


def test_the_digest_changes_with_a_name(tmp_path: Path) -> None:
    whole = one_pair(tmp_path).digest
    (tmp_path / "Set5/HR/baby.png").rename(tmp_path / "Set5/HR/bird.png")
    (tmp_path / "Set5/LR_x4/babyx4.png").rename(tmp_path / "Set5/LR_x4/birdx4.png")
    assert find("Set5", data_dir=tmp_path, scale=4).digest != whole


def test_the_digest_tells_scale_and_origin_of_lr_apart(tmp_path: Path) -> None:
    digests = {one_pair(tmp_path).digest}
    (tmp_path / "Set5/LR_x4/babyx4.png").unlink()
    digests |= {find("Set5", data_dir=tmp_path, scale=scale).digest for scale in (2, 4)}
    assert len(digests) == 3


def test_the_digest_is_computed_once(tmp_path: Path) -> None:
    dataset = one_pair(tmp_path)
    before = dataset.digest
    (tmp_path / "Set5/HR/baby.png").unlink()
    assert dataset.digest == before


def test_a_file_that_vanished_before_hashing_is_an_error(tmp_path: Path) -> None:
    dataset = one_pair(tmp_path)
    (tmp_path / "Set5/HR/baby.png").unlink()
    with pytest.raises(DatasetError, match=r"baby\.png cannot be read: No such file"):
        _ = dataset.digest


def test_damaged_pixels_are_found_before_anything_runs_and_when_read(tmp_path: Path) -> None:
    (pair,) = one_pair(tmp_path).pairs
    path = tmp_path / "Set5/HR/baby.png"
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 8] ^= 255
    path.write_bytes(data)
    with pytest.raises(DatasetError, match=r"baby\.png is damaged: a checksum does not match"):
        find("Set5", data_dir=tmp_path, scale=4)
    with pytest.raises(DatasetError, match=r"baby\.png is damaged: a checksum does not match"):
        read_hr(pair, scale=4)
    assert read_lr(pair, scale=4).shape == (4, 3, 3)


def test_a_size_that_changed_after_the_check_is_an_error(tmp_path: Path) -> None:
    (pair,) = one_pair(tmp_path).pairs
    write(tmp_path / "Set5/LR_x4/babyx4.png", 5, 3)
    write(tmp_path / "Set5/HR/baby.png", 20, 12)
    for read in (read_lr, read_hr):
        with pytest.raises(DatasetError, match="has changed since the dataset was checked"):
            read(pair, scale=4)


def test_a_pair_without_hr_has_no_truth_to_read(tmp_path: Path) -> None:
    write(tmp_path / "DIV2K_test/LR_x4/0901.png", 4, 3)
    (pair,) = find("DIV2K_test", data_dir=tmp_path, scale=4, truth=False).pairs
    with pytest.raises(ValueError, match="0901: the pair has no HR image"):
        read_hr(pair, scale=4)


def test_a_pair_needs_a_file() -> None:
    with pytest.raises(ValueError, match="baby: a pair needs an LR or an HR file"):
        ImagePair("baby", lr=None, hr=None, lr_size=(4, 3))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_sample_needs_no_data_folder(scale: int) -> None:
    for name in ("sample_valid", "sample_test"):
        dataset = find(name, data_dir=None, scale=scale)
        assert dataset.lr_origin == "bicubic"
        for pair in dataset.pairs:
            hr, lr = read_hr(pair, scale=scale), read_lr(pair, scale=scale)
            assert hr.shape == (lr.shape[0] * scale, lr.shape[1] * scale, 3)
            assert hr.dtype == lr.dtype == np.uint8
            assert lr.shape[:2] == pair.lr_size
            assert np.array_equal(lr, downscale(hr, scale))


def test_the_sample_is_what_the_catalogue_says() -> None:
    sizes = {
        pair.image: pair.lr_size
        for name in ("sample_valid", "sample_test")
        for pair in find(name, data_dir=None, scale=4).pairs
    }
    assert sizes == {
        "astronaut": (128, 128),
        "chelsea": (75, 112),
        "coffee": (100, 150),
        "ihc": (128, 128),
    }
    # 8-bit PNGs as scikit-image has shipped them for years: no note of a changed file
    for name in ("sample_valid", "sample_test"):
        assert not any("differ" in note for note in find(name, data_dir=None, scale=4).notes)


def test_a_photograph_that_differs_from_the_catalogues_is_a_note(tmp_path: Path) -> None:
    item = lookup("sample_test")
    for photo in item.bundled:
        write(tmp_path / photo.file, 8, 8)
    notes = from_package(item, tmp_path, PairRules(4)).notes
    assert (
        "differ from the files that sample_test was drawn up with: data/coffee.png, " in notes[-1]
    )


def test_a_photograph_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"coffee\.png cannot be read: No such file"):
        from_package(lookup("sample_test"), tmp_path, PairRules(4))


def test_a_package_that_is_not_installed_is_named() -> None:
    item = replace(lookup("sample_test"), package="no_such_package_here")
    with pytest.raises(DatasetError, match="the package no_such_package_here is not installed"):
        _package(item)
