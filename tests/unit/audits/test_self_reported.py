from __future__ import annotations

import pytest

from harness.audits import self_reported
from harness.core.audit import ProcessState, WatchedForward


@pytest.mark.parametrize(
    ("names", "verdict"),
    [
        ((), "ok"),
        (("time.perf_counter",), "suspect"),
        (("time.sleep", "harness.worker.runner._now"), "rejected"),
    ],
)
def test_a_replaced_function_is_told_and_one_of_ours_is_rejected(
    names: tuple[str, ...], verdict: str
) -> None:
    found = self_reported.references(ProcessState(rebound=names))
    assert found.verdict == verdict
    assert all(name in found.evidence for name in names)


def test_settings_changed_by_a_forward_are_suspect() -> None:
    assert self_reported.flags(ProcessState()).verdict == "ok"
    found = self_reported.flags(ProcessState(changed=("threads: 1 -> 8",)))
    assert (found.verdict, found.evidence) == ("suspect", "changed: threads: 1 -> 8")
    harmless = self_reported.flags(
        ProcessState(changed=("grad_enabled: True -> False", "seed: 0 -> 1"))
    )
    assert harmless.verdict == "ok"


@pytest.mark.parametrize(
    ("dtypes", "declared", "verdict"),
    [
        ({"float32": 9}, "fp32", "ok"),
        ({"float32": 9, "float64": 1}, "fp32", "ok"),
        ({"float32": 9, "bfloat16": 1}, "fp32", "suspect"),
        ({"float16": 9}, "fp16", "ok"),
        ({"float16": 9, "float8_e4m3fn": 1}, "fp16", "suspect"),
        ({"float16": 9, "float32": 1}, "", "ok"),
        ({"float16": 9, "float8_e4m3fn": 1}, "", "suspect"),
    ],
)
def test_fewer_bits_than_declared_are_suspect(
    dtypes: dict[str, int], declared: str, verdict: str
) -> None:
    assert self_reported.precision(WatchedForward(dtypes), declared).verdict == verdict


def test_a_forward_that_can_not_be_watched_is_no_suspect() -> None:
    assert self_reported.precision(WatchedForward(error="RuntimeError: no"), "fp32").verdict == "ok"


def test_writing_to_the_input_is_suspect_however_it_is_seen() -> None:
    assert self_reported.untouched(ProcessState(), None).verdict == "ok"
    assert self_reported.untouched(ProcessState(written=2), None).verdict == "suspect"
    assert (
        self_reported.untouched(ProcessState(), WatchedForward(input_changed=True)).verdict
        == "suspect"
    )
