from __future__ import annotations

import re
from pathlib import Path

import pytest
from chromium import Browser
from fakes import boards, pictures

from harness import render
from harness.core.outcome import BadInput
from harness.datasets.png import read_image
from harness.pictures.keeper import PictureFolder
from harness.render import picture_page


def write(tmp_path: Path, title: str = "") -> str:
    board = pictures.two_entries(tmp_path / "pictures", title)
    written = picture_page.write(board, tmp_path, PictureFolder(tmp_path / "pictures"))
    assert written is not None
    return written.path.read_text(encoding="utf-8")


def test_the_page_shows_pictures_that_lie_beside_it(tmp_path: Path) -> None:
    text = write(tmp_path)
    files = re.findall(r'src="(images/[0-9a-f]{24}\.png)"', text)
    assert len(files) == 5 + 3  # the crops, and the errors of bicubic and both entries
    for file in files:
        assert read_image(tmp_path / file).shape == (160, 160, 3)
    assert "24.60 dB / 0.9000" in text or "24.60 / 0.9000" in text
    assert 'width="160" height="160"' in text


def test_hostile_names_come_out_inert(tmp_path: Path) -> None:
    text = write(tmp_path, boards.SCRIPT)
    assert "<img src=x" not in text
    assert "&lt;script&gt;" in text
    assert "\u202e" not in write(tmp_path, boards.OVERRIDE)


def test_the_page_may_load_pictures_beside_it_and_its_own_script(tmp_path: Path) -> None:
    found = re.search(r'Content-Security-Policy" content="([^"]+)"', write(tmp_path))
    assert found is not None
    policy = found.group(1).replace("&#39;", "'")
    assert "default-src 'none'" in policy
    assert "img-src 'self' file: data:" in policy


def test_pictures_of_an_earlier_page_are_removed_and_other_files_stay(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "images" / ("0" * 24 + ".png")).touch()
    (tmp_path / "images" / "mine.png").touch()
    write(tmp_path)
    names = {path.name for path in (tmp_path / "images").iterdir()}
    assert "mine.png" in names
    assert "0" * 24 + ".png" not in names


def test_a_folder_of_pictures_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / ("a" * 24 + ".png")).touch()
    (tmp_path / "images").symlink_to(other)
    with pytest.raises(BadInput, match="images is a link"):
        write(tmp_path)
    assert [it.name for it in other.iterdir()] == ["a" * 24 + ".png"]


def test_without_pictures_there_is_no_page(tmp_path: Path) -> None:
    (tmp_path / "images.html").touch()
    board = boards.board()
    assert picture_page.write(board, tmp_path, PictureFolder(tmp_path / "pictures")) is None
    assert not (tmp_path / "images.html").exists()


def test_error_maps_go_from_black_to_yellow_on_one_scale(tmp_path: Path) -> None:
    text = write(tmp_path)
    assert "0 to 26 grey levels" in text  # 30 levels are 25.8 of luma
    errors = re.findall(r'src="(images/\w+\.png)"[^>]+alt="Errors of ', text)
    black, bright = (read_image(tmp_path / errors[index]) for index in (2, 1))
    assert black.max() < 5
    assert bright.min(axis=(0, 1))[0] > 240


PROBE = """
  const section = page.querySelector("section.comparison"), tools = section.querySelector(".tools");
  const press = (name) => tools.querySelector(`[aria-label="${name}"]`).click();
  press("Zoom in"); press("Move right");
  const moved = [...section.querySelectorAll(".view img")].map((it) => it.style.transform);
  press("Slider: lay one picture over another");
  const pair = section.querySelector(".pair");
  const slider = pair.querySelector("input");
  slider.value = 25; slider.dispatchEvent(new Event("input"));
  return {moved: [...new Set(moved)], pictures: moved.length, hidden: pair.hidden,
          laid: pair.querySelectorAll("img").length, said: pair.querySelector("p").textContent,
          clip: pair.querySelectorAll(".view")[1].style.clipPath,
          loaded: page.querySelector(".view img").naturalWidth,
          content: page.documentElement.scrollWidth};
"""


@pytest.mark.parametrize("width", [390, 1440])
def test_all_pictures_of_a_crop_move_together_and_two_can_be_laid_over_each_other(
    tmp_path: Path, browser: Browser, width: int
) -> None:
    write(tmp_path)
    (tmp_path / "index.html").write_bytes((tmp_path / "images.html").read_bytes())
    found = browser.probe(tmp_path / "index.html", PROBE, width=width)
    # 1.25 times as large, moved by 0.1 and a tenth of what is in sight: 0.08
    (transform,) = found["moved"]
    assert transform.startswith("scale(1.25) translate(-18%, -10%")
    assert found["pictures"] == 8
    assert (found["hidden"], found["laid"]) == (False, 2)
    assert found["said"] == "Left: bad; right: HR"
    assert found["clip"] == "inset(0px 75% 0px 0px)"
    assert found["loaded"] == 160
    assert found["content"] <= width


def test_an_entrys_page_shows_its_best_and_its_worst_image_beside_the_truth(
    tmp_path: Path,
) -> None:
    board = pictures.two_images(tmp_path / "pictures")
    render.write_board(board, tmp_path, run=tmp_path)
    text = (tmp_path / "entries" / "bad.html").read_text(encoding="utf-8")
    assert re.search(r"Best: <a href=\"\.\./images\.html#crop-\d\"><bdi>even .* \+0\.00 dB", text)
    assert re.search(r"Worst: .*<bdi>square \(sample_valid\) −37\.70 dB", text)
    for file in re.findall(r'src="\.\./(images/\w+\.png)"', text):
        assert (tmp_path / file).is_file()
    assert "img-src &#39;self&#39; file: data:" in text
    assert '<a href="images.html">' in (tmp_path / "index.html").read_text(encoding="utf-8")
