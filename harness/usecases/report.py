"""Draw a board again from what is on disk, without measuring."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.board.build import build, load_run
from harness.board.store import Store
from harness.core.challenge import Challenge
from harness.core.leaderboard import Leaderboard
from harness.core.outcome import BadInput
from harness.core.run import Run, left_out
from harness.rules import rulebook


def report(challenge: str, reports: Path, *, rules: str | None = None) -> Leaderboard:
    """The board of the last run of `challenge` under `reports`.

    `rules` names another rulebook to rank the same records by. Raises BadInput where there is
    no run, and for rules that can't be used.
    """
    folder = reports / challenge
    run = load_run(folder)
    store = Store(folder / "records")
    if rules is None:
        return build(run, store)
    other = rulebook.read(rules)
    refuse_other_figures(run.challenge, other)
    return _without_unmeasured(other, run, store)


def _without_unmeasured(rules: Challenge, run: Run, store: Store) -> Leaderboard:
    """The board by rules whose optional datasets need not have been at hand."""
    measured = {use.name for use in run.challenge.datasets}
    absent = {use.name for use in rules.datasets if not use.required} - measured
    board = build(run, store, rules.without(absent))
    untold = [name for name in sorted(absent) if not run.lacked(name)]
    new = [left_out(name, "which the run did not measure") for name in untold]
    return replace(board, notes=(*board.notes, *new))


def refuse_other_figures(measured: Challenge, rules: Challenge) -> None:
    """Rules may rank the same figures in another way; they can't turn them into other figures.

    Raises BadInput where they would have to.
    """
    for name in ("scale", "quality_profile", "complexity_input"):
        was, asked = getattr(measured, name), getattr(rules, name)
        if was != asked:
            raise BadInput(
                f"{rules.id} wants {name} {asked!r}, the records of {measured.id} were made with "
                f"{was!r}: run `esr run --challenge {rules.id}`"
            )
