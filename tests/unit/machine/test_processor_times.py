from __future__ import annotations

from pathlib import Path

import pytest

from harness.machine import proc, processor_times
from harness.machine.processor_times import ProcessorTimes, between, until_now


def test_what_others_used_is_what_is_left_of_busy_processors() -> None:
    before = ProcessorTimes(100.0, busy_s=50.0, steal_s=1.0, own_s=10.0)
    after = ProcessorTimes(110.0, busy_s=68.0, steal_s=1.5, own_s=16.0, throttled_s=2.0)
    # 18 s busy in 10 s, 6 of them ours
    told = {"others_cores": "1.20", "steal_share": "0.050", "throttled_share": "0.200"}
    assert between(before, after) == told


@pytest.mark.parametrize("after", [None, ProcessorTimes(100.4, 50.0, 1.0, 10.0)])
def test_nothing_is_told_of_no_time_or_of_a_system_that_tells_none(
    after: ProcessorTimes | None,
) -> None:
    assert between(ProcessorTimes(100.0, 50.0, 1.0, 10.0), after) == {}


def test_more_of_our_own_than_the_ticks_hold_is_nobody_else_s() -> None:
    after = ProcessorTimes(101.0, busy_s=50.0, steal_s=1.0, own_s=10.5)
    assert between(ProcessorTimes(100.0, 50.0, 1.0, 10.0), after)["others_cores"] == "0.00"


def test_times_are_read_from_the_system_s_own_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "stat").write_text("cpu 100 20 30 4000 50 6 4 70 0 0\n")
    group = tmp_path / "sys" / "fs" / "cgroup"
    group.mkdir(parents=True)
    (group / "cpu.stat").write_text("usage_usec 5\nnr_throttled 3\nthrottled_usec 2500000\n")
    monkeypatch.setattr(processor_times.proc, "tree", lambda _: proc.ProcessTree(7.0, 0, 1))
    found = until_now(tmp_path)
    assert found is not None
    assert (found.busy_s, found.steal_s) == (160 / proc.TICKS, 70 / proc.TICKS)
    assert (found.own_s, found.throttled_s) == (7.0, 2.5)
    assert until_now(tmp_path / "elsewhere") is None
