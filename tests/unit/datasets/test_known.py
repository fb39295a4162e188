from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from harness.core.dataset_definition import Definition, Layout
from harness.datasets.dataset import DatasetError
from harness.datasets.known import known, layouts_of, lookup

BUNDLED = {"sample_valid", "sample_test"}


def test_the_catalogue_has_the_datasets_of_the_challenges_and_papers() -> None:
    counts = {item.name: item.count for item in known()}
    assert counts == {
        "sample_valid": 2,
        "sample_test": 2,
        "DIV2K_valid": 100,
        "DIV2K_test": 100,
        "DIV2K_LSDIR_valid": 200,
        "DIV2K_LSDIR_test": 200,
        "Set5": 5,
        "Set14": 14,
        "B100": 100,
        "Urban100": 100,
        "Manga109": 109,
    }


@pytest.mark.parametrize("item", known(), ids=lambda item: item.name)
def test_every_dataset_says_where_it_comes_from_and_under_which_licence(item: Definition) -> None:
    assert item.title
    assert item.licence
    assert re.match(r"https?://", item.source)
    assert all(photo.licence for photo in item.bundled)
    assert bool(item.bundled) == (item.name in BUNDLED)


@pytest.mark.parametrize("item", known(), ids=lambda item: item.name)
def test_every_layout_names_the_image_once_and_in_the_file_name(item: Definition) -> None:
    for layout in layouts_of(item):
        for template in (layout.hr, layout.lr):
            folder, _, file = template.rpartition("/")
            assert "{image}" not in folder
            assert file.count("{image}") == 1
            rest = re.sub(r"\{(folder|scale|image|lr)\}", "", template)
            assert not set(rest) & set("{}"), template


def test_no_photograph_is_in_both_sample_splits() -> None:
    files = [photo.file for item in known() for photo in item.bundled]
    hashes = [photo.sha256 for item in known() for photo in item.bundled]
    assert len(files) == 4
    assert len(set(files)) == len(set(hashes)) == 4


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(
        DatasetError, match=r"'Set6': no such dataset\. Known are sample_valid, .*Set5"
    ):
        lookup("Set6")


def test_a_dataset_with_neither_layouts_nor_photographs_is_refused() -> None:
    with pytest.raises(ValueError, match="X: a dataset has either layouts or bundled"):
        Definition(name="X", title="x", count=1, source="s", licence="l", folders=("x",))


def test_a_bundled_dataset_counts_its_photographs() -> None:
    photos = lookup("sample_test").bundled
    with pytest.raises(ValueError, match="X: count is 3, bundled 2"):
        Definition(
            name="X", title="x", count=3, source="s", licence="l", package="p", bundled=photos
        )


def test_a_dataset_is_not_both_bundled_and_searched_for() -> None:
    with pytest.raises(ValueError, match="either"):
        Definition(
            name="X",
            title="x",
            count=2,
            source="s",
            licence="l",
            paths=(Layout("{folder}/{image}", "{folder}/{image}"),),
            bundled=lookup("sample_test").bundled,
        )


def test_nothing_of_the_catalogue_names_a_folder_of_some_machine() -> None:
    for item in known():
        for folder in item.folders:
            assert not Path(folder).is_absolute()


MINE = Definition(
    name="mine",
    title="Mine",
    count=2,
    source="s",
    licence="l",
    folders=("mine",),
    paths=(Layout("{folder}/a/{image}", "{folder}/b/{image}"),),
    layouts=("plain",),
)


def test_a_defined_dataset_is_found_by_its_name_beside_the_known_ones() -> None:
    assert lookup("mine", [MINE]) is MINE
    assert lookup("Set5", [MINE]).name == "Set5"
    with pytest.raises(DatasetError, match="Known are mine, sample_valid"):
        lookup("yours", [MINE])


def test_paths_of_its_own_are_looked_for_before_the_usual_ones() -> None:
    first, second, *_ = layouts_of(MINE)
    assert first.hr == "{folder}/a/{image}"
    assert second.hr == "{folder}/{image}"


def test_an_unknown_layout_is_answered_with_the_known_ones() -> None:
    item = dataclasses.replace(MINE, layouts=("ours", "plain"))
    with pytest.raises(DatasetError, match=r"mine: no layout 'ours'\. Known are split, nested"):
        layouts_of(item)
