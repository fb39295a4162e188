"""A leaderboard drawn: HTML page, LaTeX, Markdown, CSV, terminal, JSON document, DataFrame."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.leaderboard import Leaderboard
from harness.core.printed_table import Regenerated
from harness.documents import atomic
from harness.render import entry_pages
from harness.render.around import ALONE, PAIR_PAGE, Around
from harness.render.as_terminal import TerminalTable
from harness.render.document import OF_ALL, RATIO, document
from harness.render.drawable import drawable
from harness.render.entry_pages import LOGS
from harness.render.rulings import rulings_notes, rulings_table
from harness.render.table import Table, table

if TYPE_CHECKING:
    import pandas as pd

    from harness.render.page import Compared
    from harness.render.picture_page import PicturePage

__all__ = [
    "TerminalTable",
    "document",
    "drawn",
    "drawn_published",
    "for_excel",
    "rulings_table",
    "table",
    "to_frame",
    "to_json",
    "write",
    "write_board",
    "write_published",
    "write_selection",
]


def write(board: Leaderboard, folder: Path) -> tuple[Path, ...]:
    """The paths of `write_board`, the page first."""
    return write_board(board, folder)[1]


def write_board(
    board: Leaderboard,
    folder: Path,
    *,
    excel: bool = False,
    run: Path | None = None,
    around: Around = ALONE,
) -> tuple[Leaderboard, tuple[Path, ...]]:
    """Write index.html, a page for each row, table.md, .tex, .csv and leaderboard.json.

    Each file is replaced whole: a reader sees the old one or the new one. Pages come first, so that
    no link of the board leads nowhere, and those of rows that left are removed. `run` is the folder
    of the run: the page of a failed row takes its traceback from logs there, and images.html is
    drawn of the pictures that are kept there. `around` is the site of the board. Returns the board
    as far as it can be drawn, and the paths of all but the rows' pages, the page first. Raises
    atomic.WriteError.
    """
    shots = _pictures(board, folder, run) if run else None
    name = shots.path.name if shots else ""
    board, texts = drawn(board, pictures=name, around=around)
    told = entry_pages.write(
        board,
        folder,
        run / LOGS if run else None,
        shots.extremes if shots else None,
        around=around,
    )
    if told is not board:
        board, texts = drawn(told, pictures=name, around=around)
    files = atomic.write_texts(folder, for_excel(texts) if excel else texts)
    return board, (*files, *([shots.path] if shots else []))


def _pictures(board: Leaderboard, folder: Path, run: Path) -> PicturePage | None:
    """The page of the pictures that a run kept; None where it kept none."""
    from harness.pictures.keeper import FOLDER, INDEX, PictureFolder
    from harness.render.picture_page import PAGE, write

    kept = run / FOLDER
    if not (kept / INDEX).is_file() and not (folder / PAGE).is_file():
        return None
    return write(board, folder, PictureFolder(kept))


def drawn(
    board: Leaderboard, *, pictures: str = "", around: Around = ALONE
) -> tuple[Leaderboard, dict[str, str]]:
    """The board as far as it can be drawn, and its files by name, without the rows' own pages.

    `pictures` is the file of the page of pictures, if there is one.
    """
    return drawable(board, lambda it: _texts(it, pictures=pictures, around=around))


def write_published(again: Regenerated, folder: Path) -> tuple[Path, ...]:
    """`write` for a published table, into `folder` for its first ruling.

    Of several rulings the page shows all side by side, rulings.md, .tex and .csv hold the same, and
    each later ruling has a folder of its own. Returns the paths, the page first.
    """
    return atomic.write_texts(folder, drawn_published(again)[1])


def drawn_published(
    again: Regenerated, *, around: Around = ALONE
) -> tuple[Regenerated, dict[str, str]]:
    """The rulings as far as they can be drawn, and what `write_published` writes, by its path."""
    from harness.render.page import Compared

    boards, own_texts = zip(
        *(
            drawn(it.board, around=around.below() if place else around)
            for place, it in enumerate(again.judged)
        ),
        strict=True,
    )
    pairs = zip(again.judged, boards, strict=True)
    again = replace(again, judged=tuple(replace(it, board=board) for it, board in pairs))
    side_by_side = rulings_table(again)
    if side_by_side is None:
        return again, own_texts[0]

    links = [(f"{it.ruling.id}/index.html", it.ruling.title) for it in again.judged[1:]]
    tables = _tables("rulings", side_by_side)
    links += [(name, name) for name in tables]
    compared = Compared(side_by_side, rulings_notes(again), tuple(links))
    texts = {**_texts(again.board, compared, around=around), **tables}
    for it, own in zip(again.judged[1:], own_texts[1:], strict=True):
        texts |= {f"{it.ruling.id}/{name}": text for name, text in own.items()}
    return again, texts


def write_selection(
    board: Leaderboard, folder: Path, *, columns: Sequence[str], rows: Sequence[str]
) -> tuple[Path, ...]:
    """Write selection.md, .tex and .csv: the table with these columns and rows alone, () for all.

    Returns the paths. Raises atomic.WriteError, and BadInput for what the table has not.
    """
    from harness.render.selection import selected

    found = selected(table(board), columns=columns, rows=rows)
    return atomic.write_texts(folder, _tables("selection", found))


def _texts(
    board: Leaderboard,
    compared: Compared | None = None,
    *,
    pictures: str = "",
    around: Around = ALONE,
) -> dict[str, str]:
    from harness.render.as_image_csv import to_image_csv
    from harness.render.page import to_page
    from harness.render.pair_page import to_pair_page

    images = to_image_csv(board)
    page = to_page(board, compared, pictures=pictures, images=bool(images), around=around)
    return {
        "index.html": page,
        **_tables("table", table(board)),
        **({"images.csv": images} if images else {}),
        "leaderboard.json": to_json(board),
        **({PAIR_PAGE: to_pair_page(board, around)} if around.root else {}),
    }


def _tables(name: str, drawn: Table) -> dict[str, str]:
    """The table in every format that has a file of its own, by the file's name."""
    from harness.render.as_csv import to_csv
    from harness.render.as_latex import to_latex
    from harness.render.as_markdown import to_markdown

    formats = {"md": to_markdown, "tex": to_latex, "csv": to_csv}
    return {f"{name}.{form}": draw(drawn) for form, draw in formats.items()}


