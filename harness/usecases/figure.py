"""The comparison figure of an image that a run kept pictures of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.core.leaderboard import BoardEntry, Leaderboard
from harness.core.outcome import BadInput
from harness.core.phrasing import nearest
from harness.documents import atomic
from harness.pictures.boxes import Region
from harness.pictures.comparison import compared, pick, shown_entries
from harness.pictures.keeper import FOLDER, KeptImage, PictureFolder
from harness.render import comparison_figure
from harness.usecases.report import report, run_name


@dataclass(frozen=True)
class FigureRequest:
    """What a user asks of a figure."""

    challenge: str
    image: str  # its name, or DATASET/NAME
    crop: tuple[int, int, int, int] | None = None  # x, y, width, height; None: where most differs
    entries: tuple[str, ...] = ()  # ids, in the figure's order; (): those of the page of pictures
    reports: Path = Path("reports")
    output: Path | None = None  # without an ending; None: in the challenge's folder


def draw_figure(request: FigureRequest) -> tuple[Path, ...]:
    """Write the figure as PDF, SVG and PNG; their paths.

    Raises BadInput for an image, a crop or an entry that is not there, and atomic.WriteError.
    """
    board = report(request.challenge, request.reports)
    place = request.reports / run_name(request.challenge)
    folder = PictureFolder(place / FOLDER)
    kept = pick(board, folder, request.image)
    box = _box(request.crop, kept)
    entries = _entries(board, request.entries, kept, folder, box or kept.boxes[0])
    found = compared(board, folder, kept, entries, box)
    if found is None:
        raise BadInput(
            f"pictures of {kept.image} are not there for these entries and this part: run with "
            "--keep-images all, which makes what is missing without measuring again"
        )
    output = request.output or place / "figures" / f"{kept.dataset}_{kept.image}"
    files = comparison_figure.draw(found)
    paths = tuple(output.with_name(f"{output.name}.{form}") for form in files)
    for path, data in zip(paths, files.values(), strict=True):
        atomic.write(path, data)
    return paths


def _box(crop: tuple[int, int, int, int] | None, kept: KeptImage) -> Region | None:
    if crop is None:
        return None
    width, height = kept.width * kept.scale, kept.height * kept.scale
    try:
        box = Region(*crop)
    except ValueError as error:
        raise BadInput(f"--crop X,Y,WIDTH,HEIGHT: {error}") from None
    if not Region(0, 0, width, height).holds(box):
        raise BadInput(
            f"--crop {crop} does not lie within the {width}x{height} pixels of {kept.image}"
        )
    return box


def _entries(
    board: Leaderboard,
    names: Sequence[str],
    kept: KeptImage,
    folder: PictureFolder,
    box: Region,
) -> tuple[BoardEntry, ...]:
    """The entries of these ids; BadInput for one that is not there or has no picture."""
    if not names:
        return shown_entries(board)
    known = {row.entry.id: row.entry for row in board.rows}
    found = []
    for name in names:
        if name not in known:
            near = nearest(name, list(known)) or f"; there are {', '.join(known)}"
            raise BadInput(f"{board.challenge.id} has no entry {name!r:.80}{near}")
        if known[name].remedy:
            raise BadInput(f"{name} ran without its trained weights: {known[name].remedy}")
        score = known[name].scores.get(kept.key)
        if score is None or folder.read(score.digest, box) is None:
            raise BadInput(
                f"no picture of {kept.image} by {name} is kept: run with --keep-images all"
            )
        found.append(known[name])
    return tuple(found)
