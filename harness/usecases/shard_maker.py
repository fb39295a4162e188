"""Shards made of a run's jobs: what they hold, and which jobs have no record yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from harness.core.outcome import Failed
from harness.core.record import Record
from harness.counts.static_figures import static_figures
from harness.measure.jobs import Job
from harness.measure.shards import NodeSetting, Shard, ShardKind
from harness.usecases.run_rounds import RunContext, base_of
from harness.wire.messages import Load


@dataclass(frozen=True)
class ShardMaker:
    """Makes shards of the jobs that have no record yet; `planned` are the jobs of each entry."""

    context: RunContext
    setting: NodeSetting
    planned: Mapping[str, tuple[Job, ...]]

    def uncounted(self, name: str) -> bool:
        """Whether an entry's count has no record."""
        return self._known(self.planned[name][0]) is None

    def unmeasured(self, name: str) -> bool:
        """Whether a round, or what stands for them, has no record, though none has failed."""
        rounds = [self._known(job) for job in self.planned[name][1:]]
        failed = any(it is not None and isinstance(it.outcome, Failed) for it in rounds)
        return not failed and any(it is None for it in rounds)

    def alike(self, kind: ShardKind, names: Sequence[str]) -> Shard:
        """The counts, or the scores, of these entries."""
        at = 0 if kind == "count" else 1
        return self._shard(names, [self.planned[name][at] for name in names])

    def timed(self, names: Sequence[str], *, second: bool) -> Shard:
        """All rounds of these entries, beside the baseline and, if wanted, a second reference."""
        common = [self.base, *([self.second] if second else [])]
        its = dict.fromkeys(it for it in (*common, *names) if it)
        counted = [self._known(self.planned[name][0]) for name in its]
        shard = self._shard(tuple(its), [job for name in its for job in self.planned[name]])
        return replace(shard, counted=tuple(filter(None, counted)))

    def costs(self, names: Sequence[str]) -> dict[str, float]:
        """What each is expected to cost: its multiply-adds; the median where they are not known."""
        macs = {name: self._macs(name) for name in names}
        usual = median([it for it in macs.values() if it] or [1.0])
        return {name: it or usual for name, it in macs.items()}

    @property
    def base(self) -> str:
        """The entry that every timed shard holds, "" without any."""
        return self.context.base

    @property
    def second(self) -> str:
        """Another reference, by which nodes are compared; "" without any."""
        challenge = self.context.run.challenge
        names = [it for it in self.planned if it != self.base]
        return base_of(replace(challenge, baseline=""), names) if self.base else ""

    def wants(self, shard: Shard) -> bool:
        """Whether what an earlier process has placed is what this one would ask for."""
        ours = {_place(job): job.identity for its in self.planned.values() for job in its}
        same = all(ours.get(_place(job)) == job.identity for job in shard.jobs)
        same = same and shard.setting == self.setting
        return same and any(self._known(job) is None for job in shard.jobs)

    def _macs(self, name: str) -> float:
        counts = self.context.counts(self.planned[name][0])
        if counts is None:
            return 0.0
        figures = static_figures(counts, convention=self.context.run.challenge.macs)
        return figures.get("macs", 0.0)

    def _known(self, job: Job) -> Record | None:
        return self.context.known(job.entry, self.context.executor.key(job))

    def _shard(self, names: Sequence[str], jobs: Sequence[Job]) -> Shard:
        run = self.context.run
        entries = tuple(it for it in run.entries if it.id in names)
        placed = tuple(replace(it, load=_absolute(it.load)) for it in jobs)
        return Shard(replace(run, entries=entries), placed, self.setting, jobs[0].data)


def _place(job: Job) -> tuple[str, str, int]:
    return job.entry, job.kind, job.round


def _absolute(load: Load) -> Load:
    """With paths that mean the same in whatever folder a node works."""
    paths = (load.folder, load.weights, load.packages)
    folder, weights, packages = (str(Path(it).absolute()) if it else "" for it in paths)
    return replace(load, folder=folder, weights=weights, packages=packages)
