"""A published table ranked again from its figures alone."""

from __future__ import annotations

from dataclasses import replace

from harness.board.regenerated import as_printed, judge_printed
from harness.core.challenge import Challenge
from harness.core.outcome import BadInput
from harness.core.printed_table import (
    TRACK,
    Judged,
    PrintedRow,
    PrintedTable,
    Regenerated,
)
from harness.rules import printed_tables, rulebook
from harness.usecases.report import refuse_other_figures


def regenerate(name: str, *, rules: str | None = None) -> Regenerated:
    """The table `name` (a bundled id or a .toml file) under each of its rulings.

    `rules` names another rulebook to rank the same figures by, under the first ruling alone.
    Raises BadInput for what can't be used.
    """
    found = printed_tables.read(name)
    table, rows = found.table, found.rows
    challenge = rulebook.read(table.rules)
    _refuse_strange_tracks(table, challenge)
    rulings = table.rulings
    if rules is not None:
        other = rulebook.read(rules)
        refuse_other_figures(challenge, other)
        table, rulings = replace(table, ranked=True), rulings[:1]
        rows = tuple(PrintedRow(row.entry) for row in rows)  # places of other rules than these
        challenge = other
    challenge = as_printed(challenge, table, rows)
    judged = [Judged(ruling, judge_printed(challenge, table, rows, ruling)) for ruling in rulings]
    return Regenerated(table, tuple(judged))


def _refuse_strange_tracks(table: PrintedTable, challenge: Challenge) -> None:
    known = [f"{TRACK}{track.id}" for track in challenge.tracks]
    strange = [key for key in table.tie_order if key.startswith(TRACK) and key not in known]
    if strange:
        raise BadInput(
            f"{table.id}: tie_order names {', '.join(strange)}; the tracks of {challenge.id} are "
            f"{', '.join(known) or 'none'}"
        )
