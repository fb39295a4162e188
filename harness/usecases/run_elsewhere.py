"""A run's jobs as shards for an engine: counts first, then rounds in blocks on one node each.

The same command goes on where another one was stopped: shards that were placed are on disk, and
whatever nodes did meanwhile is collected.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.board.store import Store
from harness.core.outcome import BadInput, Failed
from harness.core.phrasing import listed
from harness.core.record import Environment, Record
from harness.core.run import JobKey, Run
from harness.engines.choice import Elsewhere, engine_of
from harness.engines.dispatcher import Dispatcher, ShardWork
from harness.engines.engine import Engine
from harness.measure.local_executor import LocalExecutor
from harness.measure.shards import NodeSetting, PlannedShard, Shard, ShardKind, plan
from harness.usecases.run_plan import Contenders, ready
from harness.usecases.run_rounds import LASTING, RunContext
from harness.usecases.shard_folders import FOLDER, RunShards
from harness.usecases.shard_maker import ShardMaker

COUNTED = 8  # entries of a shard of counts or scores


@dataclass(frozen=True)
class Dispatching:
    """Where a run's jobs go, and where what comes of them is kept."""

    elsewhere: Elsewhere
    setting: NodeSetting
    executor: LocalExecutor  # with the images; it measures nothing, and makes keys
    store: Store
    fresh: bool
    timed: bool = True  # or counts and scores alone
    engine: Engine | None = None  # another one than `elsewhere` names
    sleep: Callable[[float], None] = time.sleep


def refuse_elsewhere(
    elsewhere: Elsewhere, *, budget: float | None, pictures: Collection[str]
) -> None:
    """BadInput for what only this process can do."""
    elsewhere.refuse_nonsense()
    if elsewhere.here:
        return
    if budget is not None:
        raise BadInput("--budget adds rounds on this machine alone: name --rounds instead")
    if pictures:
        raise BadInput(
            "--keep-images keeps outputs of this machine alone: run once more with it and without "
            "--executor when all is measured"
        )


def dispatch(there: Dispatching, run: Run, contenders: Contenders) -> Run:
    """The run, measured by an engine's nodes; what none could measure is told and left open."""
    progress, executor = there.executor.progress, there.executor
    engine = there.engine or engine_of(there.elsewhere)
    shards = RunShards(
        there.store.folder.parent / FOLDER,
        engine.name,
        run.environment,
        told=progress.warn,
        logs=there.store.folder.parent / "logs",
    )
    queue = _Stages(there, engine, shards)
    left = queue.left_over()
    session = next((it.run.session for it in left if it.kind != "probe"), run.session)
    run = replace(run, session=session)
    executor.environment = queue.look_at_a_node(run, executor.images.digest, left)
    shards.environment = executor.environment
    run = replace(run, environment=executor.environment)
    context, planned = ready(
        run, contenders, executor, there.store, fresh=there.fresh, timed=there.timed
    )
    shards.take = lambda record: take(context, record)
    maker = ShardMaker(context, there.setting, {its[0].entry: its for its in planned})
    queue.many_at_once("count", maker, left)
    if there.timed:
        queue.rounds(maker, left)
    else:
        queue.many_at_once("quality", maker, left)
    shards.sweep()
    if missing := [name for name in maker.planned if maker.unmeasured(name)]:
        progress.warn(f"No node has measured {listed(tuple(missing))}: run again to try once more")
    return context.run


def take(context: RunContext, record: Record) -> None:
    """Keep a node's record if none of its key stands; a passing failure gives way to figures."""
    key = JobKey(record.job, record.round, record.key)
    known = context.known(record.entry, key)
    failed = known.outcome if known is not None and isinstance(known.outcome, Failed) else None
    if known is None or (
        failed and failed.reason not in LASTING and not isinstance(record.outcome, Failed)
    ):
        context.store.save(record)
        context.share(record)
    else:
        context.store.keep(record)


