from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes.challenges import write_set5
from fakes.image_folders import SET5, write_image, write_pairs, write_tree

from harness.core.outcome import BadInput
from harness.datasets.dataset import Dataset, DatasetError, DatasetMissing, read_hr, read_lr
from harness.datasets.find import bundled_truths, find, find_all, truth_folders
from harness.datasets.known import lookup
from harness.rules import rulebook


def faults(root: Path, name: str = "Set5", *, truth: bool = True) -> tuple[str, ...]:
    with pytest.raises(DatasetError) as caught:
        find(name, data_dir=root, scale=4, truth=truth)
    return tuple(fault.replace(f"{root}/", "") for fault in caught.value.faults)


def test_the_scale_chooses_the_lr_folder(tmp_path: Path) -> None:
    write_pairs(tmp_path, "Set5/HR/*.png", "Set5/LR_x4/*x4.png")
    write_tree(tmp_path, {f"Set5/LR_x2/{image}x2.png": (8, 6) for image in SET5})
    dataset = find("Set5", data_dir=tmp_path, scale=2)
    assert dataset.pairs[0].lr == tmp_path / "Set5/LR_x2/babyx2.png"
    assert dataset.pairs[0].lr_size == (8, 6)


def test_a_layout_with_both_folders_goes_before_an_earlier_one_with_hr_alone(
    tmp_path: Path,
) -> None:
    write_tree(tmp_path, {f"Set5/HR/{image}.png": (19, 15) for image in SET5})
    write_pairs(tmp_path, "Set5/GTmod12/*.png", "Set5/LRbicx4/*.png")
    dataset = find("Set5", data_dir=tmp_path, scale=4)
    assert dataset.pairs[0].hr == tmp_path / "Set5/GTmod12/baby.png"


def test_lr_is_made_by_our_bicubic_where_only_hr_is_given(tmp_path: Path) -> None:
    write_tree(tmp_path, {f"Set5/HR/{image}.png": (18, 15) for image in SET5})
    dataset = find("Set5", data_dir=tmp_path, scale=4)
    assert dataset.lr_origin == "bicubic"
    assert dataset.pairs[0].lr is None
    assert dataset.pairs[0].lr_size == (4, 3)
    assert dataset.notes == (
        "LR made from HR by the harness's MATLAB bicubic",
        (
            "HR cropped at the bottom and right to a multiple of the scale: "
            "baby, bird, butterfly, head, woman"
        ),
    )
    assert read_lr(dataset.pairs[0], scale=4).tolist() == [[[128] * 3] * 3] * 4
    assert read_hr(dataset.pairs[0], scale=4).shape == (16, 12, 3)


def test_an_image_whose_name_ends_like_a_suffix_keeps_its_name(tmp_path: Path) -> None:
    write_tree(tmp_path, {"Set5/HR/boxx4.png": (8, 8), "Set5/LR_x4/boxx4.png": (2, 2)})
    (pair,) = find("Set5", data_dir=tmp_path, scale=4).pairs
    assert pair.image == "boxx4"


def test_files_outside_of_the_numbers_are_somebody_elses(tmp_path: Path) -> None:
    numbers = ("0001", "0800", "0801", "0900", "0901")
    write_tree(tmp_path, {f"DIV2K/DIV2K_train_HR/{number}.png": (8, 8) for number in numbers})
    dataset = find("DIV2K_valid", data_dir=tmp_path, scale=4)
    assert [pair.image for pair in dataset.pairs] == ["0801", "0900"]


def test_hidden_files_and_files_of_other_kinds_are_ignored(tmp_path: Path) -> None:
    write_pairs(tmp_path, "Set5/HR/*.png", "Set5/LR_x4/*x4.png")
    (tmp_path / "Set5/HR/._baby.png").write_bytes(b"resource fork")
    (tmp_path / "Set5/HR/readme.txt").write_text("read me")
    assert len(find("Set5", data_dir=tmp_path, scale=4).pairs) == 5


def test_missing_partners_are_all_named(tmp_path: Path) -> None:
    write_pairs(tmp_path, "Set5/HR/*.png", "Set5/LR_x4/*x4.png")
    (tmp_path / "Set5/HR/baby.png").unlink()
    (tmp_path / "Set5/HR/bird.png").unlink()
    (tmp_path / "Set5/LR_x4/headx4.png").unlink()
    assert faults(tmp_path) == (
        (
            "Set5/HR/head.png has no LR partner (looked for head_LRBI_x4.png or head_bicLRx4.png "
            "or head_LR_x4.png or head_x4.png or headx4.png or head.png in Set5/LR_x4; "
            "without any LR file in that folder, LR is made from HR)"
        ),
        "Set5/LR_x4/babyx4.png has no HR partner (looked for baby.png in Set5/HR)",
        "Set5/LR_x4/birdx4.png has no HR partner (looked for bird.png in Set5/HR)",
    )


