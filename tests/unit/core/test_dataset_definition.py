from __future__ import annotations

from typing import Any

import pytest

from harness.core.dataset_definition import Bundled, Definition, Layout

GOOD: dict[str, Any] = {
    "name": "mine",
    "title": "Mine",
    "count": 2,
    "source": "s",
    "licence": "l",
    "folders": ("mine",),
    "layouts": ("split",),
}


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("{folder}/image", r"\{image\} must stand once, in the last part of the path"),
        ("{image}/{image}", r"\{image\} must stand once"),
        ("{image}{image}", r"\{image\} must stand once"),
        ("{place}/{image}", r"only \{folder\}, \{scale\}, \{image\}, \{lr\} are filled in"),
        ("{lr}/{image}", r"\{lr\} must stand in the last part of the path"),
        ("{image}{", "only .* are filled in"),
        ("/data/{image}", "a path must lie within the data folder"),
        ("../{image}", "a path must lie within the data folder"),
    ],
)
def test_a_layout_names_each_image_once_within_the_data_folder(template: str, fault: str) -> None:
    with pytest.raises(ValueError, match=f"^hr: {fault}"):
        Layout(template, "{image}")
    with pytest.raises(ValueError, match=f"^lr: {fault}"):
        Layout("{image}", template)


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("name", "a b", "a dataset's name is 1 to 64 letters, digits and _"),
        ("count", 0, "count must be at least 1, got 0"),
        ("numbers", (9, 1), r"numbers must be the first and the last one, got \[9, 1\]"),
        ("folders", (), "folders must name at least one folder"),
        ("folders", ("/data",), "a path must lie within the data folder, got '/data'"),
        ("folders", ("a/../../b",), "a path must lie within the data folder"),
        ("layouts", (), "a dataset has either layouts or bundled photographs"),
    ],
)
def test_a_definition_says_which_dataset_is_wrong_and_how(
    field: str, value: object, fault: str
) -> None:
    with pytest.raises(ValueError, match=fault):
        Definition(**{**GOOD, field: value})


def test_all_that_is_wrong_with_a_definition_is_one_error() -> None:
    photos = (Bundled("a.png", "0", "CC0"),)
    with pytest.raises(ValueError, match="count is 3") as caught:
        Definition(**{**GOOD, "count": 3, "bundled": photos})
    assert str(caught.value) == (
        "mine: count is 3, bundled 1; a dataset has either layouts or bundled photographs; "
        "bundled photographs are those of a package"
    )
