"""Some columns and rows of a table, as a paper shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.core.outcome import BadInput
from harness.core.phrasing import nearest
from harness.render.table import Cell, Heading, Table, marked


def selected(table: Table, *, columns: Sequence[str] = (), rows: Sequence[str] = ()) -> Table:
    """The table with these columns in this order, and the rows of these ids; () is all.

    A column goes by its key (`runtime`, `psnr:Set5`, a track's id), or all of a metric by its name
    (`psnr`). What was printed of a row stays with it. BadInput for a name that nothing has.
    """
    picked = [index for name in columns for index in _found(table, name)]
    picked = list(dict.fromkeys(picked)) if columns else list(range(len(table.headings)))
    ids = list(dict.fromkeys(line.id for line in table.lines))
    for name in rows:
        if name not in ids:
            near = nearest(name, ids) or f"; there are {', '.join(ids)}"
            raise BadInput(f"--rows names {name!r:.80}, which the table has not{near}")
    headings = tuple(table.headings[index] for index in picked)
    lines = [
        replace(line, cells=tuple(map(_unmarked, (line.cells[it] for it in picked), headings)))
        for line in table.lines
        if not rows or line.id in rows
    ]
    return replace(table, headings=headings, lines=marked(headings, lines))


def _unmarked(cell: Cell, heading: Heading) -> Cell:
    """Of fewer rows another one may have the best figure; a rank stays what it was."""
    if heading.has_rank or not heading.better:
        return cell
    return replace(cell, best=False, second=False)


def _found(table: Table, name: str) -> list[int]:
    """The places of the columns that a name stands for; BadInput for none."""
    keys = [heading.key for heading in table.headings]
    found = [it for it, key in enumerate(keys) if key == name]
    found = found or [it for it, key in enumerate(keys) if key.partition(":")[0] == name]
    found = found or [it for it, key in enumerate(keys) if key == f"track:{name}"]
    if not found:
        near = nearest(name, keys) or f"; there are {', '.join(keys)}"
        raise BadInput(f"--columns names {name!r:.80}, which the table has not{near}")
    return found
