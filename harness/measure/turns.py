"""Workers that live together and take turns: while one works, all processes of the others rest.

What slows the machine for a while slows all of them, so that their ratios stand; and who is idle
can't slow who is timed.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Generator, Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import psutil

from harness.core.outcome import Failed
from harness.core.record import RoundFigures
from harness.machine import environment as machine
from harness.machine import nvml, proc
from harness.measure import passes
from harness.measure.passes import TimedRound
from harness.measure.score_queue import ScoreQueue
from harness.measure.session import LrImage, ScoreOutput, Session, Task
from harness.measure.tasks import loaded, spawned
from harness.measure.truth_probes import Truths
from harness.measure.worker_group import WorkerGroup, concurrently
from harness.measure.worker_process import WorkerFailed, WorkerProcess

K = TypeVar("K", bound=Hashable)
EACH_ORDER = 3  # members, of whose orders each comes equally often
SPARE_SHARE = 0.1  # of the memory, which stays free beside what the next worker may need
MORE = 2.0  # times the largest worker until then: so much the next one may need

OnTurn = Callable[[int, int], None]  # images timed until now, members


@dataclass(frozen=True)
class BlockMember:
    """Who is to be timed in a block; `score` is given each output that is scored."""

    name: str
    task: Task
    score: ScoreOutput


@dataclass
class TurnTaker:
    """A worker of a block, and the round that it goes through."""

    session: Session
    round: Generator[None, None, TimedRound]
    outcome: TimedRound | Failed | None = field(default=None, init=False)

    def step(self) -> None:
        """Its turn, until it gives way or has come to its end."""
        if self.outcome is not None:
            return
        try:
            with self.session.awake():
                next(self.round)
        except StopIteration as end:
            self.outcome = end.value
        except WorkerFailed as error:
            self.outcome = error.failure
            self.session.end()

    def whole(self) -> RoundFigures | Failed:
        """What came of it, once its outputs are scored. RuntimeError before its end."""
        if self.outcome is None:
            raise RuntimeError("the round goes on")
        return self.outcome.whole() if isinstance(self.outcome, TimedRound) else self.outcome


def run_block(
    members: Sequence[BlockMember],
    images: tuple[LrImage, ...],
    truths: Truths | None = None,
    *,
    base: str = "",
    watch: OnTurn = lambda _timed, _members: None,
) -> dict[str, RoundFigures | Failed]:
    """Measure every image in fresh processes that take turns, image by image.

    They start in the order given. Members for whom the memory has no room beside those before them
    are left out; never the one called `base`, nor the only other one. One that fails leaves the
    block, and the others go on. Outputs are scored on all cores, while all of them rest.
    """
    rng, queue = random.SystemRandom(), ScoreQueue()
    with ExitStack() as stack:
        outcomes: dict[str, RoundFigures | Failed] = {}
        takers: dict[str, TurnTaker] = {}
        for some in _batches(members, base, lambda: _room([*takers.values()])):
            found = stack.enter_context(together({it.name: it.task for it in some}))
            for it in some:
                session = found[it.name]
                if isinstance(session, Failed):
                    outcomes[it.name] = session
                    continue
                turns = passes.in_turns(session, images, it.score, queue, truths)
                takers[it.name] = TurnTaker(session, turns)
                takers[it.name].step()  # warms up
        drawn = orders(list(takers), rng)
        timed = 0
        while any(it.outcome is None for it in takers.values()):
            watch(timed, len(takers))
            timed += 1
            order = [takers[name] for name in next(drawn)]
            for taker in order:  # the timed forwards
                taker.step()
            for taker in order:  # and then what is not timed
                taker.step()
                if queue.full:
                    queue.work()
        queue.work()
        return outcomes | {name: it.whole() for name, it in takers.items()}


def orders(members: Sequence[K], rng: random.Random) -> Iterator[tuple[K, ...]]:
    """Orders of turns, each drawn and followed by its mirror image: what drifts evenly cancels out.

    The last of an order comes twice in a row, so of few members each has to be there equally often.
    """
    while True:
        drawn = [tuple(rng.sample(members, len(members)))]
        if len(members) <= EACH_ORDER:
            drawn = list(itertools.permutations(members))
            rng.shuffle(drawn)
        for order in drawn:
            yield order
            yield order[::-1]


@contextmanager
def together(tasks: Mapping[K, Task]) -> Iterator[Mapping[K, Session | Failed]]:
    """Workers spawned in this order and loaded at once, as nothing is timed yet; at rest.

    Or why one is not there. They are spawned by the calling thread: a worker dies with the thread
    that spawned it.
    """
    with ExitStack() as stack:
        began = time.perf_counter()
        with WorkerGroup() as group:
            workers = {name: _spawned(task, stack) for name, task in tasks.items()}

        def session(name: K) -> Session | Failed:
            worker = workers[name]
            if isinstance(worker, Failed):
                return worker
            try:
                with (it := loaded(worker, tasks[name], began)).awake():
                    return it
            except WorkerFailed as error:
                worker.kill()
                return error.failure

        ready = concurrently(session, tasks, workers=len(tasks), group=group)
        yield dict(zip(tasks, ready, strict=True))


def _spawned(task: Task, stack: ExitStack) -> WorkerProcess | Failed:
    try:
        return stack.enter_context(spawned(task))
    except WorkerFailed as error:
        return error.failure


def _batches(
    members: Sequence[BlockMember], base: str, room: Callable[[], bool]
) -> Iterator[list[BlockMember]]:
    """As many at once as there are cores, while there is room; the base and another in any case."""
    left = list(members)
    least = {base, next((it.name for it in left if it.name != base), base)}
    while left:
        some = left[: machine.usable_cores()] if room() else []
        some = some or [it for it in left if it.name in least][:1]
        if not some:
            return
        yield some
        left = [it for it in left if it not in some]


def _room(takers: Sequence[TurnTaker]) -> bool:
    """Whether another worker fits into the memory beside these, going by the largest of them."""
    if not takers:
        return True
    memory = psutil.virtual_memory()
    held = [proc.tree_resident(it.session.root) for it in takers]
    most = max((it.peak_bytes for it in held if it), default=0)
    batch = machine.usable_cores()
    if memory.available < SPARE_SHARE * memory.total + MORE * most * batch:
        return False
    if takers[0].session.task.load.device != "cuda" or (gpu := nvml.memory()) is None:
        return True
    free, total = gpu
    return free > SPARE_SHARE * total + MORE * (total - free) / len(takers) * batch
