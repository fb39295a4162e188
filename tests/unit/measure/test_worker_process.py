from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from fakes.rude_worker import LATE_S, RudeConfinement

from harness.core.outcome import Failed
from harness.measure import worker_process
from harness.measure.worker_group import WorkerGroup
from harness.measure.worker_process import Abandoned, WorkerFailed, WorkerProcess
from harness.sandbox.confinement import Confined, NoConfinement, worker_environment
from harness.wire.messages import Collect, Done, Forward, Inspect, Ready, Request

DEADLINE_S = 20.0  # for what should come: the machine may be busy
SHORT_S = 0.3  # for what should not
Start = Callable[[str], WorkerProcess]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "acme.log"


@pytest.fixture
def start(log: Path) -> Start:
    return lambda manner: WorkerProcess(log, threads=1, confinement=RudeConfinement(manner))


def _ask(
    worker: WorkerProcess, request: Request | None = None, *, deadline_s: float = DEADLINE_S
) -> Ready:
    return worker.ask(request or Inspect(), Ready, stage="load", deadline_s=deadline_s)[0]


def _failure(start: Start, manner: str, *, deadline_s: float = DEADLINE_S) -> Failed:
    with pytest.raises(WorkerFailed) as caught, start(manner) as worker:
        _ask(worker, deadline_s=deadline_s)
    assert caught.value.failure.stage == "load"
    assert not _lives(worker.pid)
    return caught.value.failure


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _eventually(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + DEADLINE_S
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_polite_worker_answers_and_stops_when_it_is_told(start: Start) -> None:
    with start("polite") as worker:
        assert _ask(worker) == Ready(0.5, 3)
        assert _ask(worker, Collect()) == Ready(0.5, 3)
        began = time.monotonic()
    assert time.monotonic() - began < worker_process.GRACE_S
    assert worker._process.returncode == 0


@pytest.mark.parametrize(
    ("manner", "reason", "message"),
    [
        ("garbage", "protocol", "is over the limit"),
        ("not_finite", "protocol", "Done.seconds: not a finite number"),
        ("wrong_answer", "protocol", "Done is no answer to Inspect"),
        ("request_back", "protocol", "Stop is no answer to Inspect"),
        ("payload", "protocol", "a payload of 10 bytes, at most 0 expected"),
        ("ahead", "protocol", "Ready is no answer to what was asked last"),
        ("wrong_mark", "protocol", "Ready is no answer to what was asked last"),
        ("exit_0", "exited", "the process ended by itself with status 0"),
        ("exit_3", "exited", "the process ended by itself with status 3"),
        ("segfault", "killed", "the process was ended by SIGSEGV"),
        ("kill", "killed", "the process was ended by SIGKILL; the machine may have run out of"),
        ("real_time_signal", "killed", f"the process was ended by signal {signal.SIGRTMIN + 1}"),
        ("trouble", "crash", "ValueError: no"),
        ("unknown_trouble", "protocol", "xxx"),
    ],
)
def test_bad_manners_are_a_failure_with_a_reason(
    start: Start, manner: str, reason: str, message: str
) -> None:
    failure = _failure(start, manner)
    assert failure.reason == reason
    assert message in failure.message
    assert len(failure.message) <= 500


def test_an_answer_counts_once(start: Start) -> None:
    with start("twice") as worker:
        assert _ask(worker) == Ready(0.5, 3)
        with pytest.raises(WorkerFailed, match="no answer to what was asked last"):
            _ask(worker)


@pytest.mark.parametrize("manner", ["silence", "half"])
def test_silence_is_a_timeout(start: Start, manner: str) -> None:
    began = time.monotonic()
    failure = _failure(start, manner, deadline_s=SHORT_S)
    assert (failure.reason, failure.message) == ("timeout", "no answer within 0.3 s")
    assert time.monotonic() - began < 10.0


def test_a_worker_that_does_not_read_is_a_timeout(start: Start) -> None:
    with pytest.raises(WorkerFailed, match=r"no answer within 0\.3 s"), start("silence") as worker:
        worker.ask(Forward(1, 1), Done, bytes(2**22), stage="forward", deadline_s=SHORT_S)


def test_a_worker_that_hangs_up_and_stays_is_ended(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process, "GRACE_S", SHORT_S)
    failure = _failure(start, "hang_up")
    assert failure.message == "the process closed its channel and went on running"
    assert failure.reason == "protocol"


def test_what_a_worker_says_and_its_trace_are_in_the_log(start: Start, log: Path) -> None:
    _failure(start, "trouble")
    assert log.read_text(encoding="utf-8").endswith("\nTraceback:\n  the detail\n")


def test_a_log_that_can_not_be_written_harms_nobody(start: Start, log: Path) -> None:
    log.mkdir(parents=True)
    with start("trouble") as worker, pytest.raises(WorkerFailed, match="ValueError: no"):
        _ask(worker)
    assert log.is_dir()


def test_the_beginning_and_the_end_of_a_flood_are_in_the_log(start: Start, log: Path) -> None:
    with start("loud") as worker:
        _ask(worker)
    text = log.read_text(encoding="utf-8")
    assert text.startswith("first line\nxxx")
    assert text.endswith("xxx\nlast line\n")
    assert len(text) < 2**20


def test_a_log_holds_one_process(start: Start, log: Path) -> None:
    for _ in range(2):
        with pytest.raises(WorkerFailed), start("trouble") as worker:
            _ask(worker)
    assert log.read_text(encoding="utf-8") == "\nTraceback:\n  the detail\n"


def test_a_child_that_escaped_keeps_nobody_waiting(start: Start, log: Path) -> None:
    with start("escaped_child") as worker:
        _ask(worker)
        _eventually(lambda: b"from the child" in log.read_bytes())
        began = time.monotonic()
    assert time.monotonic() - began < worker_process.GRACE_S
    child = int(log.read_text(encoding="utf-8").replace("from the child", ""))
    assert _lives(child)
    os.kill(child, signal.SIGKILL)


def test_a_command_that_is_not_there_leaves_nothing_open(log: Path) -> None:
    class Missing(RudeConfinement):
        def wrap(self, command: list[str], *, readable: tuple[Path, ...]) -> Confined:  # noqa: ARG002
            return Confined(["no-such-sandbox-at-all", *command])

    threads = threading.active_count()
    with (
        WorkerGroup() as group,
        pytest.raises(FileNotFoundError, match="no-such-sandbox-at-all"),
    ):
        WorkerProcess(log, threads=1, confinement=Missing(""))
    assert threading.active_count() == threads
    assert group.members == ()


def test_one_deadline_is_for_the_way_there_and_back(start: Start) -> None:
    with start("late") as worker:
        _ask(worker)
        began = time.monotonic()
        with pytest.raises(WorkerFailed, match="no answer within 1 s"):
            worker.ask(Forward(1, 1), Done, bytes(2**22), stage="forward", deadline_s=1.0)
        assert LATE_S < time.monotonic() - began < 1.0 + 0.7 * LATE_S


def test_an_abandoned_worker_is_no_failure_of_the_submission(start: Start) -> None:
    with WorkerGroup() as group, start("silence") as worker:
        threading.Timer(0.1, group.abandon).start()
        began = time.monotonic()
        with pytest.raises(Abandoned):
            _ask(worker, deadline_s=60.0)
        assert time.monotonic() - began < DEADLINE_S
        with pytest.raises(Abandoned):
            _ask(worker)
    assert group.members == ()


def test_only_live_workers_are_registered(start: Start) -> None:
    with WorkerGroup() as group:
        with start("polite") as worker:
            assert group.members == (worker,)
        assert group.members == ()


def test_the_ladder_ends_with_a_kill(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    with start("stubborn") as worker:
        _ask(worker)
        monkeypatch.setattr(worker_process, "GRACE_S", SHORT_S)
    assert worker._process.returncode == -signal.SIGKILL


def test_the_ladder_asks_before_it_kills(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    with start("terminated") as worker:
        _ask(worker)
        monkeypatch.setattr(worker_process, "GRACE_S", 1.0)
    assert worker._process.returncode == -signal.SIGTERM


@pytest.mark.parametrize("end", [WorkerProcess.stop, WorkerProcess.kill])
def test_a_child_dies_with_the_group(
    start: Start, log: Path, end: Callable[[WorkerProcess], None]
) -> None:
    with start("child") as worker:
        _ask(worker)
        _eventually(lambda: log.read_bytes().endswith(b"\n"))
        child = int(log.read_text(encoding="utf-8"))
        assert _lives(child)
        end(worker)
        _eventually(lambda: not _lives(child))


def test_stopping_twice_harms_nobody(start: Start) -> None:
    with start("exit_0") as worker:
        worker.stop()
        worker.kill()


def test_an_error_in_the_block_kills_at_once_and_comes_through(start: Start) -> None:
    with start("stubborn") as worker:
        _ask(worker)
        began = time.monotonic()
        with pytest.raises(KeyError), worker:
            raise KeyError("ours")
        assert time.monotonic() - began < worker_process.GRACE_S
        assert not _lives(worker.pid)


def test_the_confinement_gets_our_command_and_what_may_be_read(log: Path, tmp_path: Path) -> None:
    rude = RudeConfinement("polite")
    with WorkerProcess(log, threads=1, readable=(tmp_path,), confinement=rude) as worker:
        _ask(worker)
    assert rude.wrapped[0] == sys.executable
    assert rude.wrapped[-3:-1] == ["-m", "harness.worker"]
    assert rude.readable == (tmp_path,)
    assert NoConfinement().wrap(["a", "b"], readable=()) == Confined(["a", "b"])


def test_a_worker_sees_an_allow_list_and_counts_its_threads(
    start: Start, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    with start("environment") as worker:
        _ask(worker)
    seen = json.loads(log.read_text(encoding="utf-8"))
    assert seen["OMP_NUM_THREADS"] == seen["MKL_NUM_THREADS"] == "1"
    assert seen["CUDA_VISIBLE_DEVICES"] == "1"
    assert seen["PATH"] == os.environ["PATH"]
    assert not {"SECRET_TOKEN", "PYTHONPATH", "HOME"} & seen.keys()
    assert seen["isolated"] is True


def test_hashes_are_the_same_in_every_worker(start: Start, log: Path) -> None:
    hashes = set()
    for _ in range(2):
        with start("environment") as worker:
            _ask(worker)
        hashes.add(json.loads(log.read_text(encoding="utf-8"))["hash"])
    assert len(hashes) == 1


def test_the_thread_count_is_given_in_every_form() -> None:
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    assert [worker_environment(3)[name] for name in names] == ["3", "3", "3"]
