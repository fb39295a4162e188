"""Official results files read into records that make a board."""

from __future__ import annotations

import hashlib
from pathlib import Path

from harness.board import ntire_results
from harness.board.build import build, load_run, save_run
from harness.board.imported import cut_to_figures, imported_run, known_counts, same_images
from harness.board.ntire_results import Results
from harness.board.store import Store
from harness.core.leaderboard import Leaderboard
from harness.core.outcome import BadInput
from harness.core.record import ELSEWHERE
from harness.rules import rulebook


def import_results(path: Path, challenge: str, reports: Path, *, name: str = "") -> Leaderboard:
    """The board of an official results file under a challenge's rules; kept under `reports`.

    It is a board of its own, called `name` or `<challenge>_imported`: its runtimes come from
    another machine than any run here. A model whose figures can't be used is a failed row. Raises
    BadInput for a file or a challenge that does not fit, WriteError.
    """
    rules = rulebook.read(challenge)
    found, digest = _read(path)
    found, other_images = same_images(found, known_counts(rules))
    rules, left_out = cut_to_figures(rules, found, path, name)
    run, records = imported_run(
        found, rules, source=path.name, digest=digest, notes=(*left_out, *other_images)
    )
    folder = reports / rules.id
    store = Store(folder / "records")
    with store.locked():
        _refuse_over_a_run(folder)
        save_run(folder, run)
        for record in records:
            store.save(record)
    return build(run, store)


def _read(path: Path) -> tuple[Results, str]:
    """What the file holds, and its digest."""
    try:
        data = path.read_bytes()
        return ntire_results.parse(data), hashlib.sha256(data).hexdigest()
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}") from None
    except BadInput as error:
        raise BadInput(f"{path} {error}") from None


def _refuse_over_a_run(folder: Path) -> None:
    """What was measured is not replaced by what somebody else says; a file of no use may be."""
    try:
        there = load_run(folder).environment
    except BadInput:
        return
    if there != ELSEWHERE:
        raise BadInput(f"{folder} holds a run that was measured here; import under another --name")
