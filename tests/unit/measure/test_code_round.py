from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fakes.audited import (
    FakeSession,
    Uint8,
    bicubic,
    images,
    task,
    whole_round,
)

from harness.core.model_counts import Counts
from harness.core.record import RoundFigures
from harness.machine import proc
from harness.wire.messages import Ready


def _run(session: FakeSession) -> RoundFigures:
    return whole_round(session, images())


def _verdicts(session: FakeSession) -> dict[str, str]:
    return {audit.id: audit.verdict for audit in _run(session).audits}


def _faster_if_seen(pixels: Uint8, before: list[bytes]) -> float:
    return 0.001 if pixels.tobytes() in before else 0.05


def test_an_honest_round_has_every_audit_and_no_doubt() -> None:
    verdicts = _verdicts(FakeSession(task()))
    assert set(verdicts.values()) == {"ok"}
    looked = {"clock", "collect", "repeats", "outputs", "references", "flags", "input", "precision"}
    assert verdicts.keys() == looked  # there is no process whose time could be read


def test_a_thorough_round_of_code_has_four_forwards_more_and_two_at_its_end() -> None:
    session = FakeSession(task())
    figures = _run(session)
    # one warm-up, three images and what is timed, two of one of them and two fresh ones, one whose
    # memory is watched, one before it must rest
    assert len(session.given) == 1 + 2 * 3 + 4 + 1 + 1
    assert len(session.memory_watched) == 1
    assert session.watched == 1 + 3  # for precision, and each image for its cost
    assert len(figures.samples) == len(figures.scores) == 3
    shown = Counter(it.tobytes() for it in session.given)
    assert sorted(shown.values()) == [1] * 9 + [4]  # one image came again three times


def test_other_rounds_have_no_forward_but_those_that_are_scored() -> None:
    session = FakeSession(task(thorough=False))
    verdicts = _verdicts(session)
    assert len(session.given) == 1 + 2 * 3
    assert session.watched == 0
    assert {"clock", "collect", "references"} < verdicts.keys()


def test_what_can_be_recognised_of_code_is_never_timed() -> None:
    known = {it.pixels.tobytes() for it in images()}

    def seconds(pixels: Uint8, before: list[bytes]) -> float:
        del before
        return 0.001 if pixels.tobytes() in known else 0.05

    figures = _run(FakeSession(task(thorough=False), seconds=seconds))
    assert {it.seconds for it in figures.samples} == {0.05}


def test_a_later_round_of_code_scores_those_that_were_drawn() -> None:
    session = FakeSession(task(later=True, thorough=False))
    figures = whole_round(session, images(5))
    assert (len(figures.samples), len(figures.scores)) == (5, 3)
    assert len(session.given) == 1 + 5 + 3
    graph = FakeSession(task(form="graph", later=True, thorough=False))
    assert len(whole_round(graph, images(5)).scores) == 5


def test_what_takes_its_time_where_it_is_not_ranked_is_found() -> None:
    known = {it.pixels.tobytes() for it in images()}

    def slow_elsewhere(_: Uint8, before: list[bytes]) -> float:
        """Fast where an image has just been scored: what comes then is ranked."""
        return 0.003 if before and before[-1] in known and before.count(before[-1]) == 1 else 4.0

    (found,) = [
        it for it in _run(FakeSession(task(), seconds=slow_elsewhere)).audits if it.id == "repeats"
    ]
    assert found.verdict == "suspect"
    assert found.evidence == (
        "an image's ranked forward took 3 ms, 4 that are not ranked of its size 4e+03 ms at least"
    )


def test_a_cached_output_is_found_by_eight_against_eight() -> None:
    session = FakeSession(task(), seconds=_faster_if_seen)
    (found,) = [it for it in _run(session).audits if it.id == "repeats"]
    assert found.verdict == "rejected"
    assert found.evidence.endswith("medians of 8 and 8 in drawn order")


def test_outputs_of_later_passes_are_compared_with_the_scored_ones() -> None:
    class Forgetful:
        """Honest for the outputs of the first pass; then grey."""

        calls = 0

        def __call__(self, lr: Uint8) -> Uint8:
            self.calls += 1
            return bicubic(lr) if self.calls <= 6 else np.full_like(bicubic(lr), 90)

    session = FakeSession(task(thorough=False, passes=2), model=Forgetful())
    assert _verdicts(session)["outputs"] == "rejected"
    honest = FakeSession(task(thorough=False, passes=2))
    assert _verdicts(honest)["outputs"] == "ok"
    assert len({it.tobytes() for it in honest.given}) == len(honest.given) == 1 + 3 + 2 * 3


