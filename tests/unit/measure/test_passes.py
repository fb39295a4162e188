from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from fakes.audited import FakeSession, task

from harness.measure.passes import warm_up
from harness.measure.probes import PlainRound
from harness.measure.session import LrImage, Session

SIDES = (6, 10, 8, 10)


def shapes_that_are_warmed(first_s: float, form: str, **told: Any) -> list[int]:
    """Heights of what the warm-up is given, where a forward takes `first_s`."""
    images = tuple(
        LrImage("set", f"{at}", np.full((side, 10, 3), at, np.uint8))
        for at, side in enumerate(SIDES)
    )
    asked = task(form=form)
    asked = replace(asked, load=replace(asked.load, **told))
    session = FakeSession(asked, seconds=lambda *_: first_s)
    assert warm_up(cast("Session", session), images, PlainRound()) == first_s
    return [it.shape[0] for it in session.given]


def test_short_forwards_are_warmed_up_at_every_shape_and_the_largest_comes_first() -> None:
    assert shapes_that_are_warmed(0.05, "graph") == [10, 8, 6]


def test_where_a_graphs_forwards_are_long_all_shapes_are_warm_with_the_largest() -> None:
    assert shapes_that_are_warmed(1.5, "graph") == [10, 6]  # at 6 of 10 rows 0.9 s
    assert shapes_that_are_warmed(2.0, "graph") == [10]


@pytest.mark.parametrize(
    ("form", "told"),
    [("entry", {}), ("graph", {"compile": True}), ("graph", {"device": "cuda"})],
)
def test_code_what_is_compiled_and_a_gpu_may_have_more_to_do_at_a_new_shape(
    form: str, told: dict[str, Any]
) -> None:
    assert shapes_that_are_warmed(2.0, form, **told) == [10, 8, 6]
