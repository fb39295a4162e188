from __future__ import annotations

import contextlib
import contextvars
import os
import signal
import threading
import time
from pathlib import Path

import pytest
from fakes.rude_worker import RudeConfinement

from harness.measure import worker_group
from harness.measure.worker_group import WorkerGroup, concurrently
from harness.measure.worker_process import Abandoned, WorkerProcess
from harness.wire.messages import Inspect, Ready

LONG_S = 120.0  # the deadline of workers that never answer
PROMPT_S = 20.0  # the machine may be busy


class Asking:
    """Asks a rude worker, and remembers what became of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked = threading.Event()
        self.begun: list[str] = []
        self.ended: list[BaseException | None] = []

    def __call__(self, manner: str) -> None:
        self.begun.append(manner)
        log = self.folder / f"{len(self.begun)}.log"
        try:
            with WorkerProcess(log, threads=1, confinement=RudeConfinement(manner)) as worker:
                self.asked.set()
                worker.ask(Inspect(), Ready, stage="load", deadline_s=LONG_S)
            self.ended.append(None)
        except BaseException as error:
            self.ended.append(error)
            raise


def test_results_come_in_the_order_of_the_items() -> None:
    gate = threading.Barrier(3, timeout=PROMPT_S)

    def slow_first(number: int) -> int:
        gate.wait()  # all three at once
        time.sleep(0.05 * (3 - number))
        return number * number

    assert concurrently(slow_first, [1, 2, 3], workers=3) == [1, 4, 9]


def test_no_more_than_the_workers_run_at_once() -> None:
    running: set[int] = set()
    most = 0

    def count(number: int) -> None:
        nonlocal most
        running.add(number)
        most = max(most, len(running))
        time.sleep(0.02)
        running.discard(number)

    concurrently(count, range(6), workers=2)
    assert most == 2


def test_of_nothing_comes_nothing() -> None:
    assert concurrently(str, [], workers=2) == []


def test_the_first_exception_comes_through_and_the_rest_is_not_begun() -> None:
    begun = []

    def fail(number: int) -> None:
        begun.append(number)
        raise KeyError(number)

    with pytest.raises(KeyError, match="0"):
        concurrently(fail, range(100), workers=1)
    assert len(begun) < 100


def test_an_exception_ends_workers_that_would_never_answer(tmp_path: Path) -> None:
    asking = Asking(tmp_path)

    def one(manner: str) -> None:
        if manner == "fail":
            asking.asked.wait(PROMPT_S)
            raise OSError("the disk is full")
        asking(manner)

    began = time.monotonic()
    group = WorkerGroup()
    with pytest.raises(OSError, match="the disk is full"):
        concurrently(one, ["silence", "fail"], workers=2, group=group)
    assert time.monotonic() - began < PROMPT_S
    assert [type(error) for error in asking.ended] == [Abandoned]
    assert group.members == ()


def test_ctrl_c_ends_workers_that_would_never_answer(tmp_path: Path) -> None:
    asking = Asking(tmp_path)

    def interrupt() -> None:
        asking.asked.wait(PROMPT_S)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    began = time.monotonic()
    group = WorkerGroup()
    with pytest.raises(KeyboardInterrupt):
        concurrently(asking, ["silence", "stubborn", "silence"], workers=1, group=group)
    assert time.monotonic() - began < PROMPT_S
    assert asking.begun == ["silence"]
    assert [type(error) for error in asking.ended] == [Abandoned]
    assert group.members == ()
    thread.join()


def test_a_worker_that_starts_a_moment_too_late_is_ended_too(tmp_path: Path) -> None:
    asking = Asking(tmp_path)
    failed = threading.Event()

    def one(manner: str) -> None:
        if manner == "fail":
            failed.set()
            raise OSError("the disk is full")
        failed.wait(PROMPT_S)
        time.sleep(0.2)  # by now the others have been killed
        asking(manner)

    with pytest.raises(OSError, match="the disk is full"):
        concurrently(one, ["silence", "fail"], workers=2)
    assert [type(error) for error in asking.ended] == [Abandoned]


def test_a_call_that_fails_ends_no_worker_of_another(tmp_path: Path) -> None:
    """Neither of the call around it, nor of one beside it; what is within it ends with it."""
    answered: list[Ready] = []

    def failing(_item: object) -> None:
        raise OSError("the disk is full")

    def beside(_item: object) -> None:
        with WorkerProcess(
            tmp_path / "own.log", threads=1, confinement=RudeConfinement("polite")
        ) as worker:
            with pytest.raises(OSError, match="the disk is full"):
                concurrently(failing, ["fail"], workers=1)
            answered.append(worker.ask(Inspect(), Ready, stage="load", deadline_s=PROMPT_S)[0])

    concurrently(beside, ["once"], workers=1)
    assert answered == [Ready(0.5, 3)]


def test_of_two_calls_side_by_side_the_one_that_fails_ends_its_own_alone(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Asking(tmp_path / "other")
    with WorkerGroup() as group:  # what the other call starts can be ended by this test
        context = contextvars.copy_context()
        beside = threading.Thread(
            target=lambda: context.run(_quietly, other), name="beside", daemon=True
        )
        beside.start()
        assert other.asked.wait(PROMPT_S)
        failing = Asking(tmp_path)

        def fail(manner: str) -> None:
            if manner == "raise":
                assert failing.asked.wait(PROMPT_S)
                raise ValueError("of this call")
            failing(manner)

        with pytest.raises(ValueError, match="of this call"):
            concurrently(fail, ["silence", "raise"], workers=2)
        assert isinstance(failing.ended[0], Abandoned)
        assert other.ended == []
        group.abandon()
        beside.join(PROMPT_S)
        assert isinstance(other.ended[0], Abandoned)


def _quietly(asking: Asking) -> None:
    with contextlib.suppress(Abandoned):
        concurrently(asking, ["silence"], workers=1)


def test_a_call_within_one_that_fails_ends_with_it(tmp_path: Path) -> None:
    asking = Asking(tmp_path)

    def one(item: str) -> None:
        if item == "fail":
            asking.asked.wait(PROMPT_S)
            raise OSError("the disk is full")
        concurrently(asking, [item], workers=1)

    began = time.monotonic()
    with pytest.raises(OSError, match="the disk is full"):
        concurrently(one, ["silence", "fail"], workers=2)
    assert time.monotonic() - began < PROMPT_S
    assert [type(error) for error in asking.ended] == [Abandoned]


def test_patience_with_what_is_no_worker_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_group, "PATIENCE_S", 0.2)
    over = threading.Event()

    def one(item: str) -> None:
        if item == "fail":
            raise OSError("the disk is full")
        over.wait(PROMPT_S)

    began = time.monotonic()
    with pytest.raises(OSError, match="the disk is full"):
        concurrently(one, ["busy", "fail"], workers=2)
    assert time.monotonic() - began < PROMPT_S / 2
    over.set()
