"""Numbers of things, and lists of names, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping


def calls(uncounted: Mapping[str, int]) -> str:
    """`aten::bmm (1 call), acme::conv (12 calls)`."""
    return listed(
        tuple(f"{name} ({counted(number, 'call')})" for name, number in sorted(uncounted.items()))
    )


def counted(number: int, one: str, many: str = "") -> str:
    """`1 round`, `3 rounds`; `many` is a plural that has more than an s."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def listed(names: tuple[str, ...], *, most: int = 5) -> str:
    """The first names, and how many there are beside them."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