@pytest.mark.parametrize("truth", [True, False])
def test_two_files_of_one_image_are_a_fault(tmp_path: Path, truth: bool) -> None:
    write_pairs(tmp_path, "Set5/HR/*.png", "Set5/LR_x4/*x4.png")
    write_image(tmp_path / "Set5/LR_x4/baby.png", 4, 3)
    assert faults(tmp_path, truth=truth) == (
        "Set5/LR_x4/baby.png and Set5/LR_x4/babyx4.png are one image: keep one",
    )


@pytest.mark.parametrize("size", [(16, 12), (17, 12), (19, 15)])
def test_hr_may_be_larger_by_less_than_the_scale(tmp_path: Path, size: tuple[int, int]) -> None:
    write_tree(tmp_path, {"Set5/HR/baby.png": size, "Set5/LR_x4/babyx4.png": (4, 3)})
    dataset = find("Set5", data_dir=tmp_path, scale=4)
    assert read_hr(dataset.pairs[0], scale=4).shape == (16, 12, 3)
    assert any("cropped" in note for note in dataset.notes) == (size != (16, 12))


@pytest.mark.parametrize("size", [(15, 12), (16, 11), (20, 12), (16, 16), (8, 6), (12, 16)])
def test_hr_of_another_size_is_a_fault_that_names_both(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    write_tree(tmp_path, {"Set5/HR/baby.png": size, "Set5/LR_x4/babyx4.png": (4, 3)})
    (fault,) = faults(tmp_path)
    assert fault.startswith(
        f"baby: HR is {size[0]}x{size[1]}, LR 4x3 (height x width); HR must be 4 times LR, 16x12"
    )
    assert fault.endswith("(Set5/HR/baby.png, Set5/LR_x4/babyx4.png)")


def test_hr_smaller_than_the_scale_is_a_fault(tmp_path: Path) -> None:
    write_image(tmp_path / "Set5/HR/baby.png", 3, 12)
    assert faults(tmp_path) == ("baby: HR is 3x12, smaller than the scale 4 (Set5/HR/baby.png)",)


def test_faults_of_every_kind_come_in_one_error(tmp_path: Path) -> None:
    write_pairs(tmp_path, "Set5/HR/*.png", "Set5/LR_x4/*x4.png")
    (tmp_path / "Set5/LR_x4/babyx4.png").unlink()
    (tmp_path / "Set5/HR/bird.png").write_bytes(b"no image")
    deep = np.zeros((16, 12, 3), np.uint16)
    assert cv2.imwrite(str(tmp_path / "Set5/HR/butterfly.png"), deep)
    head = tmp_path / "Set5/HR/head.png"
    head.write_bytes(head.read_bytes()[:-5])
    write_image(tmp_path / "Set5/HR/woman.png", 32, 24)
    found = faults(tmp_path)
    parts = ["has no LR partner", "is no PNG", "16-bit", "was cut off", "woman: HR is 32x24"]
    assert [part for part in parts if any(part in fault for fault in found)] == parts
    assert len(found) == 5


def test_the_message_lists_faults_line_by_line_and_says_what_to_do(tmp_path: Path) -> None:
    for image in ("baby", "bird"):
        write_image(tmp_path / f"Set5/HR/{image}.png", 1, 1)
    with pytest.raises(DatasetError) as caught:
        find("Set5", data_dir=tmp_path, scale=4)
    lines = str(caught.value).splitlines()
    assert lines[0] == "Set5: 2 faults:"
    assert lines[1].startswith("  - ")
    assert lines[3].startswith("Repair or replace what is named")


def test_more_images_than_the_dataset_has_are_a_fault(tmp_path: Path) -> None:
    write_tree(tmp_path, {f"Set5/HR/{number}.png": (8, 8) for number in range(6)})
    assert faults(tmp_path) == (
        "6 images where Set5 has 5: take out the others, or correct the count of your own set",
    )


def test_fewer_images_than_the_dataset_has_are_a_note(tmp_path: Path) -> None:
    write_tree(tmp_path, {"Set5/HR/baby.png": (16, 12), "Set5/LR_x4/babyx4.png": (4, 3)})
    assert find("Set5", data_dir=tmp_path, scale=4).notes[:1] == ("1 of 5 images",)


def test_dropped_alpha_is_a_note(tmp_path: Path) -> None:
    path = tmp_path / "Set5/HR/baby.png"
    path.parent.mkdir(parents=True)
    assert cv2.imwrite(str(path), np.zeros((8, 8, 4), np.uint8))
    assert "alpha dropped: baby" in find("Set5", data_dir=tmp_path, scale=4).notes


def test_lr_alone_serves_where_no_truth_is_asked_for(tmp_path: Path) -> None:
    write_tree(tmp_path, {f"DIV2K_test/LR_x4/{number}.png": (4, 3) for number in ("0901", "1000")})
    dataset = find("DIV2K_test", data_dir=tmp_path, scale=4, truth=False)
    assert [(pair.image, pair.hr) for pair in dataset.pairs] == [("0901", None), ("1000", None)]
    assert dataset.notes == ("2 of 100 images", "LR alone, no HR to score against")


def test_hr_is_ignored_where_no_truth_is_asked_for(tmp_path: Path) -> None:
    write_tree(tmp_path, {"Set5/HR/bird.png": (16, 12), "Set5/LR_x4/babyx4.png": (4, 3)})
    dataset = find("Set5", data_dir=tmp_path, scale=4, truth=False)
    assert [(pair.image, pair.hr) for pair in dataset.pairs] == [("baby", None)]


def test_lr_alone_is_a_fault_where_truth_is_asked_for(tmp_path: Path) -> None:
    write_image(tmp_path / "DIV2K_test/LR_x4/0901.png", 4, 3)
    with pytest.raises(DatasetError, match="truth = false") as caught:
        find("DIV2K_test", data_dir=tmp_path, scale=4)
    assert not isinstance(caught.value, DatasetMissing)
    assert "1 LR images in" in caught.value.faults[0]
    assert "no HR images" in caught.value.faults[0]


def test_nothing_found_says_where_was_searched_and_where_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "Set5/HR").mkdir(parents=True)
    with pytest.raises(DatasetMissing) as caught:
        find("Set5", data_dir=tmp_path, scale=4)
    text = str(caught.value)
    assert f"Set5: no image found under {tmp_path}" in text
    assert "people.rennes.inria.fr" in text
    assert "Set5/HR with Set5/LR_bicubic/X4" in text
    assert "named Set5 or Set5/Set5 or val_set5/Set5 in any case, there and in benchmark" in text


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".webp", ".ppm"])
@pytest.mark.parametrize("folder", ["Set5", "Set5/HR", "Set5/LR_x4", "HR/Set5/x4"])
def test_images_of_other_formats_are_told_and_never_left_out(
    tmp_path: Path, folder: str, suffix: str
) -> None:
    (tmp_path / folder).mkdir(parents=True)
    for image in SET5[:4]:
        (tmp_path / folder / f"{image}{suffix}").write_bytes(b"x")
    with pytest.raises(DatasetError, match=r"Convert them to 8-bit PNG") as caught:
        find("Set5", data_dir=tmp_path, scale=4, truth="LR" not in folder)
    assert not isinstance(caught.value, DatasetMissing)
    (fault,) = caught.value.faults
    assert fault == (
        f"{tmp_path}/{folder} has 4 {suffix} files, which are "
        f"{'' if suffix == '.ppm' else 'lossy and '}not read: "
        f"baby{suffix}, bird{suffix}, butterfly{suffix} and 1 more"
    )


