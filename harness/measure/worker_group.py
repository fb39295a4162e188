"""Workers that are given up together: those of one call, and of the calls within it."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import Protocol, Self


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
