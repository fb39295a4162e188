"""Holm's correction: of many entries, one will look slow by chance alone."""

from __future__ import annotations

from collections.abc import Sequence


def holm(levels: Sequence[float], *, level: float) -> tuple[bool, ...]:
    """Which of the p values stand when all are tested together at `level` (Holm 1979).

    The smallest is held against level / m, the next against level / (m - 1), and so on; from the
    first one that fails, none stands.
    """
    count = len(levels)
    kept = [False] * count
    for step, index in enumerate(sorted(range(count), key=lambda at: levels[at])):
        if levels[index] > level / (count - step):
            break
        kept[index] = True
    return tuple(kept)
