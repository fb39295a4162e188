"""Shards that wait, run, are lost and come back: the queue in front of an engine.

All that it knows is on disk (the folders of attempts), so that another process can take over at any
time. Nobody is done because an engine says so: a shard is when its folder holds what was asked for.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal, Protocol

from harness.core.phrasing import counted
from harness.core.progress import Progress
from harness.engines.engine import Engine, WorkOrder

MOST_ATTEMPTS = 3
SILENT_S = 120.0  # without a beat, after which a lease has run out
START_S = 300.0  # from where an engine says that it runs to the first beat
ENDED_S = 20.0  # in which what an ended process wrote is seen by other nodes
POLL_S = 2.0
FOLDER_S = (
    0.01  # at least so long for each folder that is looked into: a file server has others too
)
LATE = 0.5  # of its expected duration, after which an idle node gets the shard as well


@dataclass(frozen=True)
class ShardWork:
    """A shard, with what it is expected to cost in any unit."""

    id: str
    cost: float = 1.0


@dataclass(frozen=True)
class Sign:
    """What the folder of an attempt shows; `beat` changes while someone is at work."""

    state: Literal["none", "working", "done", "failed"] = "none"
    beat: object = None
    told: str = ""  # where and how far, or why it failed


class ShardFolders(Protocol):
    """What attempts at shards leave on disk."""

    def order(self, work: ShardWork, attempt: int) -> WorkOrder:
        """Make the folder of an attempt; what to tell an engine."""

    def placed(self, work: ShardWork, attempt: int, handle: str) -> None:
        """Keep an engine's handle, for whoever takes over."""

    def ended(self, work: ShardWork, attempt: int) -> None:
        """Forget the handle: nobody has the attempt any more."""

    def sign(self, work: ShardWork, attempt: int) -> Sign:
        """What the folder shows now."""

    def collect(self, work: ShardWork, attempt: int) -> bool:
        """Take what is valid; whether the shard is complete by now."""


@dataclass
class Attempt:
    """A try at a shard that an engine has been given."""

    work: ShardWork
    number: int
    handle: str
    since: float  # when it was given, or taken over
    beat: object = None
    beaten: float | None = None  # when the beat changed last, None before the first one
    began: float | None = None
    ended: float | None = None  # when the engine first said so
    told: str = ""  # where it is, and how far


