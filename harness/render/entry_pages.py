"""A page for each row of a board, with all that is known of it: the board itself stays light."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.leaderboard import BoardEntry, Leaderboard, Row
from harness.core.outcome import Failed
from harness.documents import atomic, plain_file
from harness.render.around import ALONE, Around, pair_link
from harness.render.detail import detail
from harness.render.drawable import undrawable
from harness.render.shell import policy, style, templates
from harness.render.table import ENTRIES, page_name
from harness.render.text import clean, cut, plain

if TYPE_CHECKING:
    from harness.render.picture_page import ExtremeLine

LOGS = "logs"
_TAIL = 6_000  # characters of a log


@dataclass(frozen=True)
class LogTail:
    """The end of what a process of an entry printed; `path` is within the board's folder."""

    path: str
    text: str


def write(
    board: Leaderboard,
    folder: Path,
    logs: Path | None,
    pictures: Mapping[str, ExtremeLine] | None = None,
    *,
    around: Around = ALONE,
) -> Leaderboard:
    """Write the page of each row under `folder`, and remove those of rows that are gone.

    `pictures` are each entry's best and worst images, by its id. Returns the board, with a failed
    row for each that can't be drawn; the very same one if all can.
    A printed table's rows have no page: `link_to` says where they stand. Raises atomic.WriteError.
    """
    rows, pages, shown_by = [], folder / ENTRIES, pictures or {}
    for row in board.rows if board.origin != "printed" else ():
        shown, text = _drawn(board, row, logs, shown_by.get(row.entry.id), around)
        rows.append(shown)
        atomic.write_changed(pages / page_name(row.entry.id), text.encode())
    kept = {page_name(row.entry.id) for row in rows}
    for path in pages.glob("*.html"):
        if path.name not in kept:
            atomic.remove(path)
    same = len(rows) < len(board.rows) or all(map(operator.is_, rows, board.rows))
    return board if same else replace(board, rows=tuple(rows))


def _drawn(
    board: Leaderboard,
    row: Row,
    logs: Path | None,
    pictures: ExtremeLine | None,
    around: Around,
) -> tuple[Row, str]:
    """The row and its page, or the failed row in its place and that one's."""
    try:
        return row, to_entry_page(board, row, logs, pictures, around=around)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other rows stand
        failed = undrawable(row, error)
        return failed, to_entry_page(board, failed, logs, around=around)


def to_entry_page(
    board: Leaderboard,
    row: Row,
    logs: Path | None = None,
    pictures: ExtremeLine | None = None,
    *,
    around: Around = ALONE,
) -> str:
    """The HTML document of a row. `logs` is the folder of the run's logs, if it is at hand."""
    known = detail(board, row)
    entry = row.entry
    return (
        templates()
        .get_template("entry.html.j2")
        .render(
            policy=policy(images=pictures is not None),
            style=style(),
            title=f"{known.team or known.title} – {clean(board.challenge.title)}",
            board=clean(board.challenge.title),
            detail=known,
            log=log_tail(entry, logs) if logs else None,
            logs=f"{LOGS}/{clean(entry.id)}/" if entry.records and logs else "",
            again=_again(board, entry),
            pictures=pictures,
            around=around,
            elsewhere=around.model_link(entry.id),
            pair=pair_link(board, entry.id) if around.root else "",
        )
    )


def log_tail(entry: BoardEntry, logs: Path) -> LogTail | None:
    """What a failed entry printed last, its traceback in most cases; None where there is none."""
    if entry.failure is None:
        return None
    ended = [f"{it.job}-{it.round}" for it in entry.records if isinstance(it.outcome, Failed)]
    for name in (*ended, "capture"):
        path = logs / entry.id / f"{name}.log"
        try:
            with plain_file.opened(path) as file:
                file.seek(max(path.stat().st_size - 4 * _TAIL, 0))
                text = file.read().decode("utf-8", errors="replace")
        except OSError:
            continue
        if text.strip():
            return LogTail(f"{LOGS}/{entry.id}/{path.name}", plain(_end(text.strip())))
    return None


def _end(text: str) -> str:
    """The last traceback, or the last lines; from its end where it is long."""
    text = text[max(text.rfind("Traceback (most recent call last)"), 0) :]
    return text if len(text) <= _TAIL else f"…{text[-_TAIL:]}"


def _again(board: Leaderboard, entry: BoardEntry) -> str:
    if board.origin != "measured" or entry.role == "floor":
        return ""
    asked = f"--rows {entry.id}" if entry.role == "reference" else entry.id
    return cut(clean(f"esr run {asked} --challenge {board.challenge.id} --fresh"), 300)