def for_excel(texts: Mapping[str, str]) -> dict[str, str]:
    """The files of a board with a byte-order mark in CSV, by which Excel knows UTF-8.

    Only where asked: most other readers take the mark for part of the first heading.
    """
    return {name: f"\ufeff{it}" if name.endswith(".csv") else it for name, it in texts.items()}


def to_json(board: Leaderboard) -> str:
    """`document` as ASCII JSON text: lone surrogates and odd scripts survive any encoding."""
    return json.dumps(document(board), indent=2, allow_nan=False) + "\n"


def to_frame(board: Leaderboard) -> pd.DataFrame:
    """One row an entry, in the board's order, base units in the columns' names.

    `psnr_db:DATASET` and `ssim:DATASET` by data set, `rank:METRIC` by ranked metric,
    `score:TRACK` and `track_rank:TRACK` by track; `runtime_ratio` is to the baseline, with the ends
    of its interval, `runtime_ratio_low` and `runtime_ratio_high`. What was not measured is missing
    (`pd.isna`).
    """
    import pandas as pd

    shown = drawable(board, document)[1]
    rows = [_flat(row) for row in shown["rows"]]
    # Named even on an empty board, so that a script may rely on them.
    columns = dict.fromkeys((*OF_ALL, *RATIO))
    for row in rows:
        columns.update(dict.fromkeys(row))
    return pd.DataFrame(rows, columns=list(columns))


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    flat = {name: row[name] for name in OF_ALL}
    ratio = row["runtime_ratio"] or {}
    flat |= {name: ratio.get(field) for name, field in RATIO.items()}
    for dataset, figures in row["quality"].items():
        flat |= {f"{name}:{dataset}": value for name, value in figures.items()}
    flat |= {f"rank:{metric}": rank for metric, rank in row["ranks"].items()}
    for track, place in row["tracks"].items():
        flat |= {f"score:{track}": place["score"], f"track_rank:{track}": place["rank"]}
    return flat
