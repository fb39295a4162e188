"""What kept processors from those who were timed, by round: other processes, the host, a quota."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from harness.core.leaderboard import BoardEntry

OTHERS, STEAL, THROTTLED = "others_cores", "steal_share", "throttled_share"
"""Keys of `Environment.seen`: cores that other processes used, shares of the time of a core."""


def by_round(entries: Iterable[BoardEntry]) -> Mapping[int, Mapping[str, float]]:
    """The most of each in each round, from 0; nothing of rounds whose system told nothing."""
    found: dict[int, dict[str, float]] = defaultdict(dict)
    for record in (it for entry in entries for it in entry.timed):
        for name in (OTHERS, STEAL, THROTTLED):
            told = _number(record.environment.seen.get(name))
            if told is not None:
                found[record.round][name] = max(told, found[record.round].get(name, 0.0))
    return dict(sorted(found.items()))


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
