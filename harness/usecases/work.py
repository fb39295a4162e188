"""Measure a shard on this node: its records into a folder, with a lease that beats meanwhile."""

from __future__ import annotations

import platform
import shutil
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.board.store import Store
from harness.core.outcome import BadInput
from harness.core.progress import SILENT, Progress
from harness.documents import atomic
from harness.engines import lease
from harness.engines.lease import Lease, LeaseHolder
from harness.machine import environment as machine
from harness.measure import shards
from harness.measure.shards import Shard
from harness.usecases.run_rounds import RunContext, count_all, score_all, sharers, time_all
from harness.usecases.set_up import (
    environment_here,
    executor_here,
    found_here,
    isolation_here,
)

RECORDS, LOGS = "records", "logs"
_EVERY_S = 5.0  # at most one sign of where the work is


def work(path: Path, into: Path, progress: Progress = SILENT) -> None:
    """Measure a shard's document into a folder of this node, which sees to be the only one there.

    What an earlier attempt on this very node has measured is kept, unlike that of another node: all
    rounds of an entry are of one node. BadInput for a document or a node that won't do,
    WriteError where the folder can't be written; both also stand in the lease.
    """
    shard = shards.read(path).logging_to(into / LOGS)
    store = Store(into / RECORDS, progress.warn)
    node = machine.node(shard.setting.device)
    with store.locked():
        before = lease.read(into)
        if before is not None and before.node != node:
            _emptied(store.folder)
        holder = LeaseHolder(into, Lease(platform.node(), node, "working"))
        try:
            with holder.beating():
                _measured(shard, store, Leased(progress, holder))
        except BaseException as error:
            holder.tell(state="failed", told=f"{type(error).__name__}: {error}"[:1000])
            raise
        holder.tell(state="done")


def _measured(shard: Shard, store: Store, progress: Leased) -> None:
    """What the shard asks for; the lease tells of the environment as soon as it is known."""
    setting = shard.setting
    if shard.kind == "probe":
        progress.holder.tell(environment=environment_here(setting, isolation_here(setting)))
        return
    challenge, found, _ = found_here(shard.run.challenge, setting)
    executor = executor_here(challenge, found, setting, progress)
    if executor.images.digest != shard.data:
        raise BadInput(
            f"the images on {platform.node()} are not those of the shard: all nodes need the same "
            "data sets"
        )
    progress.holder.tell(environment=executor.environment)
    for record in shard.counted:
        store.keep(record)
    run = replace(shard.run, environment=executor.environment)
    sharing = sharers(executor, shard.planned)
    context = RunContext(run, executor, store, fresh=False, progress=progress, sharing=sharing)
    planned = [its for its in shard.planned if its[0].entry in sharing]
    if shard.kind == "quality":
        score_all(context, planned)
    else:
        count_all(context, planned)
    if shard.kind == "timed":
        time_all(context, planned)


def _emptied(folder: Path) -> None:
    """Without the records of another node."""
    for entry in folder.iterdir():
        if entry.is_dir():
            try:
                shutil.rmtree(entry)
            except OSError as error:
                raise atomic.refusal(entry, error) from error


@dataclass
class Leased(Progress):
    """Progress that the lease tells of as well; nothing of it is called during a forward."""

    inner: Progress
    holder: LeaseHolder
    _title: str = field(default="", init=False)
    _told: float = field(default=0.0, init=False)

    def warn(self, text: str) -> None:
        """Passed on."""
        self.inner.warn(text)

    def stage(self, title: str, total: int) -> None:
        """Told at once."""
        self.inner.stage(title, total)
        self._title = title
        self.holder.tell(told=title, done=0, of=total)

    def step(self, text: str, share: float = 0.0) -> None:
        """Told now and then."""
        self.inner.step(text, share)
        if time.monotonic() - self._told > _EVERY_S:
            self._told = time.monotonic()
            self.holder.tell(told=f"{self._title}, {text}"[:300])

    def done(self, text: str = "") -> None:
        """Told with the next step."""
        self.inner.done(text)
        self.holder.lease = replace(self.holder.lease, done=self.holder.lease.done + 1)
