"""A board whose pictures are kept: two entries, one of which is wrong in a square."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from fakes import boards

from harness.board.rank import rank
from harness.core.leaderboard import Leaderboard
from harness.core.record import FloorFigures, ImageScore, RoundFigures
from harness.core.run import FLOOR_ID
from harness.pictures.boxes import Region
from harness.pictures.keeper import KeptImage, PictureFolder, kept_image
from harness.quality.bicubic import downscale
from harness.quality.pixels import Uint8, pixel_digest

SIZE = 320  # SR pixels
GREY = 128


def truth() -> Uint8:
    return np.full((SIZE, SIZE, 3), GREY, np.uint8)


def off_by(levels: int, box: Region) -> Uint8:
    """A truth that is wrong within a box, by so many levels of every colour."""
    image = truth()
    image[box.y : box.y + box.height, box.x : box.x + box.width] += np.uint8(levels)
    return image


def keep(folder: PictureFolder, name: str = "square", **changes: str) -> KeptImage:
    """An image with its truth, kept whole."""
    hr = truth()
    kept = kept_image(
        folder, (boards.VALID, name), lr=downscale(hr, 4), hr=hr, crops=False, scale=4
    )
    kept = replace(kept, **changes)
    folder.enter([kept])
    return kept


def score(output: Uint8, psnr_db: float, name: str = "square") -> ImageScore:
    return ImageScore(boards.VALID, name, pixel_digest(output), psnr_db, 0.9)


def board(*scores: tuple[str, tuple[ImageScore, ...]], title: str = "") -> Leaderboard:
    """Entries with these scores in their first round, and the floor."""
    entries = []
    for name, its in scores:
        figures = replace(boards.round_figures(1), scores=its)
        record = boards.record(name, figures, 1)
        assert isinstance(record.outcome, RoundFigures)
        entries.append(boards.entry(id=name, title=title or name, records=(record,)))
    floor = boards.floor_row().entry
    its = tuple(replace(it, psnr_db=20.0, digest="f" * 32) for it in scores[0][1])
    floor = replace(floor, id=FLOOR_ID, records=(boards.record(FLOOR_ID, FloorFigures(its)),))
    return rank(boards.challenge(), [*entries, floor])


def two_entries(pictures: Path, title: str = "", image: str = "square") -> Leaderboard:
    """One entry is exact; the other is wrong by 30 levels within 160x160 pixels at (96, 80)."""
    folder = PictureFolder(pictures)
    kept = keep(folder, image)
    good, bad = truth(), off_by(30, Region(96, 80, 160, 160))
    for output in (good, bad):
        folder.write(pixel_digest(output), kept.boxes[0], output)
    scores = score(good, 100.0, image), score(bad, 24.6, image)
    return board(("good", scores[:1]), ("bad", scores[1:]), title=title)


def two_images(pictures: Path) -> Leaderboard:
    """As `two_entries`, and another image on which both are exact."""
    two_entries(pictures)
    folder = PictureFolder(pictures)
    keep(folder, "even")
    good, bad = truth(), off_by(30, Region(96, 80, 160, 160))
    even = score(good, 100.0, "even")
    return board(("good", (score(good, 100.0), even)), ("bad", (score(bad, 24.6), even)))
