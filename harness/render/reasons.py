"""Why a row is not ranked, or failed, in one line."""

from __future__ import annotations

from harness.core.leaderboard import Entry, Row
from harness.core.outcome import Failed
from harness.render.text import REMARK_LIMIT, clean, short


def remark(row: Row) -> str:
    """The reason of a row in a table, "" for a ranked one or the floor; a failure names its stage.

    `timeout in forward: no answer within 300 s`.
    """
    if row.entry.status == "failed":
        return short(failure(row), REMARK_LIMIT)
    if row.ranked or row.entry.role == "floor":
        return ""
    return short(row.reason or row.entry.reason, REMARK_LIMIT)


def failure(row: Row) -> str:
    """The whole reason of a failed row."""
    first = next(iter(failures(row.entry)), None)
    if first is None:
        return clean(row.reason or row.entry.reason or "failed")
    return sentence(first)


def failures(entry: Entry) -> tuple[Failed, ...]:
    """Every failure among the records of an entry."""
    outcomes = (record.outcome for record in entry.records)
    return tuple(outcome for outcome in outcomes if isinstance(outcome, Failed))


def sentence(failed: Failed) -> str:
    """`wrong output in forward: ...`."""
    return clean(f"{failed.reason.replace('_', ' ')} in {failed.stage}: {failed.message}")
