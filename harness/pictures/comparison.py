"""Crops in which entries differ most, side by side with LR, bicubic and truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from harness.core.leaderboard import BoardEntry, Leaderboard
from harness.core.outcome import BadInput
from harness.core.record import ImageScore
from harness.core.run import FLOOR_ID
from harness.pictures.boxes import ErrorMap, Region, error_map, most_different
from harness.pictures.keeper import KeptImage, PictureFolder
from harness.quality.bicubic import upscale
from harness.quality.pixels import Uint8

MOST_IMAGES = 6  # on a page
MOST_ENTRIES = 16  # beside each other
LR_ID, HR_ID = "LR", "HR"  # which no entry is called: ids have no capitals
ImageName = tuple[str, str]  # data set and image


@dataclass(frozen=True)
class Shot:
    """One picture of a comparison; its figures are of the whole image."""

    id: str  # of the entry or the floor, else LR_ID or HR_ID
    name: str
    pixels: Uint8  # of the box, H x W x 3
    score: ImageScore | None = None
    error: ErrorMap | None = None  # None of LR, which is not of the truth's size, and of the truth


@dataclass(frozen=True)
class Comparison:
    """A crop of one image as LR (nearest), bicubic, entries and truth have it, in this order.

    `spread` is the most by which the entries' root mean squared errors differ within the box, in
    grey levels of luma; `truth` is the whole image.
    """

    kept: KeptImage
    box: Region
    spread: float
    shots: tuple[Shot, ...]
    truth: Uint8 | None  # None where crops alone are kept


@dataclass(frozen=True)
class Extreme:
    """An image on which an entry is best or worst, by dB beside the median of all entries."""

    key: ImageName
    apart_db: float


def comparisons(board: Leaderboard, folder: PictureFolder) -> tuple[Comparison, ...]:
    """The crops of a board's images that tell most, those of the largest spread first.

    Images are chosen by how far the entries' PSNR lie apart, crops by their errors.
    """
    entries = shown_entries(board)
    images = [it for it in folder.index().values() if it.hr and it.dataset in _shown(board)]
    images.sort(key=lambda it: -_psnr_spread(entries, it.key))
    found = [compared(board, folder, it, entries) for it in images[:MOST_IMAGES]]
    return tuple(sorted(filter(None, found), key=lambda it: -it.spread))


def compared(
    board: Leaderboard,
    folder: PictureFolder,
    kept: KeptImage,
    entries: Sequence[BoardEntry],
    box: Region | None = None,
) -> Comparison | None:
    """The crop of an image, in a box or where the entries differ most.

    None where LR, truth or the pictures of all entries are gone.
    """
    lr = folder.read(kept.lr, Region(0, 0, kept.width, kept.height))
    if lr is None:
        return None
    places = [_crop(folder, kept, entries, part, box) for part in kept.boxes]
    best = max(filter(None, places), key=lambda it: it[0], default=None)
    if best is None:
        return None
    spread, box = best
    truth = folder.read(kept.hr, box)
    if truth is None:
        return None
    floor = {row.entry.id: row.entry.scores for row in board.rows}.get(FLOOR_ID, {})
    bicubic = box.cut(upscale(lr, kept.scale))
    nearest = box.cut(lr.repeat(kept.scale, axis=0).repeat(kept.scale, axis=1))
    shots = [Shot(LR_ID, "LR (nearest)", nearest)]
    score = floor.get(kept.key)
    shots.append(Shot(FLOOR_ID, "Bicubic", bicubic, score, error_map(bicubic, truth)))
    for entry, output in _outputs(folder, kept, entries, box):
        name = entry.title or entry.id
        shots.append(Shot(entry.id, name, output, entry.scores[kept.key], error_map(output, truth)))
    shots.append(Shot(HR_ID, "HR", truth))
    size = Region(0, 0, kept.width * kept.scale, kept.height * kept.scale)
    return Comparison(kept, box, spread, tuple(shots), folder.read(kept.hr, size))


def shown_entries(board: Leaderboard) -> tuple[BoardEntry, ...]:
    """The rows whose pictures tell something, in the board's order; the baseline among them."""
    trained = [
        row.entry
        for row in board.rows
        if row.entry.scores and not row.entry.untrained and row.entry.id != FLOOR_ID
    ]
    first = trained[:MOST_ENTRIES]
    base = [it for it in trained if it.id == board.challenge.baseline and it not in first]
    return (*first[: MOST_ENTRIES - len(base)], *base)


