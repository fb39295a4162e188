"""The parts of a count, by operator or module, short enough to be sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.worker.caps import clipped

PARTS = 80  # of one list; a network of a challenge has some 40 to 120 layers


@dataclass
class Breakdown:
    """Multiply-adds and calls by name, being added up."""

    macs: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, macs: int) -> None:
        """One more call."""
        self.macs[name] += macs
        self.calls[name] += 1

    def shares(self) -> tuple[dict[str, Any], ...]:
        """The largest parts first, and one for all others."""
        return shares(self.macs, self.calls)


def shares(
    macs: Mapping[str, int], calls: Mapping[str, int] | None = None
) -> tuple[dict[str, Any], ...]:
    """As `core.model_counts.Share`. What costs nothing is left out; what the list has no room for
    is one part at its end.
    """
    calls = calls or {}
    named = sorted((item for item in macs.items() if item[1] > 0), key=lambda item: -item[1])
    parts = [
        {"name": clipped(name), "macs": cost, "calls": calls.get(name, 0)}
        for name, cost in named[:PARTS]
    ]
    rest = named[PARTS:]
    if rest:
        total = sum(calls.get(name, 0) for name, _ in rest)
        macs_left = sum(cost for _, cost in rest)
        parts.append({"name": f"{len(rest)} others", "macs": macs_left, "calls": total})
    return tuple(parts)
