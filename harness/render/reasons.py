"""Why a row is not ranked, or failed, in one line."""

from __future__ import annotations

from harness.core.leaderboard import Row
from harness.render.text import REMARK_LIMIT, clean, short


def remark(row: Row) -> str:
    """The reason of a row in a table, "" for a ranked one or the floor."""
    return short(reason(row), REMARK_LIMIT)


def reason(row: Row) -> str:
    """The whole reason; of a failure as `timeout in forward: no answer within 300 s`."""
    failure = row.entry.failure
    if failure is not None:
        return clean(f"{failure.reason.replace('_', ' ')} in {failure.stage}: {failure.message}")
    return "" if row.ranked else clean(row.reason)
