"""The use cases from Python, with plain arguments and a DataFrame for results."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from harness.core.leaderboard import Leaderboard
from harness.entries import catalogue
from harness.entries import checkouts as official
from harness.gate.pair import CheckRequest
from harness.gate.result import Checked
from harness.render import to_frame
from harness.usecases.check import check as run_check
from harness.usecases.evaluate import RunRequest
from harness.usecases.evaluate import evaluate as run_evaluate
from harness.usecases.inspect import Inspected
from harness.usecases.inspect import inspect as run_inspect
from harness.usecases.report import regenerate as run_regenerate
from harness.usecases.report import report as run_report

__all__ = ["check", "evaluate", "inspect", "regenerate", "report", "to_frame"]
_CHECK_PATHS = ("weights_dir", "logs", "save")
_PATHS = ("data_dir", "ntire", "reports", "requirements", "weights_dir")
AnyPath = str | PathLike[str]


def evaluate(entries: Sequence[str] | None = None, **options: Any) -> Leaderboard:
    """Measure and rank `entries` (folders, folder:variant or reference ids), as `esr run` does.

    None stands for all of ./submissions. `options` are the fields of
    `harness.usecases.evaluate.RunRequest`: challenge, data_dir, reports, weights, weights_dir,
    references, rows (ids of references), device, threads, rounds, budget_s, fresh, untimed,
    sandbox, ntire (an official checkout), ids (of its entries), requirements (a file), keep_images,
    crop, spandrel and elsewhere (`harness.engines.choice.Elsewhere`). Raises ValueError for bad
    input, each with what to do, and `harness.documents.atomic.WriteError` where reports can't be
    written. `to_frame` makes a DataFrame of it.
    """
    named = None if entries is None else tuple(map(str, entries))
    paths = {name: Path(options[name]) for name in _PATHS if options.get(name) is not None}
    return run_evaluate(RunRequest(entries=named, **{**options, **paths}))


def check(entries: Sequence[str], against: AnyPath, **options: Any) -> tuple[Checked, ...]:
    """Hold `entries` against a baseline (an entry, git:REV, a .json record), as `esr check` does.

    `options` are the fields of `harness.gate.pair.CheckRequest`: settings, gates, size,
    images, complexity, device, threads, sandbox, capture, weights, weights_dir, logs, save,
    missing_baseline, challenge.
    """
    paths = {name: Path(options[name]) for name in _CHECK_PATHS if options.get(name) is not None}
    request = CheckRequest(tuple(map(str, entries)), str(against), **{**options, **paths})
    return run_check(request)


def inspect(
    entries: Sequence[str] = (),
    *,
    ntire: AnyPath | None = None,
    ids: Sequence[int] | None = None,
    requirements: AnyPath | None = None,
    reports: AnyPath = "reports",
    **options: Any,
) -> tuple[Inspected, ...]:
    """The dry run of `entries`, as `esr inspect` does: checks, counts and verdict of each.

    `ntire` is an official checkout whose entries, of `ids` or all, are looked at too, with the
    packages that a file of `requirements` is locked to. `options` are
    size (LR height and width), mode ("bundled" or "official"), weights_dir, sandbox ("auto",
    "require" or "none") and full (every counter for entries of a checkout).
    """
    candidates = [candidate for name in entries for candidate in catalogue.read_named(str(name))]
    if ntire is not None:
        candidates += official.candidates(
            Path(ntire), ids, None if requirements is None else Path(requirements)
        )
    return run_inspect(candidates, logs=Path(reports) / "inspect", **options)


def report(
    challenge: str = "sample", *, reports: AnyPath = "reports", rules: str | None = None
) -> Leaderboard:
    """The board of the last run of a challenge, from its records, as `esr report` does."""
    return run_report(challenge, Path(reports), rules=rules)


def regenerate(name: str, *, rules: str | None = None, ruling: str = "") -> Leaderboard:
    """A published table ranked again from its figures alone, as `esr report --published` does.

    `ruling` is one of the table's rulings by id, the first when empty. Raises ValueError for a
    table, rules or a ruling that can't be used.
    """
    again = run_regenerate(name, rules=rules)
    boards = {it.ruling.id: it.board for it in again.judged}
    if ruling and ruling not in boards:
        raise ValueError(f"{name} has no ruling {ruling!r}: name one of {', '.join(boards)}")
    return boards[ruling] if ruling else again.board
