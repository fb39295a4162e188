"""Lists of names in a sentence, cut where they grow long."""

from __future__ import annotations

from collections.abc import Mapping


def calls(uncounted: Mapping[str, int]) -> str:
    """`aten::bmm (1 call), acme::conv (12 calls)`."""
    return listed(
        tuple(
            f"{name} ({number} call{'s' if number != 1 else ''})"
            for name, number in sorted(uncounted.items())
        )
    )


def listed(names: tuple[str, ...], *, most: int = 5) -> str:
    """The first names, and how many there are beside them."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
