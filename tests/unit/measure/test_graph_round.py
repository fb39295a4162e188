from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from fakes.audited import (
    FakeSession,
    FakeTruths,
    Uint8,
    bicubic,
    images,
    photographs,
    shrunk,
    task,
    whole_round,
)

from harness.core.audit import Audit
from harness.wire.messages import Ready

LEVELS = 6  # of grey, which cost these images a dB or two


def test_without_truths_one_small_image_is_shown_afresh_by_forwards_that_nobody_scores() -> None:
    session = FakeSession(task(form="graph"))
    found = {audit.id: audit for audit in whole_round(session, images()).audits}
    # the warm-up and memory's forward show it, beside three images
    assert len(session.given) == 1 + 3 + 1
    assert "small changes in the image" in found["outputs"].evidence
    assert not found.keys() & {"repeats", "idle"}  # a graph has no memory, nothing to do it with
    shown = Counter(it.tobytes() for it in session.given)
    assert set(shown.values()) == {1}


def _graph_round(
    model: Callable[[Uint8], Uint8] = bicubic, *, untrained: bool = False, **asked: Any
) -> tuple[FakeSession, dict[str, Audit]]:
    truths = photographs(4, (48, 60))
    ready = Ready(0.1, 7, untrained=untrained)
    session = FakeSession(task(form="graph", **asked), model=model, ready=ready)
    figures = whole_round(session, shrunk(truths), FakeTruths(truths))
    return session, {it.id: it for it in figures.audits}


def test_a_thorough_round_of_a_graph_has_three_forwards_of_its_own() -> None:
    session, found = _graph_round()
    # beside the warm-up, four images and memory's forward, a mosaic: two fresh versions, a mosaic
    assert len(session.given) == 1 + 4 + 1 + 3
    assert (found["scores"].verdict, found["outputs"].verdict) == ("ok", "ok")


def test_the_forward_whose_memory_counts_is_a_mosaic_of_the_largest_size() -> None:
    truths = photographs(3, (36, 48)) | {"large": photographs(1, (60, 72))["0"]}
    for warmup in (0, 1):
        session = FakeSession(task(form="graph", warmup=warmup))
        shown = shrunk(truths)
        found = {it.id: it for it in whole_round(session, shown, FakeTruths(truths)).audits}
        assert found["scores"].verdict == "ok"
        last = session.given[2 * warmup + len(shown)]
        assert last.shape == (60, 72, 3)
        assert not any(np.mean(last == it.pixels) > 0.5 for it in shown if it.image == "large")
        # a mosaic, and fresh versions of as many of three images as the warm-up showed none of
        assert len(session.given) == 2 * warmup + len(shown) + 1 + 1 + (3 - 2 * warmup)


def test_what_is_no_network_where_nothing_is_scored_is_found() -> None:
    class GreyAt:
        """Honest for all outputs that are asked for but one."""

        def __init__(self, call: int) -> None:
            self.left = call

        def __call__(self, lr: Uint8) -> Uint8:
            self.left -= 1
            return np.full_like(bicubic(lr), 90) if self.left == -1 else bicubic(lr)

    for call in (0, 1 + 4):  # the warm-up and memory's forward raise a doubt
        session, _ = _graph_round(GreyAt(call))
        assert len(session.given) > 1 + 4 + 1 + 3


def test_what_does_not_resemble_its_image_is_asked_whether_it_answers_small_changes() -> None:
    session, found = _graph_round(lambda lr: np.full_like(bicubic(lr), 90))
    assert len(session.given) == 1 + 4 + 1 + 3 + 1
    assert found["outputs"].verdict == "rejected"
    assert "of small changes in the image" in found["outputs"].evidence


def test_a_doubt_about_one_image_is_looked_at_until_it_is_gone() -> None:
    class Worse:
        """Errs by some grey levels in as many forwards as told, of those that follow memory's."""

        def __init__(self, times: int) -> None:
            self.left, self.times = 1 + 4 + 1, times

        def __call__(self, lr: Uint8) -> Uint8:
            self.left -= 1
            by = LEVELS if -self.times <= self.left < 0 else 0
            return bicubic(lr.clip(by, 255)) - np.uint8(by)

    own = 1 + 4 + 1 + 3
    once, found = _graph_round(Worse(1))
    # the image in doubt once more, and at most one that was not shown
    assert own < len(once.given) <= own + 2
    assert found["scores"].verdict == "ok"
    always, found = _graph_round(Worse(1000))
    # up to three versions of each of four images, and eight mosaics
    assert own + 6 < len(always.given) <= own + (12 - 3) + 6
    assert found["scores"].verdict != "ok"


def test_nothing_more_is_asked_of_an_untrained_network_whose_output_is_not_judged() -> None:
    def grey(lr: Uint8) -> Uint8:
        return np.full_like(bicubic(lr), 90)

    session, found = _graph_round(grey, untrained=True)
    assert len(session.given) == 1 + 4 + 1 + 3
    assert found["outputs"].verdict == "ok"
    assert "scores" not in found


def test_later_passes_of_a_graph_show_the_fresh_versions_of_a_thorough_round() -> None:
    session, found = _graph_round(passes=3)
    assert len(session.given) == 1 + 3 * 4 + 1 + 1  # memory's forward is a mosaic
    assert session.fetched_times == 3 * 4 + 1
    assert (found["scores"].verdict, found["outputs"].verdict) == ("ok", "ok")


def test_other_rounds_show_their_images_alone() -> None:
    session = FakeSession(task(form="graph", thorough=False))
    whole_round(session, images())
    assert len(session.given) == 1 + 3
    assert session.watched == 0
