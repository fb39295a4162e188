from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.stats.student import bound, inside


@pytest.mark.parametrize(
    ("freedom", "confidence", "t"),
    # the printed tables of Student's t, two-sided
    [(1, 0.95, 12.706), (2, 0.95, 4.303), (3, 0.99, 5.841), (10, 0.95, 2.228), (30, 0.9, 1.697)],
)
def test_the_bounds_are_those_of_the_printed_tables(
    freedom: int, confidence: float, t: float
) -> None:
    assert bound(confidence, freedom) == pytest.approx(t, abs=5e-4)


@given(st.integers(1, 60), st.floats(0.0, 50.0))
def test_the_probability_is_scipys(freedom: int, t: float) -> None:
    assert inside(t, freedom) == pytest.approx(1 - 2 * stats.t.sf(t, freedom), abs=1e-9)


def test_without_a_degree_of_freedom_there_is_no_bound() -> None:
    with pytest.raises(ValueError, match="at least 1 degree of freedom"):
        inside(1.0, 0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        bound(1.0, 3)