@dataclass
class Dispatcher:
    """Gives shards to an engine until each is complete, or was tried too often.

    `nodes` is how many work at once. Once none waits, what will take a while still is given to idle
    ones too, since its node may be slow, or dead; whichever is done first settles it.
    """

    engine: Engine
    folders: ShardFolders
    nodes: int
    progress: Progress
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    active: list[Attempt] = field(default_factory=list)
    _waiting: deque[ShardWork] = field(default_factory=deque)
    _last: Counter[str] = field(default_factory=Counter)  # number of the last attempt
    _tries: Counter[str] = field(default_factory=Counter)  # of this process
    _complete: set[str] = field(default_factory=set)
    _idle_since: float | None = None
    _paces: list[float] = field(default_factory=list)  # seconds by cost, of complete shards

    def take_over(self, work: ShardWork, attempt: int, handle: str) -> None:
        """Go on with an attempt that an earlier process has placed."""
        self.count_from(work, attempt)
        self._tries[work.id] += 1
        self.active.append(Attempt(work, attempt, handle, self.clock()))

    def count_from(self, work: ShardWork, attempt: int) -> None:
        """Attempts at a shard go on from this one's number: its folder is taken."""
        self._last[work.id] = max(self._last[work.id], attempt)

    def run(self, works: Sequence[ShardWork]) -> tuple[str, ...]:
        """Shards, in this order, and all that was taken over; those that were given up."""
        self._waiting.extend(works)
        everything = {it.id for it in (*works, *(it.work for it in self.active))}
        while True:
            for attempt in tuple(self.active):
                self._look(attempt)
            self._give()
            if self._over():
                return tuple(sorted(everything - self._complete))
            self.progress.step(self._where())
            self.sleep(max(POLL_S, FOLDER_S * len(self.active)))

    def _over(self) -> bool:
        """Whether nothing is left to wait for, or no node has been there for long."""
        if self.active:
            self._idle_since = None
        elif self._waiting:
            since = self._idle_since = (
                self.clock() if self._idle_since is None else self._idle_since
            )
            if self.clock() - since > START_S:
                told = f"{self.engine.name} has had no node for {START_S:g} s"
                self.progress.warn(f"{told}: {counted(len(self._waiting), 'shard')} not measured")
                return True
        return not self.active and not self._waiting

    def _look(self, attempt: Attempt) -> None:
        work, now = attempt.work, self.clock()
        if work.id in self._complete:  # another attempt was faster
            self._drop(attempt)
            return
        sign = self.folders.sign(work, attempt.number)
        attempt.told = sign.told
        if sign.state == "done" and self.folders.collect(work, attempt.number):
            self._completed(attempt)
            return
        if sign.beat != attempt.beat:
            attempt.beat, attempt.beaten = sign.beat, now
            attempt.began = now if attempt.began is None else attempt.began
        why = self._lost(attempt, sign)
        if why:
            self._drop(attempt)
            self._again(attempt, why)

    def _completed(self, attempt: Attempt) -> None:
        if attempt.began is not None and attempt.work.cost > 0.0:
            self._paces.append((self.clock() - attempt.began) / attempt.work.cost)
        self._complete.add(attempt.work.id)
        self._drop(attempt)  # an engine may keep its node until it is told
        self.progress.done()

    def _lost(self, attempt: Attempt, sign: Sign) -> str:
        """Why nothing is to be hoped of an attempt any more, "" while there is hope."""
        if sign.state in {"failed", "done"}:
            return sign.told if sign.state == "failed" else "what it left is not what was asked for"
        now, state = self.clock(), self.engine.state(attempt.handle)
        if state == "waiting":  # at first, or once more where the engine took its node away
            attempt.beaten, attempt.began, attempt.since = None, None, now
            return ""
        silent_s = now - (attempt.since if attempt.beaten is None else attempt.beaten)
        if state in {"ended", "unknown"}:
            attempt.ended = now if attempt.ended is None else attempt.ended
            over = min(silent_s, now - attempt.ended) > ENDED_S
            return "its process ended" if over else ""
        most_s = START_S if attempt.beaten is None else SILENT_S
        return f"no sign of life for {most_s:g} s" if silent_s > most_s else ""

    def _drop(self, attempt: Attempt) -> None:
        self.engine.cancel(attempt.handle)
        self.folders.ended(attempt.work, attempt.number)
        self.active.remove(attempt)

    def _again(self, attempt: Attempt, why: str) -> None:
        work = attempt.work
        told = f"shard {work.id}, attempt {attempt.number}: {why}"
        if any(it.work.id == work.id for it in self.active):
            self.progress.warn(f"{told}; another attempt goes on")
        elif self._tries[work.id] < MOST_ATTEMPTS:
            self.progress.warn(f"{told}; it is tried again")
            self._waiting.appendleft(work)
        else:
            self.progress.warn(f"{told}; given up after {MOST_ATTEMPTS} attempts")
            self.progress.done()

    def _give(self) -> None:
        room = self.engine.room(len(self.active))
        taken = [self._waiting.popleft() for _ in range(min(room, len(self._waiting)))]
        if not taken and not self._waiting and len(self.active) < self.nodes and room > 0:
            taken = list(self._late())[:1]
        if not taken:
            return
        for work in taken:
            self._last[work.id] += 1
            self._tries[work.id] += 1
        orders = [self.folders.order(work, self._last[work.id]) for work in taken]
        for work, handle in zip(taken, self.engine.submit(orders), strict=True):
            self.folders.placed(work, self._last[work.id], handle)
            self.active.append(Attempt(work, self._last[work.id], handle, self.clock()))

    def _late(self) -> Iterator[ShardWork]:
        """Shards at which one node has worked alone for a while, the latest first."""
        at_work = Counter(it.work.id for it in self.active)
        pace = median(self._paces) if self._paces else 0.0
        late = []
        for it in self.active:
            alone = at_work[it.work.id] == 1 and it.work.id not in self._complete
            if it.began is None or not alone or not pace:
                continue
            took = (self.clock() - it.began) / (pace * it.work.cost)
            if took > LATE and self._tries[it.work.id] < MOST_ATTEMPTS:
                late.append((took, it.work))
        yield from (work for _, work in sorted(late, key=lambda it: -it[0]))

    def _where(self) -> str:
        """What runs where, and what waits."""
        told = [it.told for it in self.active if it.began is not None]
        queued = len(self.active) - len(told) + len(self._waiting)
        told += [f"{counted(queued, 'shard')} waiting"] if queued else []
        return "; ".join(told)
