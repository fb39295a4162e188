from __future__ import annotations

import itertools

import pytest

from harness.render.plots.axes import Scale, scale_over
from harness.render.plots.shapes import text_width


def test_round_figures_stand_beside_a_linear_axis() -> None:
    ticks = Scale(0.0, 10.0, 0.0, 300.0).ticks()
    assert [text for _, text in ticks] == ["0", "2", "4", "6", "8", "10"]


def test_a_logarithmic_axis_has_one_two_five() -> None:
    ticks = Scale(3.0, 250.0, 0.0, 400.0, log=True).ticks()
    assert [text for _, text in ticks] == ["5", "10", "20", "50", "100", "200"]


def test_less_than_a_decade_has_figures_as_well() -> None:
    ticks = Scale(1.09, 1.91, 0.0, 400.0, log=True).ticks()
    assert [text for _, text in ticks] == ["1.2", "1.4", "1.6", "1.8"]


def test_whole_numbers_alone_stand_beside_an_axis_of_rounds() -> None:
    ticks = Scale(0.5, 3.5, 0.0, 140.0, whole=True).ticks()
    assert [text for _, text in ticks] == ["1", "2", "3"]


@pytest.mark.parametrize("length", [30.0, 60.0, 120.0, 500.0])
@pytest.mark.parametrize("ends", [(0.0, 1.0), (28.41, 29.23), (99_990.0, 100_010.0), (1e-4, 3e-4)])
@pytest.mark.parametrize("log", [False, True])
def test_no_two_figures_touch(length: float, ends: tuple[float, float], *, log: bool) -> None:
    low, high = ends
    scale = Scale(max(low, 1e-6) if log else low, high, 0.0, length, log=log)
    ticks = scale.ticks()
    assert ticks
    spans = [(scale.at(it) - text_width(text, 8) / 2, text_width(text, 8)) for it, text in ticks]
    for (start, width), (following, _) in itertools.pairwise(spans):
        assert start + width < following


def test_a_scale_over_equal_figures_has_a_length() -> None:
    scale = scale_over([5.0, 5.0], 0.0, 100.0)
    assert scale.at(5.0) == pytest.approx(50.0)


def test_a_scale_reaches_on_with_every_figure_where_it_was() -> None:
    for log in (False, True):
        scale = Scale(1.0, 100.0, 20.0, 80.0, log=log)
        wide = scale.reaching(0.0, 120.0)
        assert wide.at(30.0) == pytest.approx(scale.at(30.0))
        assert (wide.at(wide.low), wide.at(wide.high)) == pytest.approx((0.0, 120.0))