def test_an_output_that_is_drawn_at_random_is_told() -> None:
    rng = np.random.default_rng(0)

    def noisy(lr: Uint8) -> Uint8:
        return np.clip(bicubic(lr) + rng.integers(0, 30, 1, dtype=np.int16), 0, 255).astype(
            np.uint8
        )

    notes = _run(FakeSession(task(), model=noisy)).notes
    assert notes[0].startswith("the same image came out differently, by up to ")
    assert _run(FakeSession(task())).notes == ()


def test_a_cost_that_depends_on_the_image_is_told_with_its_range() -> None:
    darkest, next_one, _ = sorted(float(it.pixels.mean()) for it in images())

    def routing(lr: Uint8) -> int:
        return 900 if 2 * lr.mean() < darkest + next_one else 500

    (note,) = _run(FakeSession(task(), macs=routing)).notes
    assert "what the image shows: 500 to 900 multiply-adds" in note
    assert _run(FakeSession(task(form="graph"), macs=routing)).notes == ()


def test_a_process_that_dies_while_it_is_watched_has_been_measured() -> None:
    figures = _run(FakeSession(task(), dies=True))
    (found,) = [it for it in figures.audits if it.id == "precision"]
    assert (found.verdict, "SIGSEGV" in found.evidence) == ("ok", True)


@pytest.mark.parametrize(
    ("ready", "weights", "verdict"),
    [
        (Ready(0.1, 7, untrained=True), "", "ok"),  # it stands as untrained, and is not ranked
        (Ready(0.1, 7, untrained=True), "w", "rejected"),  # it has weights, whatever it says
        (Ready(0.1, 0, untrained=True), "", "rejected"),  # without parameters it is ranked
    ],
)
def test_only_the_output_of_an_untrained_model_is_not_judged(
    ready: Ready, weights: str, verdict: str
) -> None:
    def grey(lr: Uint8) -> Any:
        return np.full_like(bicubic(lr), 90)

    assert _verdicts(FakeSession(task(weights=weights), model=grey, ready=ready))["outputs"] == (
        verdict
    )


@pytest.mark.parametrize(
    ("shares", "verdict", "looks"),
    [([0.05], "ok", 1), ([0.9, 0.9, 0.1], "ok", 3), ([0.9] * 20, "suspect", 8)],
)
def test_a_worker_is_looked_at_until_it_rests(
    monkeypatch: pytest.MonkeyPatch, shares: list[float], verdict: str, looks: int
) -> None:
    left = list(shares)
    monkeypatch.setattr(proc, "busy_share", lambda _root, _window_s: left.pop(0))
    assert _verdicts(FakeSession(task()))["idle"] == verdict
    assert len(shares) - len(left) == looks


COUNTS = Counts(64, 64, 7, 7, 7, ())


def test_a_sample_of_code_is_ranked_by_what_our_clock_leaves_and_a_graphs_by_its_own() -> None:
    # an exchange costs 1 ms, and so does fetching: 30 ms beside the forward's and 10 ms of the
    # fetching are unexplained
    lie: dict[str, Any] = {"beside_s": 0.031, "collect_s": 0.011}
    (code,) = {(it.seconds, it.reported_s) for it in _run(FakeSession(task(), **lie)).samples}
    assert code == (pytest.approx(0.05 + 0.030 + 0.010), 0.05)
    (graph,) = {
        (it.seconds, it.reported_s) for it in _run(FakeSession(task(form="graph"), **lie)).samples
    }
    assert graph == (0.05, None)
    (honest,) = {(it.seconds, it.reported_s) for it in _run(FakeSession(task())).samples}
    assert honest == (0.05, None)


def test_of_code_every_output_is_fetched_lest_work_wait_for_what_is_never_asked() -> None:
    code = FakeSession(task(thorough=False, passes=3))
    figures = _run(code)
    assert code.fetched_times == 3 + 3 * 3
    assert len(figures.scores) == 3
    assert {it.collect_s for it in figures.samples} == {0.001}
    graph = FakeSession(task(form="graph", thorough=False, passes=3))
    _run(graph)
    assert graph.fetched_times == 3 + 2  # one image of each later pass is looked at


@pytest.mark.parametrize(
    ("found", "after", "verdict"),
    [
        (COUNTS, bicubic, "ok"),
        (replace(COUNTS, params=9_000), bicubic, "rejected"),
        (COUNTS, lambda lr: bicubic(lr) // 2, "rejected"),
        (None, bicubic, "ok"),  # it died of the count, and had been measured by then
    ],
)
def test_a_thorough_round_of_code_counts_the_model_that_it_timed(
    found: Counts | None, after: Any, verdict: str
) -> None:
    asked = replace(task(), counts=COUNTS)
    assert _verdicts(FakeSession(asked, counts=found, after_count=after))["counted"] == verdict
    graph = FakeSession(replace(task(form="graph"), counts=COUNTS))
    assert "counted" not in _verdicts(graph)
    assert graph.memory_watched == []
