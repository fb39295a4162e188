from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.machine import proc
from harness.machine.proc import Resident

MIB = 2**20
CHILD = """
import sys
for line in sys.stdin:
    block = bytearray(int(line))
    block[::4096] = b"x" * len(block[::4096])
    print("held", flush=True)
    del block
    sys.stdin.readline()
    print("freed", flush=True)
"""
SPIN = "while True: pass"
PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', 'while True: pass'])"

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")


class Child:
    """A process that holds and frees memory when it is told to."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-c", CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self.process.pid

    def hold(self, size: int) -> None:
        self._say(f"{size}", "held")

    def free(self) -> None:
        self._say("", "freed")

    def _say(self, line: str, answer: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().strip() == answer


@pytest.fixture
def child() -> Iterator[Child]:
    child = Child()
    yield child
    child.process.kill()
    child.process.communicate()


def _resident(child: Child) -> Resident:
    found = proc.resident(child.pid)
    assert found is not None
    return found


def test_a_process_has_some_memory_and_its_peak_is_at_least_that() -> None:
    own = proc.resident(os.getpid())
    assert own is not None
    assert MIB < own.now_bytes <= own.peak_bytes


def test_memory_that_is_held_and_freed_stays_in_the_peak(child: Child) -> None:
    child.hold(1)
    child.free()
    before = _resident(child)
    child.hold(64 * MIB)
    child.free()
    after = _resident(child)
    assert 60 * MIB < after.peak_bytes - before.now_bytes < 80 * MIB
    assert after.now_bytes - before.now_bytes < 8 * MIB


def test_a_reset_forgets_the_peak(child: Child) -> None:
    child.hold(64 * MIB)
    child.free()
    assert proc.reset_peak(child.pid)
    now = _resident(child)
    assert now.peak_bytes - now.now_bytes < 8 * MIB
    child.hold(32 * MIB)
    child.free()
    assert 28 * MIB < _resident(child).peak_bytes - now.now_bytes < 48 * MIB


def test_of_a_tree_mapped_files_are_left_out(child: Child) -> None:
    child.hold(1)  # it has started
    alone, without = _resident(child), proc.tree_resident(child.pid)
    assert without is not None
    assert 0 < alone.file_bytes < alone.now_bytes
    assert without.now_bytes == pytest.approx(alone.now_bytes - alone.file_bytes, abs=MIB)


def test_a_process_that_is_gone_has_no_memory(child: Child) -> None:
    child.process.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert proc.resident(child.pid) is None  # a zombie
    child.process.wait()
    assert proc.resident(child.pid) is None
    assert proc.reset_peak(child.pid) is False
    assert proc.tree_resident(child.pid) is None


def test_a_size_is_read_in_the_unit_that_it_names() -> None:
    assert proc._bytes("\t    2048 kB") == 2 * MIB
    assert proc._bytes("17") == 17


@pytest.fixture(params=[SPIN, PARENT], ids=["itself", "its child"])
def working(request: pytest.FixtureRequest) -> Iterator[int]:
    command = [sys.executable, "-S", "-c", request.param]
    process = subprocess.Popen(command, start_new_session=True)
    yield process.pid
    os.killpg(process.pid, 9)
    process.wait()


def test_the_processor_time_of_a_tree_is_that_of_all_its_processes(working: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        now = proc.tree(working)
        assert now is not None
        if now.cpu_s > 0.2:
            return
        time.sleep(0.02)
    pytest.fail("the processor time does not grow")


def test_a_tree_s_memory_and_tasks_are_those_of_all_its_processes() -> None:
    inner = (
        f"import threading; held = bytearray({64 * MIB}); held[::4096] = b'x' * len(held[::4096])\n"
        "for _ in range(3): threading.Thread(target=input).start()"
    )
    outer = f"import subprocess, sys; subprocess.call([sys.executable, '-S', '-c', {inner!r}])"
    command = [sys.executable, "-S", "-c", outer]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        until = time.monotonic() + 20
        while (now := proc.tree(process.pid)) and (now.tasks < 5 or now.memory_bytes < 64 * MIB):
            assert time.monotonic() < until
            time.sleep(0.02)
        assert now is not None
        assert now.tasks == 5
        own = proc.resident(process.pid)
        assert own is not None
        assert own.now_bytes < 64 * MIB
        both = proc.tree_resident(process.pid)
        assert both is not None
        assert 64 * MIB < both.now_bytes <= both.peak_bytes < 96 * MIB
        (inside,) = proc.children(process.pid)
        assert proc.children(inside, thorough=False) == []
        process.communicate()
    assert proc.tree(process.pid) is None
    assert proc.ended(process.pid)


def test_of_a_process_that_is_gone_no_share_is_told() -> None:
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    process.wait()
    assert proc.busy_share(process.pid, 0.01) is None


def test_a_process_that_rests_uses_no_core_and_one_that_spins_does() -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as rests:
        time.sleep(0.3)  # it has started
        share = proc.busy_share(rests.pid, 0.1)
        rests.communicate()
    assert share is not None
    assert share < 0.2
    with subprocess.Popen([sys.executable, "-S", "-c", SPIN]) as spins:
        time.sleep(0.3)
        share = proc.busy_share(spins.pid, 0.5)
        spins.kill()
    assert share is not None
    assert share > 0.2  # of a core that others may want as well


def test_files_count_where_a_process_has_a_file_system_of_its_own_there() -> None:
    assert proc.held_in_files(os.getpid(), "/tmp") == 0  # noqa: S108 - it is ours as well
    assert proc.held_in_files(0, "/tmp") == 0  # noqa: S108


def test_a_process_runs_until_it_has_been_stopped() -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"]) as spinning:
        try:
            until = time.monotonic() + 10.0
            while not proc.running(spinning.pid):
                assert time.monotonic() < until
            proc.signalled(spinning.pid, signal.SIGSTOP)
            while proc.running(spinning.pid):
                assert time.monotonic() < until
            assert not proc.running(spinning.pid)
        finally:
            spinning.kill()
    assert not proc.running(spinning.pid)
