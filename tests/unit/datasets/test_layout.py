from __future__ import annotations

from pathlib import Path

import pytest
from fakes.image_folders import SET5, write_image, write_pairs, write_tree

from harness.datasets.dataset import DatasetError
from harness.datasets.find import find
from harness.datasets.known import known, lookup
from harness.datasets.layout import SCALES, at_hand

# whose checkout or archive it is: HR, LR
PUBLIC = {
    "EDSR": ("Set5/HR/*.png", "Set5/LR_bicubic/X4/*x4.png"),
    "EDSR's archive": ("benchmark/Set5/HR/*.png", "benchmark/Set5/LR_bicubic/X4/*x4.png"),
    "DAT": ("datasets/benchmark/Set5/HR/*.png", "datasets/benchmark/Set5/LR_bicubic/X4/*x4.png"),
    "SwinIR, KAIR": ("testsets/Set5/HR/*.png", "testsets/Set5/LR_bicubic/X4/*x4.png"),
    "MuLUT": ("SRBenchmark/Set5/HR/*.png", "SRBenchmark/Set5/LR_bicubic/X4/*x4.png"),
    "PAN": ("datasets/Set5/HR/*.png", "datasets/Set5/LR_bicubic/X4/*x4.png"),
    "RCAN": ("HR/Set5/x4/*_HR_x4.png", "LR/LRBI/Set5/x4/*_LRBI_x4.png"),
    "RCAN, renamed": ("HR/Set5/x4/*.png", "LR/LRBI/Set5/x4/*x4.png"),
    "ATD": ("TestDataSR/HR/Set5/x4/*_HR_x4.png", "TestDataSR/LR/LRBI/Set5/x4/*_LRBI_x4.png"),
    "HR of all scales": ("HR/Set5/*.png", "LR/Set5/x4/*.png"),
    "IMDN, RFDN": ("Test_Datasets/Set5/*.bmp", "Test_Datasets/Set5_LR/x4/*x4.bmp"),
    "IMDN's folder": ("Set5/*.png", "Set5_LR/x4/*x4.png"),
    "CARN": ("dataset/Set5/x4/*_SRF_4_HR.png", "dataset/Set5/x4/*_SRF_4_LR.png"),
    "CARN, renamed": ("Set5/x4/*_HR.png", "Set5/x4/*_LR.png"),
    "BasicSR": ("Set5/GTmod12/*.png", "Set5/LRbicx4/*.png"),
    "BasicSR, ends kept": ("Set5/GTmod12/*.png", "Set5/LRbicx4/*_bicLRx4.png"),
    "BasicSR's checkout": ("datasets/Set5/GTmod12/*.png", "datasets/Set5/LRbicx4/*.png"),
    "HAT": ("datasets/Set5/GTmod4/*.png", "datasets/Set5/LRbicx4/*x4.png"),
    "SRGAN-PyTorch": ("Set5/original/*.png", "Set5/LRbicx4/*.png"),
    "BasicSR, HR on top": ("Set5/*.png", "Set5/LRbicx4/*.png"),
    "ESRGAN": ("val_set5/Set5/*.png", "val_set5/Set5_bicLRx4/*_bicLRx4.png"),
    "MMEditing": ("data/val_set5/Set5_mod12/*.png", "data/val_set5/Set5_bicLRx4/*.png"),
    "super-image": ("Set5/Set5_HR/*.png", "Set5/Set5_LR_x4/*.png"),
    "siblings": ("Set5_HR/*.png", "Set5_LR_x4/*.png"),
    "siblings, by bicubic": ("Set5_HR/*.png", "Set5_LR_bicubic/X4/*x4.png"),
    "SelfExSR": ("data/Set5/image_SRF_4/*_SRF_4_HR.png", "data/Set5/image_SRF_4/*_SRF_4_LR.png"),
    "SelfExSR's folder": ("Set5/image_SRF_4/*_SRF_4_HR.png", "Set5/image_SRF_4/*_SRF_4_LR.png"),
    "SelfExSR, sorted": (
        "Set5/image_SRF_4/HR/*_SRF_4_HR.png",
        "Set5/image_SRF_4/LR/*_SRF_4_LR.png",
    ),
    "SelfExSR, apart": ("Set5/image_SRF_4_HR/*.png", "Set5/image_SRF_4_LR/*.png"),
    "two folders": ("Set5/HR/*.png", "Set5/LR_x4/*_x4.png"),
    "two folders, by scale": ("Set5/HR/*.png", "Set5/LR/x4/*x4.png"),
    "names in lower case": ("set5/hr/*.png", "set5/lr_bicubic/x4/*x4.png"),
    "names in upper case": ("SET5/HR/*.PNG", "SET5/LR_BICUBIC/X4/*X4.PNG"),
    "TIFF": ("Set5/HR/*.tif", "Set5/LR_x4/*x4.tiff"),
    "formats mixed": ("Set5/HR/*.bmp", "Set5/LR_x4/*x4.png"),
}