def test_lr_of_another_format_is_not_replaced_by_our_own(tmp_path: Path) -> None:
    write_tree(tmp_path, {f"Set5/HR/{image}.png": (16, 12) for image in SET5})
    (tmp_path / "Set5/LR_x4").mkdir()
    (tmp_path / "Set5/LR_x4/babyx4.ppm").write_bytes(b"BM")
    assert faults(tmp_path) == ("Set5/LR_x4 has 1 .ppm files, which are not read: babyx4.ppm",)


def test_a_part_of_a_dataset_in_another_format_is_told(tmp_path: Path) -> None:
    write_tree(tmp_path, {f"Set5/HR/{image}.png": (16, 12) for image in SET5[:4]})
    (tmp_path / "Set5/HR/woman.jpg").write_bytes(b"x")
    assert faults(tmp_path) == (
        "Set5/HR has 1 .jpg files, which are lossy and not read: woman.jpg",
    )


def test_images_of_other_formats_beside_a_whole_dataset_are_somebody_elses(tmp_path: Path) -> None:
    write_tree(tmp_path, {f"Set5/HR/{image}.png": (16, 12) for image in SET5})
    (tmp_path / "Set5/HR/preview.jpg").write_bytes(b"x")
    assert len(find("Set5", data_dir=tmp_path, scale=4).pairs) == 5


