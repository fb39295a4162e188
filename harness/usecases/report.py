"""Boards drawn again without measuring: from the records of a run, or from a published table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.board.build import build, load_run
from harness.board.regenerated import as_printed, judge_printed
from harness.board.store import Store
from harness.core.challenge import Challenge
from harness.core.leaderboard import Leaderboard
from harness.core.outcome import BadInput
from harness.core.printed_table import TRACK, Judged, PrintedRow, Regenerated
from harness.core.run import left_out
from harness.rules import printed_tables, rulebook


def report(challenge: str, reports: Path, *, rules: str | None = None) -> Leaderboard:
    """The board of the last run of `challenge` under `reports`, as its rules were then.

    `rules` names another rulebook to rank the same records by; a challenge that is named by its
    file is ranked by what the file says now. Raises BadInput where there is no run, and for rules
    that can't be used.
    """
    if rules is None and Path(challenge).suffix == ".toml":
        rules = challenge
    folder = reports / run_name(challenge)
    run = load_run(folder)
    store = Store(folder / "records")
    if rules is None:
        return build(run, store)
    other = rulebook.read(rules)
    _refuse_other_figures(run.challenge, other, rules)
    # optional datasets need not have been at hand
    measured = {use.name for use in run.challenge.datasets}
    absent = {use.name for use in other.datasets if not use.required} - measured
    other = replace(other.without(absent), protocol=run.challenge.protocol)
    board = build(run, store, other)
    untold = [name for name in sorted(absent) if not run.lacked(name)]
    new = [left_out(name, "which the run did not measure") for name in untold]
    if other != run.challenge:
        new.append(f"Ranked by the rules of {rules}, which are not those of the run.")
    return replace(board, notes=(*board.notes, *new))


def run_name(challenge: str) -> str:
    """What the run of a challenge is called that was named as `esr run` takes it: id or file."""
    return rulebook.read(challenge).id if Path(challenge).suffix == ".toml" else challenge


def regenerate(name: str, *, rules: str | None = None) -> Regenerated:
    """The table `name` (a bundled id or a .toml file) under each of its rulings.

    `rules` names another rulebook to rank the same figures by, under the first ruling alone.
    Raises BadInput for what can't be used.
    """
    table, rows = printed_tables.read(name)
    challenge = rulebook.read(table.rules)
    tracks = [f"{TRACK}{track.id}" for track in challenge.tracks]
    strange = [key for key in table.tie_order if key.startswith(TRACK) and key not in tracks]
    if strange:
        raise BadInput(
            f"{table.id}: tie_order names {', '.join(strange)}; the tracks of {challenge.id} are "
            f"{', '.join(tracks) or 'none'}"
        )
    rulings = table.rulings
    if rules is not None:
        other = rulebook.read(rules)
        _refuse_other_figures(challenge, other, rules)
        table, rulings = replace(table, ranked=True), rulings[:1]
        rows = tuple(PrintedRow(row.entry) for row in rows)  # places of other rules than these
        challenge = other
    challenge = as_printed(challenge, table, rows)
    judged = [Judged(ruling, judge_printed(challenge, table, rows, ruling)) for ruling in rulings]
    return Regenerated(table, tuple(judged))


def _refuse_other_figures(measured: Challenge, rules: Challenge, named: str) -> None:
    """Rules may rank the same figures in another way; they can't turn them into other figures.

    Raises BadInput where they would have to.
    """
    for name in ("scale", "quality_profile", "complexity_input"):
        was, asked = getattr(measured, name), getattr(rules, name)
        if was != asked:
            raise BadInput(
                f"{rules.id} wants {name} {asked!r}, the records of {measured.id} were made with "
                f"{was!r}: run `esr run --challenge {named}`"
            )
    known = {use.name for use in measured.datasets}
    lacking = [use.name for use in rules.datasets if use.required and use.name not in known]
    if lacking:
        raise BadInput(
            f"{rules.id} needs {', '.join(lacking)}, which the records of {measured.id} lack: run "
            f"`esr run --challenge {named}`"
        )
