"""The small marks beside a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.core.leaderboard import Row
from harness.render.text import HINT_LIMIT, clean, cut, short

Tone = Literal["plain", "reference", "good", "warn", "bad"]
_BADGE_LIMIT = 28
_VERDICTS: dict[str, tuple[str, Tone]] = {
    "verified": ("counts verified", "good"),
    "disputed": ("counts disputed", "bad"),
    "incomplete": ("counts incomplete", "warn"),
}
_HINTS = {
    "reference": "A reference model that ships with the harness, measured like any entry",
    "untrained": "Seeded random weights: size and speed are meaningful, quality is not",
    "limit met by rounding": "Inside the limit only at the decimals that the rules judge by",
}


@dataclass(frozen=True)
class Badge:
    """A mark of a few words; `hint` is what it means."""

    text: str
    tone: Tone = "plain"
    hint: str = ""


def badges(row: Row) -> tuple[Badge, ...]:
    """Role, what the entry carries, what its counters say, and a limit met by rounding alone."""
    entry = row.entry
    found = []
    if entry.role == "reference":
        found.append(Badge("reference", "reference", _HINTS["reference"]))
    found += [_of_text(text) for text in entry.badges]
    if entry.verdict is not None:
        text, tone = _VERDICTS[entry.verdict.level]
        reasons = "; ".join(clean(reason) for reason in entry.verdict.reasons)
        found.append(Badge(text, tone, cut(reasons, HINT_LIMIT)))
    if row.ranked and any(room < 0 for room in row.margins.values()):
        name = "limit met by rounding"
        found.append(Badge(name, "warn", _HINTS[name]))
    return tuple(found)


def _of_text(text: str) -> Badge:
    warns = text.startswith(("untrained", "flags", "demo"))
    return Badge(short(text, _BADGE_LIMIT), "warn" if warns else "plain", _HINTS.get(text, ""))
