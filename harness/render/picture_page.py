"""The page of pictures: crops in which entries differ most, beside LR, bicubic and HR.

Pictures are PNG files beside the page, named by their content, so that the page stays light and a
browser loads what comes into sight. Without JavaScript they are plain pictures; with it all of one
crop are zoomed and moved together, and two can be laid over each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from markupsafe import Markup

from harness.core.leaderboard import Leaderboard
from harness.core.outcome import BadInput
from harness.core.record import ImageScore
from harness.documents import atomic, plain_file
from harness.pictures.boxes import ErrorMap
from harness.pictures.comparison import (
    HR_ID,
    MOST_ENTRIES,
    Comparison,
    Extreme,
    Shot,
    comparisons,
    extremes,
)
from harness.pictures.keeper import PictureFolder, png
from harness.quality.pixels import Uint8
from harness.render.shell import TEMPLATES, policy, style, templates
from harness.render.text import clean, short
from harness.render.units import MISSING, shown

PAGE = "images.html"
FILES = "images"  # the folder of the page's pictures
_NAME = 24  # hexadecimal digits of a file's name
_CEILING = 99.9  # percent of all errors, which the scale of error maps holds
_LEAST_GREY = 8  # levels that the scale has at least: else rounding would look like errors


@dataclass(frozen=True)
class Tile:
    """A picture on the page."""

    id: str
    name: str
    figures: str
    file: str
    error_file: str = ""


@dataclass(frozen=True)
class CropSection:
    """The tiles of a crop, and what is said of it."""

    anchor: str
    image: str
    dataset: str
    place: str
    spread: str
    width: int
    height: int
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class ExtremeImage:
    """An image on which an entry is best or worst; what shows it is "" where none does."""

    text: str
    anchor: str = ""  # of its crop on the page of pictures
    file: str = ""  # the entry's picture of the crop
    truth_file: str = ""


@dataclass(frozen=True)
class ExtremeLine:
    """An entry's best and worst image."""

    name: str
    best: ExtremeImage
    worst: ExtremeImage


@dataclass(frozen=True)
class PicturePage:
    """The page that was written, and what it knows of each entry, by id."""

    path: Path
    extremes: Mapping[str, ExtremeLine]


def write(board: Leaderboard, folder: Path, pictures: PictureFolder) -> PicturePage | None:
    """Write the page and its pictures into a board's folder; None, and no page, without any.

    Pictures of an earlier page that this one has not are removed. Raises atomic.WriteError, and
    BadInput for pictures whose index can't be read, or where their folder is a link.
    """
    if plain_file.kind(folder / FILES) == "a link":
        raise BadInput(
            f"{folder / FILES} is a link, and pictures are not written elsewhere: remove it"
        )
    found = comparisons(board, pictures)
    page = folder / PAGE
    if not found:
        atomic.remove(page)
        _sweep(folder / FILES, frozenset())
        return None
    most = _scale(found)
    files: dict[str, bytes] = {}
    sections = tuple(_section(number, it, most, files) for number, it in enumerate(found, 1))
    for name, data in files.items():
        if not (folder / FILES / name).is_file():
            atomic.write(folder / FILES / name, data)
    told = _extremes(board, sections)
    atomic.write_changed(page, _page(board, sections, told, most).encode())
    _sweep(folder / FILES, frozenset(Path(name).name for name in files))
    return PicturePage(page, told)


def _page(
    board: Leaderboard,
    sections: tuple[CropSection, ...],
    extremes: Mapping[str, ExtremeLine],
    most: int,
) -> str:
    script = (TEMPLATES / "images.js").read_text(encoding="utf-8")
    more = (TEMPLATES / "images.css").read_text(encoding="utf-8")
    return (
        templates()
        .get_template("images.html.j2")
        .render(
            policy=policy(script, images=True),
            # Files of ours.
            script=Markup(script),  # noqa: S704
            style=style() + Markup(more),  # noqa: S704
            title=f"{clean(board.challenge.title)}: pictures",
            heading=clean(board.challenge.title),
            sections=sections,
            extremes=extremes.values(),
            most=most,
            most_entries=MOST_ENTRIES,
        )
    )


def _section(number: int, it: Comparison, most: int, files: dict[str, bytes]) -> CropSection:
    kept, box = it.kept, it.box
    return CropSection(
        anchor=f"crop-{number}",
        image=short(kept.image),
        dataset=short(kept.dataset),
        place=f"{box.width}×{box.height} pixels at {box.x}, {box.y}",
        spread=shown(it.spread, "", 1),
        width=box.width,
        height=box.height,
        tiles=tuple(_tile(shot, most, files) for shot in it.shots),
    )


def _tile(shot: Shot, most: int, files: dict[str, bytes]) -> Tile:
    error = "" if shot.error is None else _file(_heat(shot.error, most), files)
    return Tile(
        shot.id, short(shot.name), figures(shot.score), _file(shot.pixels, files), error_file=error
    )


def figures(score: ImageScore | None) -> str:
    """PSNR and SSIM as a comparison's caption has them, "" where there are none."""
    if score is None or score.psnr_db is None:
        return ""
    ssim = MISSING if score.ssim is None else shown(score.ssim, "", 4)
    return f"{shown(score.psnr_db, 'dB', 2)} / {ssim}"


def _file(image: Uint8, files: dict[str, bytes]) -> str:
    data = png(image)
    name = f"{hashlib.sha256(data).hexdigest()[:_NAME]}.png"
    files[name] = data
    return f"{FILES}/{name}"


def _scale(found: Sequence[Comparison]) -> int:
    """The grey levels at the upper end of all error maps of a page."""
    errors = [shot.error.ravel() for it in found for shot in it.shots if shot.error is not None]
    return max(int(np.ceil(np.percentile(np.concatenate(errors), _CEILING))), _LEAST_GREY)


def _heat(error: ErrorMap, most: int) -> Uint8:
    """An error map in colours, black for none and yellow for `most` grey levels and more."""
    grey = np.clip(np.rint(error * (255.0 / most)), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO)[:, :, ::-1])


def _extremes(board: Leaderboard, sections: Sequence[CropSection]) -> dict[str, ExtremeLine]:
    shown_in = {(it.dataset, it.image): it for it in sections}
    names = {row.entry.id: row.entry.title or row.entry.id for row in board.rows}

    def told(id_: str, it: Extreme) -> ExtremeImage:
        dataset, image = map(short, it.key)
        sign = "−" if it.apart_db < 0 else "+"
        text = f"{image} ({dataset}) {sign}{abs(it.apart_db):.2f} dB"
        section = shown_in.get((dataset, image))
        if section is None:
            return ExtremeImage(text)
        files = {tile.id: tile.file for tile in section.tiles}
        return ExtremeImage(text, section.anchor, files.get(id_, ""), files[HR_ID])

    return {
        name: ExtremeLine(short(names[name]), told(name, best), told(name, worst))
        for name, (best, worst) in extremes(board).items()
    }


def _sweep(folder: Path, kept: frozenset[str]) -> None:
    """Remove pictures of ours that no page has any longer."""
    for path in folder.glob("*.png"):
        ours = len(path.stem) == _NAME and set(path.stem) <= set("0123456789abcdef")
        if ours and path.name not in kept:
            atomic.remove(path)