def extremes(board: Leaderboard) -> dict[str, tuple[Extreme, Extreme]]:
    """The best and the worst image of each entry, by its id, where it has at least two.

    An image is as good as its PSNR lies above the median of all entries there: else the same easy
    image would be everyone's best.
    """
    scores = {row.entry.id: _psnr(row.entry) for row in board.rows if not row.entry.untrained}
    scores.pop(FLOOR_ID, None)
    keys = dict.fromkeys(key for its in scores.values() for key in its)
    usual = {key: median(its[key] for its in scores.values() if key in its) for key in keys}
    found = {}
    for name, its in scores.items():
        apart = [Extreme(key, psnr_db - usual[key]) for key, psnr_db in its.items()]
        if len(apart) > 1 and len(scores) > 1:
            apart.sort(key=lambda it: it.apart_db)
            found[name] = (apart[-1], apart[0])
    return found


def pick(board: Leaderboard, folder: PictureFolder, name: str) -> KeptImage:
    """The kept image of that name, or of DATASET/NAME; BadInput for none, or one of several."""
    kept = folder.index()
    found = [it for it in kept.values() if name in (it.image, f"{it.dataset}/{it.image}")]
    if len(found) == 1:
        if found[0].dataset in _shown(board) and found[0].hr:
            return found[0]
        raise BadInput(
            f"pictures of {found[0].dataset} may not be shown: its rulebook has no `show = true`, "
            "or no truth"
        )
    known = ", ".join(f"{dataset}/{image}" for dataset, image in kept)
    if not known:
        raise BadInput(f"no pictures of {board.challenge.id} are kept: run with --keep-images all")
    raise BadInput(f"{name!r:.80} is {'several' if found else 'none'} of the kept images: {known}")


def _shown(board: Leaderboard) -> set[str]:
    return {use.name for use in board.challenge.datasets if use.shown}


def _psnr(entry: BoardEntry) -> Mapping[ImageName, float]:
    return {key: it.psnr_db for key, it in entry.scores.items() if it.psnr_db is not None}


def _psnr_spread(entries: Sequence[BoardEntry], key: ImageName) -> float:
    figures = [its[key] for its in map(_psnr, entries) if key in its]
    return max(figures, default=0.0) - min(figures, default=0.0)


def _outputs(
    folder: PictureFolder, kept: KeptImage, entries: Sequence[BoardEntry], box: Region
) -> Iterator[tuple[BoardEntry, Uint8]]:
    for entry in entries:
        score = entry.scores.get(kept.key)
        output = folder.read(score.digest, box) if score else None
        if output is not None:
            yield entry, output


def _crop(
    folder: PictureFolder,
    kept: KeptImage,
    entries: Sequence[BoardEntry],
    part: Region,
    wanted: Region | None,
) -> tuple[float, Region] | None:
    """The spread within a part that is kept, and where; None where that is not to be had."""
    if wanted is not None and not part.holds(wanted):
        return None
    part = wanted or part
    truth = folder.read(kept.hr, part)
    if truth is None:
        return None
    errors = [error_map(it, truth) for _, it in _outputs(folder, kept, entries, part)]
    if not errors:
        return None
    if wanted is not None:
        each = [float(np.sqrt(np.square(it).mean())) for it in errors]
        return max(each) - min(each), wanted
    spread, box = most_different(errors)
    return spread, Region(part.x + box.x, part.y + box.y, box.width, box.height)