@pytest.mark.parametrize("whose", PUBLIC)
def test_set5_is_found_as_it_lies_in_public_repositories(tmp_path: Path, whose: str) -> None:
    hr, lr = PUBLIC[whose]
    write_pairs(tmp_path, hr, lr)
    dataset = find("Set5", data_dir=tmp_path, scale=4)
    assert [pair.image for pair in dataset.pairs] == list(SET5)
    assert dataset.pairs[0].hr == tmp_path / hr.replace("*", "baby")
    assert dataset.pairs[0].lr == tmp_path / lr.replace("*", "baby")
    assert {pair.lr_size for pair in dataset.pairs} == {(4, 3)}
    assert dataset.lr_origin == "files"
    assert dataset.notes == (
        "LR files are MATLAB's bicubic of HR, borders mirrored (compared: baby, butterfly, woman)",
    )


@pytest.mark.parametrize("whose", PUBLIC)
@pytest.mark.parametrize("scale", [2, 3, 8])
def test_every_layout_has_every_scale(tmp_path: Path, whose: str, scale: int) -> None:
    forms = [path.replace("4", str(scale)).replace("GTmod12", "GTmod12") for path in PUBLIC[whose]]
    write_pairs(tmp_path, forms[0], forms[1], scale=scale)
    dataset = find("Set5", data_dir=tmp_path, scale=scale)
    assert dataset.pairs[0].lr == tmp_path / forms[1].replace("*", "baby")
    assert at_hand(lookup("Set5"), tmp_path, scale=scale) == (5, 5)


@pytest.mark.parametrize("name", [it.name for it in known() if it.layouts])
@pytest.mark.parametrize("case", [str.lower, str.upper, str])
def test_names_of_datasets_are_taken_in_any_case(tmp_path: Path, name: str, case: type) -> None:
    image = "0901" if name == "DIV2K_test" else "0801"
    write_tree(tmp_path, {f"{case(name)}/HR/{image}.png": (16, 12)})
    assert len(find(name, data_dir=tmp_path, scale=4).pairs) == 1


