from __future__ import annotations

import pytest

from harness.audits import processes
from harness.audits.exchange import Exchange


def test_where_nothing_is_told_of_a_rest_nothing_is_said() -> None:
    assert processes.idle(None) is None


@pytest.mark.parametrize(
    ("shares", "verdict"),
    [((0.0,), "ok"), ((0.9, 0.1), "ok"), ((0.9, 0.8, 0.9, 0.95, 0.9), "suspect")],
)
def test_only_a_worker_that_never_rests_is_suspect(shares: tuple[float, ...], verdict: str) -> None:
    found = processes.idle(shares)
    assert found is not None
    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("cpu_s", "verdict"), [(0.3, "ok"), (1.3, "ok"), (1.5, "suspect"), (3.9, "suspect")]
)
def test_forwards_may_use_no_more_than_their_threads_can(cpu_s: float, verdict: str) -> None:
    found = processes.threads([Exchange(1, 0.9, 1.0, cpu_s)], allowed=1)
    assert found is not None
    assert found.verdict == verdict


def test_ticks_decide_nothing_about_short_forwards() -> None:
    found = processes.threads([Exchange(1, 0.01, 0.01, 0.03)], allowed=1)
    assert found is not None
    assert found.verdict == "ok"
    assert processes.threads([Exchange(1, 0.01, 0.01)], allowed=1) is None
