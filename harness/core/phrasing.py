"""Numbers of things, lists of names, and names that were mistyped, in a sentence."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

_LONGEST = 80  # characters of a name that is compared


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


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean rlfn_x4?` with the known names that are most like one, "" if none is."""
    by_key = {_key(it): it for it in known}
    alike = difflib.get_close_matches(_key(name[:_LONGEST]), by_key, n=3, cutoff=0.7)
    return f"; did you mean {' or '.join(by_key[it] for it in alike)}?" if alike else ""


def _key(name: str) -> str:
    return "".join(char for char in name.lower() if char not in "-_ ")
