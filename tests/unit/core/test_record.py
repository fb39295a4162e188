from __future__ import annotations

import math

import pytest

from harness.core.record import Sample, TimedBeside


@pytest.mark.parametrize("seconds", [0.0, -1.0, 1e308, math.inf, math.nan])
def test_what_others_are_compared_with_took_some_time(seconds: float) -> None:
    """The logarithm of it enters the ranges of all rows."""
    with pytest.raises(ValueError, match="'base' took no time"):
        TimedBeside("base", (Sample("Set5", "baby", 0, 8, 8, seconds, 1.0),))
