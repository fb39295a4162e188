"""Several workers at once, given up together: those of one call, and of the calls within it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextvars import ContextVar
from typing import Protocol, Self, TypeVar

T = TypeVar("T")
R = TypeVar("R")
PATIENCE_S = 5.0  # with functions that are at something else than waiting for a worker
POLL_S = 0.05


class Abandonable(Protocol):
    """A worker, or a group of them."""

    def abandon(self) -> None:
        """End it at once for a reason of our own."""


class WorkerGroup:
    """What was started in one place and lives. Leaving the block ends nobody.

    A worker registers with the group of the context that starts it: of the thread that entered the
    group's block, or that `join`ed it. Groups of other contexts are never touched.
    """

    def __init__(self) -> None:
        self._members: set[Abandonable] = set()
        self._registering = threading.Lock()

    def __enter__(self) -> Self:
        self._around = current()
        self._around.add(self)
        self._token = _current.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)
        self._around.discard(self)

    def join(self) -> None:
        """What this thread starts from now on belongs to the group."""
        _current.set(self)

    def abandon(self) -> None:
        """End every worker that lives now: whoever waits for an answer of one gets Abandoned."""
        for member in self.members:
            member.abandon()

    @property
    def members(self) -> tuple[Abandonable, ...]:
        """The workers and the groups within it that live now."""
        with self._registering:
            return tuple(self._members)

    def add(self, member: Abandonable) -> None:
        """`member` lives."""
        with self._registering:
            self._members.add(member)

    def discard(self, member: Abandonable) -> None:
        """`member` has ended."""
        with self._registering:
            self._members.discard(member)


def current() -> WorkerGroup:
    """The group of this context; where there is none, one that nobody will give up."""
    return _current.get() or WorkerGroup()


_current: ContextVar[WorkerGroup | None] = ContextVar("worker_group", default=None)


def concurrently(
    function: Callable[[T], R],
    items: Iterable[T],
    *,
    workers: int,
    group: WorkerGroup | None = None,
) -> list[R]:
    """`function` of every item, in their order, in at most `workers` threads at once.

    When an item raises or the calling thread is interrupted, what has not begun is left undone,
    every worker that was started in here or before in `group` is killed, no other, and the
    exception comes through without a wait for answers that may never come. A function whose worker
    was killed so ends by `worker_process.Abandoned`, so that it saves nothing that would look like
    the submission's own failure.
    """
    with group or WorkerGroup() as started:
        pool = ThreadPoolExecutor(workers, thread_name_prefix="worker", initializer=started.join)
        futures: list[Future[R]] = []
        try:
            futures.extend(pool.submit(function, item) for item in items)
            wait(futures, return_when=FIRST_EXCEPTION)
            for future in futures:
                if future.done():
                    future.result()  # raises where one failed, and then others may be under way
            return [future.result() for future in futures]
        except BaseException:
            _give_up(futures, started)
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _give_up(futures: Sequence[Future[R]], group: WorkerGroup) -> None:
    for future in futures:
        future.cancel()
    until = time.monotonic() + PATIENCE_S
    while not all(future.done() for future in futures) and time.monotonic() < until:
        # again and again: a thread may have been about to start its worker
        group.abandon()
        wait(futures, timeout=POLL_S)