@pytest.mark.parametrize(
    ("name", "hr", "lr"),
    [
        (
            "DIV2K_valid",
            "DIV2K/DIV2K_valid_HR/0801.png",
            "DIV2K/DIV2K_valid_LR_bicubic/X4/0801x4.png",
        ),
        ("DIV2K_valid", "DIV2K_valid_HR/0801.png", "DIV2K_valid_LR_x4/0801x4.png"),
        ("DIV2K_valid", "DIV2K_valid_HR/0801.png", "DIV2K_valid_LR/0801x4.png"),
        (
            "DIV2K_valid",
            "DIV2K/DIV2K_train_HR/0801.png",
            "DIV2K/DIV2K_train_LR_bicubic/X4/0801x4.png",
        ),
        ("DIV2K_valid", "DIV2K_valid/HR/0900.png", "DIV2K_valid/LR_x4/0900x4.png"),
        ("DIV2K_test", "DIV2K_test_HR/0901.png", "DIV2K_test_LR/0901.png"),
        (
            "DIV2K_LSDIR_valid",
            "DIV2K_LSDIR_valid_HR/000001.png",
            "DIV2K_LSDIR_valid_LR/000001x4.png",
        ),
        ("DIV2K_LSDIR_valid", "LSDIR_DIV2K_valid_HR/0801.png", "LSDIR_DIV2K_valid_LR/0801x4.png"),
        ("DIV2K_LSDIR_test", "DIV2K_LSDIR_test_HR/0901.png", "DIV2K_LSDIR_test_LR/0901x4.png"),
        ("B100", "BSD100/image_SRF_4/a_SRF_4_HR.png", "BSD100/image_SRF_4/a_SRF_4_LR.png"),
        ("B100", "BSDS100/GTmod12/3096.png", "BSDS100/LRbicx4/3096.png"),
        ("B100", "datasets/BSDS100/3096.png", "datasets/BSDS100/LRbicx4/3096.png"),
        ("B100", "benchmark/BSD100/GTmod4/3096.png", "benchmark/BSD100/LRbicx4/3096.png"),
        ("Urban100", "Urban100/HR/img_001.png", "Urban100/LR_x4/img_001.png"),
        (
            "Urban100",
            "datasets/urban100/GTmod12/img_001.png",
            "datasets/urban100/LRbicx4/img_001.png",
        ),
        ("Manga109", "Manga109/HR/Arisa.png", "Manga109/LR_bicubic/X4/Arisax4.png"),
        ("Manga109", "datasets/manga109/GTmod4/Arisa.png", "datasets/manga109/LRbicx4/Arisa.png"),
        ("Manga109", "CManga109/HR/Arisa.png", "CManga109/LR_bicubic/X4/Arisax4.png"),
    ],
)
def test_a_dataset_is_found_in_its_usual_layout(
    tmp_path: Path, name: str, hr: str, lr: str
) -> None:
    write_tree(tmp_path, {hr: (16, 12), lr: (4, 3)})
    dataset = find(name, data_dir=tmp_path, scale=4)
    (pair,) = dataset.pairs
    assert (pair.hr, pair.lr) == (tmp_path / hr, tmp_path / lr)
    assert pair.image == Path(hr).stem.removesuffix("_SRF_4_HR")
    assert dataset.notes[0].startswith("1 of ")


@pytest.mark.parametrize("folder", ["SR_testing_datasets/Set5", "Set5"])
@pytest.mark.parametrize("file", ["*.png", "*_GT.bmp"])
def test_hr_alone_in_a_folder_of_its_own_gets_lr_by_our_bicubic(
    tmp_path: Path, folder: str, file: str
) -> None:
    write_tree(tmp_path, {f"{folder}/{file.replace('*', image)}": (16, 12) for image in SET5})
    dataset = find("Set5", data_dir=tmp_path, scale=4)
    assert (len(dataset.pairs), dataset.lr_origin) == (5, "bicubic")


def test_the_preferred_format_is_taken_where_an_image_is_there_in_several(tmp_path: Path) -> None:
    write_pairs(tmp_path, "Set5/HR/*.png", "Set5/LR_x4/*x4.png")
    write_pairs(tmp_path, "Set5/HR/*.bmp", "Set5/LR_x4/*x4.tif")
    (tmp_path / "Set5/HR/woman.png").unlink()
    pairs = find("Set5", data_dir=tmp_path, scale=4).pairs
    assert [pair.hr.suffix for pair in pairs if pair.hr] == [".png"] * 4 + [".bmp"]
    assert {pair.lr.suffix for pair in pairs if pair.lr} == {".png"}


def test_lr_and_hr_are_partners_in_any_case(tmp_path: Path) -> None:
    write_tree(tmp_path, {"Set5/HR/Baby.png": (16, 12), "Set5/LR_x4/babyX4.png": (4, 3)})
    (pair,) = find("Set5", data_dir=tmp_path, scale=4).pairs
    assert pair.image == "Baby"