@dataclass(frozen=True)
class _Stages:
    """The engine's work, one stage after the other."""

    there: Dispatching
    engine: Engine
    shards: RunShards

    def left_over(self) -> list[Shard]:
        """What an earlier process has placed; nothing is left of it where all is to be fresh."""
        self.shards.sweep()
        found = [*self.shards.unfinished()]
        if not self.there.fresh:
            return found
        for shard in found:
            self._call_off(shard)
        return []

    def look_at_a_node(self, run: Run, data: str, left: Sequence[Shard]) -> Environment:
        """What nodes are like, as one of them tells: keys depend on it."""
        for shard in left:
            if shard.kind == "timed" and (found := self._told(shard.id)):
                return found
        probe = Shard(replace(run, entries=()), (), self.there.setting, data)
        self.there.executor.progress.stage("Looking for a node", 1)
        work = self._new(probe, {})
        self._dispatch([work], ())
        if found := self._told(work.id):
            self.shards.remove(work.id)
            return found
        raise BadInput(
            f"no node of {self.engine.name} could be asked what it is: see the logs in "
            f"{self.shards.folder / work.id}"
        )

    def _told(self, shard: str) -> Environment | None:
        tries = self.shards.attempts(shard)
        told = (self.shards.environment_of(ShardWork(shard), number) for number in tries)
        return next(filter(None, told), None)

    def many_at_once(self, kind: ShardKind, maker: ShardMaker, left: Sequence[Shard]) -> None:
        """The counts, or the scores, that have no record."""
        lacks = maker.uncounted if kind == "count" else maker.unmeasured
        names = [name for name in maker.planned if lacks(name)]
        adopted = self._adopted(kind, maker, left)
        covered = {job.entry for it in adopted for job in it.jobs}
        new = [name for name in names if name not in covered]
        chunks = [new[at : at + COUNTED] for at in range(0, len(new), COUNTED)]
        works = [self._new(maker.alike(kind, it), {}) for it in chunks]
        title = "Counting" if kind == "count" else "Scoring"
        self._stage(title, works, [_work(it, {}) for it in adopted])

    def rounds(self, maker: ShardMaker, left: Sequence[Shard]) -> None:
        """The rounds that have no record, each entry's on one node."""
        names = [name for name in maker.planned if maker.unmeasured(name)]
        adopted = self._adopted("timed", maker, left)
        covered = {job.entry for it in adopted for job in it.jobs}
        new = [it for it in names if it not in covered]
        alone = [it for it in new if it not in {maker.base, maker.second}]
        costs = maker.costs([*maker.planned])
        nodes, base = self.there.elsewhere.nodes, costs.get(maker.base, 0.0)
        planned = plan({name: costs[name] for name in alone}, nodes, base=base)
        works = [
            self._new(maker.timed(it.entries, second=it.second), costs)
            for it in planned or ([PlannedShard((), second=True)] if new else [])
        ]
        self._stage("Measuring", works, [_work(it, costs) for it in adopted])

    def _new(self, shard: Shard, costs: Mapping[str, float]) -> ShardWork:
        """A shard's work, with its document on disk."""
        self.shards.add(shard)
        return _work(shard, costs)

    def _adopted(self, kind: ShardKind, maker: ShardMaker, left: Sequence[Shard]) -> list[Shard]:
        """Shards of an earlier process that are wanted still; others are called off."""
        found = []
        for shard in left:
            if shard.kind == kind:
                if maker.wants(shard):
                    found.append(shard)
                else:
                    self._call_off(shard)
        return found

    def _call_off(self, shard: Shard) -> None:
        for _, order in self.shards.open_attempts(shard.id):
            self.engine.cancel(order.handle)
        self.shards.remove(shard.id)

    def _stage(self, title: str, works: Sequence[ShardWork], adopted: Sequence[ShardWork]) -> None:
        if works or adopted:
            self.there.executor.progress.stage(title, len(works) + len(adopted))
            self._dispatch(works, adopted)

    def _dispatch(self, works: Sequence[ShardWork], adopted: Sequence[ShardWork]) -> None:
        progress = self.there.executor.progress
        queue = Dispatcher(
            self.engine, self.shards, self.there.elsewhere.nodes, progress, sleep=self.there.sleep
        )
        again = []
        for work in adopted:
            attempts = [*self.shards.open_attempts(work.id)]
            for number, order in attempts:
                queue.take_over(work, number, order.handle)
            queue.count_from(work, max(self.shards.attempts(work.id), default=0))
            if not attempts:
                again.append(work)
        try:
            queue.run([*again, *works])
        except KeyboardInterrupt:
            number = len(queue.active)
            told = f"{number} shards go on at {self.engine.name}; the same command collects them"
            progress.warn(told)
            raise


def _work(shard: Shard, costs: Mapping[str, float]) -> ShardWork:
    """A shard with the costs of its entries; each is 1 unless told."""
    entries = (job.entry for job in shard.jobs if job.kind != "round")
    return ShardWork(shard.id, sum(costs.get(it, 1.0) for it in entries) or 1.0)
