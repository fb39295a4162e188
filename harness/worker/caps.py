"""What a worker sends is short: lists, and names and texts that a submission may choose.

The trusted side refuses more than the wire's caps, and an honest model may well have more modules,
operators or words than that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from harness.wire.messages import LIST_CAP, TEXT_CAP

LISTED = 40  # names
_NAME = 160


def within_caps(value: Any) -> Any:
    """An answer's value whose texts, tuples and objects end where the wire's caps are."""
    if isinstance(value, str):
        return clipped(value, most=TEXT_CAP)
    if isinstance(value, tuple):
        return tuple(map(within_caps, value[:LIST_CAP]))
    if isinstance(value, dict):
        return {within_caps(k): within_caps(it) for k, it in list(value.items())[:LIST_CAP]}
    return value


def clipped(text: str, *, most: int = _NAME) -> str:
    """A text of the submission's own, of bounded length."""
    return text if len(text) <= most else text[: most - 1] + "…"


def listed(names: Iterable[str], *, most: int = LISTED) -> tuple[str, ...]:
    """The first names, and how many more there are."""
    known = tuple(names)
    rest = (f"{len(known) - most} others",) if len(known) > most else ()
    return (*map(clipped, known[:most]), *rest)


def brief(names: Collection[str], what: str) -> tuple[str, ...]:
    """How many there are and the first three, in one text; none where there are no names."""
    shown = ", ".join(list(names)[:3]) + (", ..." if len(names) > 3 else "")
    return (f"{len(names)} {what} ({shown})",) if names else ()


def few(calls: Mapping[str, int], *, most: int = LISTED) -> dict[str, int]:
    """The operators that were called most."""
    return {clipped(name): number for name, number in Counter(calls).most_common(most)}
