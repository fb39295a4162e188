"""Several workers at once, and a prompt end when something goes wrong or Ctrl-C is pressed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from harness.measure.worker_group import WorkerGroup

T = TypeVar("T")
R = TypeVar("R")
PATIENCE_S = 5.0  # with functions that are at something else than waiting for a worker
POLL_S = 0.05


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
