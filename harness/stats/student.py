"""Student's t for whole degrees of freedom, exact and without SciPy; Welch's two samples; Holm.

Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4. B. L. Welch, The
generalization of Student's problem, Biometrika 34 (1947).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from statistics import variance

_LARGEST = 1e7
_STEPS = 60


def inside(t: float, freedom: int) -> float:
    """The probability that |T| is at most `t`, which must not be negative.

    Raises ValueError without a degree of freedom.
    """
    if freedom < 1:
        raise ValueError(f"Student's t needs at least 1 degree of freedom, got {freedom}")
    angle = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2 == 1
    term = cosine if odd else 1.0
    total = term if freedom > 1 else 0.0
    for k in range(3 if odd else 2, freedom - 1, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    return 2.0 / math.pi * (angle + sine * total) if odd else sine * total


@cache
def bound(confidence: float, freedom: int) -> float:
    """The t within which |T| lies with probability `confidence`, 0 < confidence < 1."""
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence:g}")
    low, high = 0.0, _LARGEST
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if inside(middle, freedom) < confidence else (low, middle)
    return (low + high) / 2


def welch(one: Sequence[float], other: Sequence[float]) -> tuple[float, int]:
    """The standard error of the difference of two means, and its degrees of freedom, rounded down.

    StatisticsError for a sample of fewer than two.
    """
    parts = [variance(it) / len(it) for it in (one, other)]
    total = sum(parts)
    if total == 0.0:
        return 0.0, 1
    shares = (part**2 / (len(it) - 1) for part, it in zip(parts, (one, other), strict=True))
    return math.sqrt(total), max(int(total**2 / sum(shares)), 1)


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
