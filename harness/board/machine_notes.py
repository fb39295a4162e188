"""What the machine was busy with while rounds were timed, in sentences for the board."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from harness.core.leaderboard import BoardEntry
from harness.core.phrasing import listed
from harness.machine.disturbances import OTHERS, STEAL, THROTTLED

OTHERS_CORES = 0.2  # from which others disturb
STOLEN = 0.01  # share of the time of a core


def machine_notes(entries: Iterable[BoardEntry]) -> Iterator[str]:
    """One for each thing that kept the processors from the contenders, with its rounds."""
    rounds: dict[str, dict[int, float]] = defaultdict(dict)
    for record in (it for entry in entries for it in entry.timed):
        for name, least in _LEAST.items():
            found = _number(record.environment.seen.get(name))
            if found >= least:
                number = record.round + 1
                rounds[name][number] = max(found, rounds[name].get(number, 0.0))
    for name, shares in rounds.items():
        most = max(shares.values())
        which = listed(tuple(str(it) for it in sorted(shares)))
        yield f"{_SAID[name].format(most=most)} (round {which}). {_ADVICE[name]}"


_LEAST = {OTHERS: OTHERS_CORES, STEAL: STOLEN, THROTTLED: STOLEN}
_SAID = {
    OTHERS: "Other processes used up to {most:.1f} cores while entries were timed",
    STEAL: "The host of this machine gave up to {most:.0%} of a core's time to others",
    THROTTLED: "A quota stopped the harness for up to {most:.0%} of the time",
}
_ADVICE = {
    OTHERS: "End them, and time all again with --fresh, before you believe close ranks.",
    STEAL: "Absolute times move with it: use a dedicated machine for figures.",
    THROTTLED: "Use fewer --threads, or raise the quota of the container.",
}


def _number(text: str | None) -> float:
    try:
        return float(text or 0.0)
    except ValueError:
        return 0.0
