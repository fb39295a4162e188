"""Draw a board again from what is on disk, without measuring."""

from __future__ import annotations

from pathlib import Path

from harness import rulebook
from harness.core.leaderboard import Leaderboard
from harness.pipeline.board import build, load_run
from harness.store import Store


def report(challenge: str, reports: Path, *, rules: str | None = None) -> Leaderboard:
    """The board of the last run of `challenge` under `reports`.

    `rules` names another rulebook to rank the same records by. Raises BadInput where there is
    no run, RulebookError for rules that can't be used.
    """
    folder = reports / challenge
    run = load_run(folder)
    other = rulebook.read(rules) if rules else None
    return build(run, Store(folder / "records"), other)
