from __future__ import annotations

import math

import pytest

from harness.render.units import MISSING, quantity, shown


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "text"),
    [
        (0.02711, "ms", 2, "27.11"),
        (1.5, "s", 1, "1.5"),
        (317_218, "K", 0, "317"),
        (317_218, "M", 3, "0.317"),
        (19_695_306_752, "G", 2, "19.70"),
        (395_837_440, "MiB", 1, "377.5"),  # 377.5 x 1,048,576
        (28.955, "dB", 1, "29.0"),
        (0.8952, "", 4, "0.8952"),
        (0.125, "%", 1, "12.5"),
    ],
)
def test_base_units_are_shown_in_the_unit_of_the_column(
    value: float, unit: str, decimals: int, text: str
) -> None:
    assert shown(value, unit, decimals) == text


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_no_figure_is_an_en_dash(value: float | None) -> None:
    assert shown(value, "ms", 2) == MISSING == "–"


def test_a_figure_stands_with_its_usual_unit() -> None:
    assert quantity("runtime:Set5", 0.0123) == "12.30 ms"
    assert quantity("convs", 39.0) == "39"
    assert quantity("memory", None) == "–"
