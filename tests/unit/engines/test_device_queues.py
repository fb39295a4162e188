from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from harness.core.outcome import BadInput
from harness.engines.device_queues import DeviceQueues, refuse_devices
from harness.engines.engine import WORKING, WorkOrder

SHOW = "import os, time; print(os.environ.get('CUDA_VISIBLE_DEVICES')); time.sleep({})"


class Script(WorkOrder):
    """An order that runs a line of Python, with the words by which ours are known."""

    seconds = 60.0
    words = WORKING

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-u", "-c", SHOW.format(self.seconds), *self.words]


class Short(Script):
    seconds = 0.0


class Stranger(Script):
    words = ()


def _order(folder: Path, kind: type[WorkOrder] = Script) -> WorkOrder:
    folder.mkdir(parents=True)
    return kind(folder / "shard.json", folder, timed=True)


@pytest.fixture
def gpus() -> DeviceQueues:
    return DeviceQueues(("cuda:0", "cuda:3"))


def _printed(folder: Path) -> str:
    ends = time.monotonic() + 30.0
    while time.monotonic() < ends:
        if text := (folder / "work.log").read_text(encoding="utf-8"):
            return text.strip()
        time.sleep(0.05)
    raise TimeoutError


def test_each_gpu_has_one_shard_at_a_time_and_sees_no_other(
    gpus: DeviceQueues, tmp_path: Path
) -> None:
    assert gpus.room(0) == 2
    handles = gpus.submit([_order(tmp_path / "a"), _order(tmp_path / "b")])
    assert gpus.room(2) == 0
    assert {_printed(tmp_path / it) for it in "ab"} == {"0", "3"}
    gpus.cancel(handles[1])
    again = gpus.submit([_order(tmp_path / "c")])
    assert _printed(tmp_path / "c") == "3"
    for handle in (handles[0], *again):
        assert gpus.state(handle) == "running"
        gpus.cancel(handle)


def test_a_process_goes_on_for_who_takes_over_and_is_known_by_when_it_began(
    tmp_path: Path,
) -> None:
    first = DeviceQueues(("cpu",))
    (handle,) = first.submit([_order(tmp_path / "a")])
    _printed(tmp_path / "a")
    later = DeviceQueues(("cpu",))
    assert later.state(handle) == "running"
    pid, _, rest = handle.partition("/")
    assert later.state(f"{pid}/1.0/cpu") == "unknown"  # another process of that number
    later.cancel(f"{pid}/1.0/cpu")
    assert later.state(handle) == "running"
    later.cancel(handle)
    first.cancel(handle)
    assert later.state(handle) == "unknown"
    assert rest.endswith("/cpu")


def test_a_handle_of_a_process_that_measures_nothing_ends_nothing(tmp_path: Path) -> None:
    first, later = DeviceQueues(("cpu",)), DeviceQueues(("cpu",))
    (handle,) = first.submit([_order(tmp_path / "a", Stranger)])
    _printed(tmp_path / "a")
    assert later.state(handle) == "unknown"
    later.cancel(handle)
    assert first.state(handle) == "running"
    first.cancel(handle)


def test_what_has_ended_says_so(tmp_path: Path) -> None:
    engine = DeviceQueues(("cpu",))
    (handle,) = engine.submit([_order(tmp_path / "a", Short)])
    ends = time.monotonic() + 30.0
    while engine.state(handle) == "running" and time.monotonic() < ends:
        time.sleep(0.05)
    assert engine.state(handle) == "ended"


@pytest.mark.parametrize("devices", [("gpu",), ("cuda:x",), ("cpu", "cpu"), ("cpu", "cuda:0")])
def test_strange_devices_are_refused(devices: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match="cuda:0, cuda:1 and so on, or cpu alone"):
        refuse_devices(devices)


def test_a_device_that_stands_twice_is_refused() -> None:
    with pytest.raises(BadInput, match="stands twice"):
        refuse_devices(("cuda:0", "cuda:0"))
