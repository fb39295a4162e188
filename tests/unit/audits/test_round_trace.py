from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.audits.clocks import Exchange
from harness.audits.round_trace import RoundTrace, judged
from harness.core.audit import ProcessState, WatchedForward
from harness.core.record import Calibration, ExchangeCost

CALIBRATION = Calibration({"fp32": 1e12}, 1e12, (ExchangeCost(1000, 16_000, 0.001, 0.001),))
HONEST = Exchange(48, 0.05, 0.051, 0.05, sr_pixels=768, collect_s=0.001)
LATE = replace(HONEST, wall_s=1.0)  # most of a second beside the forward that it tells of
PLAIN = RoundTrace("cpu", 1, "fp32", 4, True, ProcessState(), (HONEST,), ())


def verdicts(**changes: Any) -> dict[str, str]:
    return {audit.id: audit.verdict for audit in judged(replace(PLAIN, **changes))}


def test_a_round_that_was_not_thorough_is_judged_by_what_it_shows() -> None:
    assert verdicts() == {"references": "ok", "flags": "ok", "threads": "ok", "input": "ok"}


def test_clocks_are_judged_where_there_is_a_calibration() -> None:
    assert verdicts(calibration=CALIBRATION).keys() > {"clock", "collect"}


def test_a_clock_that_most_samples_speak_against_is_rejected() -> None:
    assert verdicts(calibration=CALIBRATION, exchanges=(LATE,) * 4)["clock"] == "rejected"
    mostly = (HONEST, HONEST, HONEST, LATE)
    assert verdicts(calibration=CALIBRATION, exchanges=mostly)["clock"] == "ok"


def test_a_gpu_has_no_audit_of_threads() -> None:
    assert "threads" not in verdicts(device="cuda")


def test_an_untrained_models_output_is_not_judged() -> None:
    (found,) = [it for it in judged(replace(PLAIN, trained=False)) if it.id == "outputs"]
    assert "is not judged" in found.evidence


def test_a_thorough_round_tells_of_repeats_rest_and_precision() -> None:
    found = verdicts(
        seen_s=(0.01,) * 8,
        unseen_s=(0.05,) * 8,
        idle_shares=(0.9,) * 8,
        watched=WatchedForward({"float16": 3}),
    )
    assert found["repeats"] == "rejected"
    slower = {"seen_s": (0.9,) * 8, "unseen_s": (0.9,) * 8, "watched": WatchedForward()}
    assert verdicts(**slower)["repeats"] == "ok"
    assert verdicts(**slower, ranked_s=(0.002,))["repeats"] == "suspect"
    assert found["idle"] == "suspect"
    assert found["precision"] == "suspect"