def test_names_that_differ_in_case_alone_are_images_of_their_own(tmp_path: Path) -> None:
    write_tree(tmp_path, {f"Set5/HR/{name}.png": (16, 12) for name in ("a", "A")})
    write_tree(tmp_path, {f"Set5/LR_x4/{name}x4.png": (4, 3) for name in ("a", "A")})
    pairs = find("Set5", data_dir=tmp_path, scale=4).pairs
    assert [(it.image, it.lr and it.lr.name) for it in pairs] == [
        ("A", "Ax4.png"),
        ("a", "ax4.png"),
    ]


@pytest.mark.parametrize(
    "files",
    [
        ("babyx4.png", "birdx4.png"),
        ("baby_x2.png",),
        ("baby_LR.png", "bird.png"),
        ("baby.png", "babyx4.png"),
        ("baby.png", "babyx3.png"),
        ("baby_HR.png", "baby_LR.png"),
        ("img_001_SRF_4_HR.png", "img_001_SRF_4_LR.png"),
        ("baby_LRBI_x4.bmp",),
    ],
)
def test_lr_in_a_flat_folder_is_never_read_as_hr(tmp_path: Path, files: tuple[str, ...]) -> None:
    write_tree(tmp_path, {f"Set5/{file}": (16, 12) for file in files})
    with pytest.raises(DatasetError, match=r"is read as HR, and the names of \d files say LR"):
        find("Set5", data_dir=tmp_path, scale=4)


@pytest.mark.parametrize(
    "files", [("linux2.png", "baby.png"), ("color.png",), ("lr_boat.png",), ("x4.png",)]
)
def test_images_whose_names_resemble_lr_are_hr(tmp_path: Path, files: tuple[str, ...]) -> None:
    write_tree(tmp_path, {f"Set5/{file}": (16, 12) for file in files})
    assert len(find("Set5", data_dir=tmp_path, scale=4).pairs) == len(files)


@pytest.mark.parametrize(
    ("hr", "size"),
    [
        ("data/Urban100/image_SRF_2/img_001_SRF_2_HR.png", (16, 12)),
        ("Urban100/image_SRF_2/HR/img_001.png", (16, 12)),
        ("Urban100/HR/img_001.png", (2, 512)),  # the same images, moved
    ],
)
def test_selfexsr_s_half_size_copy_of_urban100_is_refused_with_the_reason(
    tmp_path: Path, hr: str, size: tuple[int, int]
) -> None:
    write_image(tmp_path / hr, *size)
    with pytest.raises(DatasetError, match="image_SRF_4 at half its size") as caught:
        find("Urban100", data_dir=tmp_path, scale=2)
    assert str((tmp_path / hr).parent) in str(caught.value)


def test_urban100_of_full_size_is_taken_at_x2(tmp_path: Path) -> None:
    write_image(tmp_path / "Urban100/HR/img_001.png", 2, 1024)
    assert len(find("Urban100", data_dir=tmp_path, scale=2).pairs) == 1


def test_what_is_at_hand_is_counted_for_each_scale(tmp_path: Path) -> None:
    write_pairs(tmp_path, "Set5/HR/*.png", "Set5/LR_bicubic/X4/*x4.png")
    write_tree(
        tmp_path, {"Set5/LR_bicubic/X2/babyx2.png": (8, 6), "DIV2K_test_LR/0901.png": (4, 3)}
    )
    counts = [at_hand(lookup("Set5"), tmp_path, scale=scale) for scale in SCALES]
    assert counts == [(5, 1), (5, 0), (5, 5), (5, 0)]
    assert at_hand(lookup("DIV2K_test"), tmp_path, scale=4) == (0, 1)
    assert at_hand(lookup("Set14"), tmp_path, scale=4) == (0, 0)


def test_lr_of_another_scale_is_not_at_hand_where_a_name_says_none(tmp_path: Path) -> None:
    write_pairs(tmp_path, "Set5_HR/*.png", "Set5_LR/*x4.png")
    assert [at_hand(lookup("Set5"), tmp_path, scale=it) for it in (2, 4)] == [(5, 0), (5, 5)]
