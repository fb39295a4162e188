from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes.audited import CALIBRATION, task

from harness.machine import proc
from harness.machine.proc import Resident
from harness.measure.session import LrImage, Session, Task
from harness.wire import messages
from harness.wire.messages import Ready

MIB = 2**20
IMAGE = LrImage("set", "1", np.zeros((6, 8, 3), np.uint8))
HOLDS_64_MIB = (
    "import time; held = bytearray(64 * 2**20); held[::4096] = b'x' * len(held[::4096]); "
    "time.sleep(0.5)"
)


@dataclass
class FakeProcess:
    """A worker whose processes are ours; `during` happens in each forward."""

    during: Callable[[], object] = lambda: None
    deadlines_s: list[float] = field(default_factory=list)
    pid: int = os.getpid()
    root: int = os.getpid()

    def ask(self, request: Any, *_: Any, **told: Any) -> tuple[Any, bytearray]:
        if isinstance(request, messages.Inspect):
            return messages.State((), 0, 0), bytearray()
        self.deadlines_s.append(told["deadline_s"])
        self.during()
        return messages.Done(1e-9), bytearray()


def _session(asked: Task, during: Callable[[], object] = lambda: None) -> Session:
    return _of(FakeProcess(during), asked)


def _of(process: FakeProcess, asked: Task) -> Session:
    return Session(process, asked, Ready(0.1, 5 * MIB), 0.2)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("form", "rest", "weights", "peak", "source"),
    [
        ("entry", 100 * MIB, 20 * MIB, 180 * MIB, "rss_above_null"),
        ("entry", 100 * MIB, 7 * MIB, 193 * MIB, "rss_above_null"),  # the file has no more
        ("entry", 290 * MIB, 20 * MIB, 50 * MIB, "rss_above_null"),  # it held less by itself
        ("entry", 0, 20 * MIB, 50 * MIB, "rss_above_rest"),  # no more is known
        ("graph", 100 * MIB, 20 * MIB, 50 * MIB, "rss_above_rest"),
    ],
)
def test_what_code_holds_all_the_time_is_no_level(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    form: str,
    rest: int,
    weights: int,
    peak: int,
    source: str,
) -> None:
    """250 MiB stay, and a forward needs 50 more; 5 Mi parameters are 20 MiB."""
    monkeypatch.setattr(proc, "reset_peak", lambda _: True)
    monkeypatch.setattr(proc, "tree_resident", lambda _: Resident(250 * MIB, 300 * MIB))
    (tmp_path / "w").touch()
    os.truncate(tmp_path / "w", weights)
    asked = task(weights=str(tmp_path / "w"))
    load = replace(asked.load, form=form)
    session = _session(replace(asked, load=load, calibration=replace(CALIBRATION, rest_bytes=rest)))
    session.timed(IMAGE)
    memory = session.memory(IMAGE)
    assert memory is not None
    assert (memory.peak_bytes, memory.source) == (peak, source)


def test_a_process_that_ends_within_a_forward_counts_where_memory_is_watched() -> None:
    starts = [sys.executable, "-S", "-c", HOLDS_64_MIB]
    session = _session(task(weights=""), lambda: subprocess.run(starts, check=True))
    session.timed(IMAGE)
    before = session.memory(IMAGE)
    if before is None:
        pytest.skip("the system forgets no peaks")
    session.watch_memory(IMAGE)
    after = session.memory(IMAGE)
    assert after is not None
    assert after.peak_bytes - before.peak_bytes > 48 * MIB


def test_what_is_not_ranked_may_take_little_more_than_what_is() -> None:
    """The image has 48 pixels, one four times as large may take four times as long."""
    process = FakeProcess(lambda: time.sleep(0.01))
    session = _of(process, task(weights="", forward_deadline_s=60.0))
    larger = replace(IMAGE, pixels=np.zeros((12, 16, 3), np.uint8))
    session.forward(IMAGE, "warmup")
    session.timed(IMAGE)
    session.timed(IMAGE)
    session.forward(IMAGE)
    session.forward(larger)
    warm_up, first, second, probe, of_larger = process.deadlines_s
    assert (warm_up, first, second) == (60.0, 60.0, 60.0)
    assert 10.2 <= probe < 12.0
    assert of_larger - 10.0 == pytest.approx(4 * (probe - 10.0))


def test_a_compiled_model_may_take_its_time_with_each_size() -> None:
    asked = task(weights="", forward_deadline_s=60.0)
    process = FakeProcess()
    session = _of(process, replace(asked, load=replace(asked.load, compile=True)))
    session.timed(IMAGE)
    session.forward(IMAGE)
    assert process.deadlines_s == [60.0, 60.0]
