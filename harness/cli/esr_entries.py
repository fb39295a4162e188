"""`esr entries`: what `esr run`, `inspect` and `check` take as entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.cli.console import explained, print_json, show, text_table
from harness.cli.options import ListAsJson, Ntire

if TYPE_CHECKING:
    from harness.entries.catalogue import Entry, Rejected


def entries(ntire: Ntire = None, as_json: ListAsJson = False) -> None:
    """List what can be named: reference models, ./submissions, and ids of an official checkout."""
    from rich.markup import escape

    from harness.entries import catalogue, checkouts
    from harness.entries.participants import submitted
    from harness.render.text import clean

    with explained():
        official = checkouts.candidates(ntire) if ntire else ()
    found = [(it, it.id) for it in catalogue.all_references()]
    for folder in submitted():
        read = catalogue.read_named(folder)
        found += [(it, folder if len(read) == 1 else f"{folder}:{it.id}") for it in read]
    found += [(it, it.id) for it in official]  # id04_rlfn is taken by --ids 4
    rows = [_row(it, name) for it, name in found]
    if as_json:
        print_json(rows)
        return
    table = text_table("name", "scale", "team", "title", "")
    for row in rows:
        scale = f"x{row['scale']}" if row["scale"] else "–"
        cells = (row["name"], scale, row["team"], row["title"], row["reason"] or row["role"])
        table.add_row(*(escape(clean(cell)) for cell in cells))
    show(table)


def _row(candidate: Entry | Rejected, name: str) -> dict[str, Any]:
    """The JSON object of an entry; one that can't be used has a reason."""
    from harness.entries.catalogue import Entry

    known = candidate.submission if isinstance(candidate, Entry) else None
    return {
        "name": name,
        "id": candidate.id,
        "role": candidate.role,
        "team": candidate.team,
        "title": known.title if known else "",
        "scale": known.scale if known else None,
        "folder": str(candidate.folder),
        "reason": "" if isinstance(candidate, Entry) else "; ".join(candidate.faults),
    }
