"""What a person can put right; the command line prints it without a traceback."""

from __future__ import annotations

from collections.abc import Sequence


class TrainingError(Exception):
    """Bad input, or a run that can't go on: the message says what, where and what to do."""


def listed(summary: str, faults: Sequence[str]) -> TrainingError:
    """One error that names every fault, a line each."""
    return TrainingError("\n".join([summary, *(f"  {fault}" for fault in faults)]))
