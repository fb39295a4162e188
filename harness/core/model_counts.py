"""What the counters of a model say, and whether they can be believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class CountVerdict:
    """`verified`: the independent counters agree. `disputed`: figures that must be equal differ.
    `incomplete`: something is left out of every figure, or can't be known: an operator that no
    counter can count, weights that are no parameters, a counter that could not run.
    """

    level: Literal["verified", "disputed", "incomplete"]
    reasons: tuple[str, ...] = ()
