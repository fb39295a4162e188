from __future__ import annotations

import subprocess
import sys
import time

import pytest

from harness.audits import processes
from harness.audits.exchange import Exchange

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_of_a_process_that_is_gone_nothing_is_told() -> None:
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    process.wait()
    assert processes.idle(process.pid) is None


def test_a_process_at_rest_is_looked_at_once() -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        time.sleep(0.05)

    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as rests:
        time.sleep(0.3)  # it has started
        found = processes.idle(rests.pid, pause=pause)
        rests.communicate()
    assert found is not None
    assert (found.verdict, len(pauses)) == ("ok", 1)


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