COMPOSED, DECOMPOSED = "bébé", "be\u0301be\u0301"


@pytest.mark.parametrize("folder", ["Set5", "Sé5", "Se\u03015"])
@pytest.mark.parametrize(("hr", "lr"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)])
def test_names_are_one_however_their_accents_are_written(
    tmp_path: Path, folder: str, hr: str, lr: str
) -> None:
    mine = dataclasses.replace(lookup("Set5"), name="mine", folders=("Set5", "Sé5"))
    write_tree(tmp_path, {f"{folder}/HR/{hr}.png": (16, 12), f"{folder}/LR_x4/{lr}x4.png": (4, 3)})
    dataset = find("mine", data_dir=tmp_path, scale=4, defined=(mine,))
    assert [pair.image for pair in dataset.pairs] == [COMPOSED]
    assert dataset.lr_origin == "files"


def test_names_that_collide_are_told(tmp_path: Path) -> None:
    for name in (COMPOSED, DECOMPOSED):
        (tmp_path / "Set5/HR").mkdir(parents=True, exist_ok=True)
        (tmp_path / "Set5/HR" / f"{name}.png").write_bytes(b"x")
    (doubled, *_) = faults(tmp_path)
    assert "are one image (their accents are written in composed and in decomposed" in doubled


def test_an_image_that_is_too_small_for_the_rules_is_named_before_anything_runs(
    tmp_path: Path,
) -> None:
    challenge = rulebook.read("classic_x4")  # a border of 4 pixels, a window of 11
    write_set5(tmp_path)
    write_image(tmp_path / "Set5/HR/baby.png", 18, 40)
    write_image(tmp_path / "Set5/LR_bicubic/X4/babyx4.png", 4, 10)
    with pytest.raises(BadInput, match=r"baby: HR has 16x40 pixels to score, and at least 19x19"):
        find_all(challenge, tmp_path)


def test_lr_of_another_cropping_is_taken_where_it_is_asked_for_and_said(tmp_path: Path) -> None:
    write_tree(tmp_path, {"Set5/HR/baby.png": (35, 30), "Set5/LR_x4/babyx4.png": (6, 8)})
    assert "`--crop common`" in faults(tmp_path)[0]
    dataset = find("Set5", data_dir=tmp_path, scale=4, crop="common")
    (pair,) = dataset.pairs
    assert read_lr(pair, scale=4).shape == (6, 7, 3)
    assert read_hr(pair, scale=4).shape == (24, 28, 3)
    assert "HR and LR cropped at the bottom and right to what both hold: baby" in dataset.notes


def test_no_data_folder_means_missing() -> None:
    with pytest.raises(DatasetMissing, match=r"Pass --data-dir\. Where Set5 .* is had: http"):
        find("Set5", data_dir=None, scale=4)


