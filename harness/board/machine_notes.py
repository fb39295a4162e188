"""What the machine was busy with while rounds were timed, in sentences for the board."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.core.disturbances import OTHERS, STEAL, THROTTLED, by_round
from harness.core.leaderboard import BoardEntry
from harness.core.phrasing import listed

OTHERS_CORES = 0.2  # from which others disturb
STOLEN = 0.01  # share of the time of a core


def machine_notes(entries: Iterable[BoardEntry]) -> Iterator[str]:
    """One for each thing that kept the processors from the contenders, with its rounds."""
    seen = by_round(entries)
    for name, (least, said, advice) in _SAID.items():
        rounds = {number: it[name] for number, it in seen.items() if it.get(name, 0.0) >= least}
        if rounds:
            which = listed(tuple(str(number + 1) for number in rounds))
            yield f"{said.format(max(rounds.values()))} (round {which}). {advice}"


_SAID = {
    OTHERS: (
        OTHERS_CORES,
        "Other processes used up to {:.1f} cores while entries were timed",
        "End them, and time all again with --fresh, before you believe close ranks.",
    ),
    STEAL: (
        STOLEN,
        "The host of this machine gave up to {:.0%} of a core's time to others",
        "Absolute times move with it: use a dedicated machine for figures.",
    ),
    THROTTLED: (
        STOLEN,
        "A quota stopped the harness for up to {:.0%} of the time",
        "Use fewer --threads, or raise the quota of the container.",
    ),
}
