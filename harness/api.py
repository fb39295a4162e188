"""The use cases from Python, with plain arguments and a DataFrame for results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness import catalog, pipeline
from harness.core.leaderboard import Leaderboard
from harness.pipeline import Inspected, Request
from harness.render.frame import to_frame

__all__ = ["evaluate", "inspect", "report", "to_frame"]


def evaluate(entries: Sequence[str] | None = None, **options: Any) -> Leaderboard:
    """Measure and rank `entries` (folders, folder:variant or reference ids), as `esr run` does.

    None stands for all of ./submissions. `options` are the fields of
    `harness.pipeline.Request`: challenge, data_dir, reports, weights, weights_dir, references,
    device, threads, rounds, fresh. Raises ValueError for bad input, each with what to do.
    """
    named = None if entries is None else tuple(entries)
    return pipeline.evaluate(Request(entries=named, **options))


def inspect(entries: Sequence[str], *, reports: str | Path = "reports") -> tuple[Inspected, ...]:
    """The dry run of `entries`, as `esr inspect` does: checks, counts, verdict of each."""
    candidates = [candidate for name in entries for candidate in catalog.read_named(name)]
    return pipeline.inspect(candidates, logs=Path(reports) / "inspect")


def report(challenge: str = "sample", *, reports: str | Path = "reports") -> Leaderboard:
    """The board of the last run of a challenge, drawn from its records."""
    return pipeline.report(challenge, Path(reports))