def test_a_data_folder_that_does_not_exist_is_not_skipped_as_missing(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is no folder") as caught:
        find("Set5", data_dir=tmp_path / "typo", scale=4)
    assert not isinstance(caught.value, DatasetMissing)


@pytest.mark.parametrize(
    ("name", "scale", "count", "truth"),
    [
        ("Set5", 4, 5, True),
        ("Set5", 2, 5, True),
        ("Set14", 4, 14, True),
        ("Set14", 2, 14, True),
        ("DIV2K_test", 4, 8, False),
    ],
)
def test_the_evaluation_material_is_found(
    shared_dir: Path, name: str, scale: int, count: int, truth: bool
) -> None:
    dataset = find(name, data_dir=shared_dir / "data", scale=scale, truth=truth)
    assert len(dataset.pairs) == count
    assert dataset.lr_origin == "files"
    assert ("8 of 100 images" in dataset.notes) == (name == "DIV2K_test")


@pytest.mark.parametrize(("name", "scale"), [("Set5", 4), ("Set5", 2), ("Set14", 4)])
def test_lr_of_our_own_equals_the_published_files(
    shared_dir: Path, tmp_path: Path, name: str, scale: int
) -> None:
    published = find(name, data_dir=shared_dir / "data", scale=scale)
    (tmp_path / name).mkdir()
    (tmp_path / name / "HR").symlink_to(shared_dir / "data" / name / "HR")
    own: Dataset = find(name, data_dir=tmp_path, scale=scale)
    assert own.lr_origin == "bicubic"
    for ours, theirs in zip(own.pairs, published.pairs, strict=True):
        assert ours.lr_size == theirs.lr_size
        assert np.array_equal(read_lr(ours, scale=scale), read_lr(theirs, scale=scale)), ours.image


def test_optional_datasets_that_are_missing_leave_with_their_columns(tmp_path: Path) -> None:
    challenge = rulebook.read("classic_x4")
    kept, found, notes = find_all(challenge, write_set5(tmp_path))
    assert [it.name for it in found] == ["Set5"]
    assert [use.name for use in kept.datasets] == ["Set5"]
    assert not any("Set14" in column.metric for column in kept.columns)
    assert any(note.startswith("Left out: Set14") for note in notes)


@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        ("B100/HR/3096.jpg", b"\xff\xd8\xff", "which are lossy and not read: 3096.jpg"),
        ("B100/HR/3096.png", b"\x89PNG\r\n\x1a\n", "was cut off before its end"),
        ("B100/HR/3096.bmp", b"BM", "is no BMP file that can be read"),
        ("B100/3096x4.png", b"", "the names of 1 files say LR"),
        ("Urban100/image_SRF_4/a_SRF_4_LR.png", b"", "but no HR images"),
    ],
)
def test_optional_datasets_that_cannot_be_used_leave_with_the_reason(
    tmp_path: Path, file: str, content: bytes, why: str
) -> None:
    write_set5(tmp_path)
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_bytes(content)
    challenge = rulebook.read("classic_x4")
    kept, found, notes = find_all(challenge, tmp_path)
    assert [it.name for it in found] == [use.name for use in kept.datasets] == ["Set5"]
    name = file.partition("/")[0]
    (note,) = [note for note in notes if note.startswith(f"Left out: {name},")]
    assert why in note
    required = tuple(dataclasses.replace(use, required=True) for use in challenge.datasets)
    with pytest.raises(BadInput, match=why):
        find_all(dataclasses.replace(challenge, datasets=required), tmp_path)


def test_a_data_folder_that_does_not_exist_leaves_no_dataset_out(tmp_path: Path) -> None:
    challenge = rulebook.read("classic_x4")
    optional = tuple(dataclasses.replace(use, required=False) for use in challenge.datasets)
    with pytest.raises(BadInput, match="typo is no folder"):
        find_all(dataclasses.replace(challenge, datasets=optional), tmp_path / "typo")


def test_a_challenge_without_any_of_its_datasets_is_bad_input(tmp_path: Path) -> None:
    challenge = rulebook.read("classic_x4")
    optional = tuple(dataclasses.replace(use, required=False) for use in challenge.datasets)
    with pytest.raises(BadInput, match="none of the datasets of classic_x4 is at hand"):
        find_all(dataclasses.replace(challenge, datasets=optional), tmp_path)


def test_the_faults_of_all_datasets_are_told_at_once(tmp_path: Path) -> None:
    uses = ("DIV2K_valid", "DIV2K_test", "Set5")
    asked = rulebook.parse(
        {
            "id": "mine",
            "title": "Mine",
            "scale": 4,
            "quality_profile": "ntire",
            "datasets": [{"name": name, "split": "test"} for name in uses]
            + [{"name": "Set14", "split": "benchmark", "required": False}],
            "columns": [{"metric": "runtime", "title": "Runtime"}],
        },
        where="mine.toml",
    )
    folder = write_set5(tmp_path) / "DIV2K_test_LR"
    folder.mkdir()
    (folder / "0901x4.png").write_bytes(b"")
    with pytest.raises(BadInput) as caught:
        find_all(asked, tmp_path)
    first, second = str(caught.value).split("DIV2K_test: ")
    assert first.startswith("DIV2K_valid: no image found under ")
    assert second.startswith("1 LR images in ")
    assert "Set14" not in str(caught.value)


def test_bundled_truths_are_the_four_photographs_of_the_sample() -> None:
    names = {path.name for path in bundled_truths()}
    assert names == {"astronaut.png", "chelsea.png", "coffee.png", "ihc.png"}
    assert all(path.is_file() for path in bundled_truths())


def test_folders_of_truths_are_where_the_files_are_and_never_a_package(tmp_path: Path) -> None:
    write_set5(tmp_path / "elsewhere")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "Set5").symlink_to(tmp_path / "elsewhere" / "Set5")
    set5 = find("Set5", data_dir=tmp_path / "data", scale=4)
    sample = find("sample_valid", data_dir=None, scale=4)
    data, really = tmp_path / "data", tmp_path / "elsewhere" / "Set5" / "HR"
    assert truth_folders((set5, sample), data) == (data, really)
    assert truth_folders((sample,), None) == ()
