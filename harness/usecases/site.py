"""A reports folder as a folder of pages that any server can serve as it is, or none."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.board.build import RUN_FILE
from harness.core.leaderboard import Leaderboard
from harness.core.outcome import BadInput
from harness.core.printed_table import Regenerated
from harness.documents import atomic, plain_file
from harness.render import drawn_published, write_board
from harness.render.around import Around, model_page
from harness.render.picture_page import PAGE as PICTURES
from harness.render.plots.year_plots import Edition
from harness.render.site_pages import (
    SiteBoard,
    board_folder,
    shared_models,
    to_index,
    to_model_page,
)
from harness.render.years_page import YEARS_PAGE, to_years_page
from harness.rules import printed_tables, rulebook
from harness.usecases.report import regenerate, report

TITLE = "Efficient super-resolution leaderboards"
INDEX = "index.html"
MARK = ".esr_site"  # of a folder whose pages may be replaced
_PLAIN = ".nojekyll"  # GitHub Pages serves every file as it is
_FOLDERS = ("boards", "models", "published")
_COPIED = {"plots": (".svg", ".pdf"), "figures": (".svg", ".pdf", ".png")}
_MOST_BYTES = 64 * 2**20  # of a figure


@dataclass(frozen=True)
class SiteRequest:
    """What a user asks of a site. `published` are printed tables by id or file; None: bundled."""

    reports: Path
    output: Path
    title: str = TITLE
    published: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Site:
    """What was written: the index, how many boards, and folders that are left out, and why."""

    index: Path
    boards: int
    left_out: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class _Run:
    name: str
    board: Leaderboard


@dataclass
class _Read:
    """What is at hand."""

    runs: list[_Run] = field(default_factory=list)
    tables: list[Regenerated] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)


def write_site(request: SiteRequest) -> Site:
    """Draw all boards under `reports` and the printed tables into `output`, beside an index.

    Pages are drawn into a folder of their own first and then take the places of those of an earlier
    site, so that no page of a board that is gone stays; other files of `output` stay. A run that
    can't be read is left out, with its reason. Raises BadInput where `output` holds something else
    under a name of ours, and atomic.WriteError.
    """
    _refuse_foreign(request)
    found = _read(request)
    atomic.make_folder(request.output)
    for left in request.output.glob(f".site.*{atomic.SUFFIX}"):  # by one that was killed
        shutil.rmtree(left)
    place = Path(tempfile.mkdtemp(prefix=".site.", suffix=atomic.SUFFIX, dir=request.output))
    try:
        _draw(request, found, place)
        _exchange(place, request.output)
    except OSError as error:
        raise atomic.refusal(request.output, error) from error
    finally:
        shutil.rmtree(place, ignore_errors=True)
    number = len(found.runs) + len(found.tables)
    return Site(request.output / INDEX, number, tuple(found.left_out))


def _refuse_foreign(request: SiteRequest) -> None:
    output = request.output
    if (output / MARK).is_file() or not output.exists():
        return
    if not output.is_dir():
        raise BadInput(f"{output} is no folder: name another one with --output")
    taken = [it for it in (*_FOLDERS, INDEX, YEARS_PAGE) if os.path.lexists(output / it)]
    if taken:
        raise BadInput(
            f"{output} holds {', '.join(taken)}, which no earlier `esr site` wrote: name an empty "
            "folder with --output"
        )


def _read(request: SiteRequest) -> _Read:
    found = _Read()
    for path in sorted(request.reports.glob(f"*/{RUN_FILE}")):
        name = path.parent.name
        try:
            found.runs.append(_Run(name, report(name, request.reports)))
        except BadInput as error:
            why = str(error).replace(f"{path.parent}{os.sep}", "")  # no path of this machine
            found.left_out.append((name, why))
    tables = request.published
    for name in rulebook.names(printed_tables.BUNDLED) if tables is None else tables:
        found.tables.append(regenerate(name))
    return found


def _draw(request: SiteRequest, found: _Read, place: Path) -> None:
    known = [
        SiteBoard(it.name, board_folder(it.board.origin, it.name), it.board) for it in found.runs
    ]
    tables = [
        SiteBoard(it.table.id, board_folder("printed", it.table.id), it.board)
        for it in found.tables
    ]
    models = shared_models([*known, *tables])
    around = Around("../../", models)
    shown = [
        _run_drawn(request, it, run, place, around)
        for it, run in zip(known, found.runs, strict=True)
    ]
    for it, again in zip(tables, found.tables, strict=True):
        atomic.write_texts(place / it.folder, drawn_published(again, around=around)[1])
    boards = [*shown, *tables]
    for id_ in models:
        atomic.write(place / model_page(id_), to_model_page(id_, boards).encode())
    years = to_years_page(_series(tables, found.tables))
    index = to_index(
        boards,
        title=request.title,
        years=YEARS_PAGE if years else "",
        left_out=found.left_out,
    )
    texts = {INDEX: index, _PLAIN: "", MARK: "Written by `esr site`, which may replace it.\n"}
    atomic.write_texts(place, {**texts, **({YEARS_PAGE: years} if years else {})})


def _run_drawn(
    request: SiteRequest, it: SiteBoard, run: _Run, place: Path, around: Around
) -> SiteBoard:
    source, folder = request.reports / run.name, place / it.folder
    files = tuple(_copied(source, folder))
    around = replace(around, files=files)
    board, written = write_board(run.board, folder, run=source, around=around)
    pictures = PICTURES if any(path.name == PICTURES for path in written) else ""
    return replace(it, board=board, pictures=pictures)


def _copied(source: Path, folder: Path) -> Iterator[str]:
    """Copy what `esr plot` and `esr figure` wrote; their paths in the board's folder."""
    for name, endings in _COPIED.items():
        for path in sorted((source / name).glob("*")):
            if path.suffix in endings and plain_file.kind(path) == plain_file.PLAIN:
                atomic.write(folder / name / path.name, plain_file.read(path, _MOST_BYTES))
                yield f"{name}/{path.name}"


def _series(boards: Sequence[SiteBoard], tables: Sequence[Regenerated]) -> dict[str, list[Edition]]:
    series: dict[str, list[Edition]] = {}
    for it, again in zip(boards, tables, strict=True):
        if again.table.year is not None:
            edition = Edition(again.table.year, it.board, f"{it.address}/{INDEX}")
            series.setdefault(again.table.series, []).append(edition)
    return series


def _exchange(drawn: Path, output: Path) -> None:
    """Have what was drawn take the place of what stands there; the index comes last."""
    for name in _FOLDERS:
        old = drawn / f"old_{name}"
        if os.path.lexists(output / name):
            (output / name).rename(old)
        if (drawn / name).exists():
            (drawn / name).rename(output / name)
    for name in (MARK, _PLAIN, YEARS_PAGE, INDEX):
        if (drawn / name).exists():
            (drawn / name).replace(output / name)
        else:
            atomic.remove(output / name)
