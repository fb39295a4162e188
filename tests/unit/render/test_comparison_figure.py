from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import boards, pictures

from harness.pictures.comparison import Comparison, comparisons
from harness.pictures.keeper import PictureFolder
from harness.render import comparison_figure
from harness.render.comparison_figure import draw


@pytest.fixture
def found(tmp_path: Path) -> Comparison:
    (found,) = comparisons(
        pictures.two_entries(tmp_path, r"$\frac{1}$ <b>"), PictureFolder(tmp_path)
    )
    return found


def test_a_figure_is_a_pdf_an_svg_and_a_png(found: Comparison) -> None:
    files = draw(found)
    assert {form: data[:4] for form, data in files.items()} == {
        "pdf": b"%PDF",
        "svg": b"<?xm",
        "png": b"\x89PNG",
    }


@pytest.mark.parametrize("text", [boards.SCRIPT, "--><svg onload='x'>", "]]>&amp;\\href{x}"])
def test_no_name_is_markup_in_the_svg(tmp_path: Path, text: str) -> None:
    board = pictures.two_entries(tmp_path, text, text)
    (found,) = comparisons(board, PictureFolder(tmp_path))
    (plain,) = comparisons(pictures.two_entries(tmp_path), PictureFolder(tmp_path))

    def kinds(data: bytes) -> set[str]:
        root = ET.fromstring(data)  # noqa: S314 - our own drawing
        return {it.tag for it in root.iter()} | {at for it in root.iter() for at in it.attrib}

    assert kinds(draw(found)["svg"]) == kinds(draw(plain)["svg"])


def test_the_same_comparison_gives_the_same_bytes(found: Comparison) -> None:
    assert draw(found) == draw(found)


@pytest.mark.parametrize("title", ["Net", "N" * 60])
def test_no_caption_is_wider_than_its_crop_and_all_have_one_size(
    tmp_path: Path, title: str
) -> None:
    board = pictures.two_entries(tmp_path, title)
    (found,) = comparisons(board, PictureFolder(tmp_path))
    whole, *crops = comparison_figure._figure(found).axes
    captions = [axes.texts[0] for axes in crops]
    assert len(captions) == 5
    for axes, caption in zip(crops, captions, strict=True):
        assert caption.get_window_extent().width <= axes.get_window_extent().width
    assert len({caption.get_fontsize() for caption in (*whole.texts, *captions)}) == 1
    assert whole.patches  # the box


def test_many_crops_stand_in_more_rows(found: Comparison) -> None:
    entry = found.shots[2]
    many = replace(found, shots=(*found.shots, *(replace(entry, id=str(it)) for it in range(8))))
    bottoms = {
        round(axes.get_position().y0, 3) for axes in comparison_figure._figure(many).axes[1:]
    }
    assert len(bottoms) == 3  # 13 crops, five beside each other
