"""A run's shards on disk: documents, attempts, what nodes left of them.

shards/ID/shard.json          the document
shards/ID/1/order.json        the first attempt: which engine has it, under which handle
shards/ID/1/status.json       its lease
shards/ID/1/records, logs     what it measured
shards/ID/complete            its results are in the run's records
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.outcome import BadInput
from harness.core.record import Environment, Record
from harness.core.values import value
from harness.documents import atomic, plain_file, typed
from harness.engines import lease
from harness.engines.dispatcher import ShardWork, Sign
from harness.engines.engine import WorkOrder
from harness.measure import shards
from harness.measure.shards import Shard
from harness.usecases.shard_results import ShardResults, shard_results
from harness.usecases.work import LOGS, RECORDS

FOLDER = "shards"
_ORDER, _COMPLETE = "order.json", "complete"
_MOST_LOG = 1 << 20  # bytes
_MOST_ORDER = 4096  # bytes
_MOST = 10  # attempts at a shard that are looked at: nodes may put there what they like
_NUMBER = re.compile("[1-9][0-9]{0,5}")
_TOLD = 5  # files of an attempt that are refused, of which it is said why


@value
class PlacedOrder:
    """An attempt that an engine was given."""

    engine: str
    handle: str


@dataclass
class RunShards:
    """`ShardFolders` of a run. `take` is given the records of a shard that hold."""

    folder: Path
    engine: str
    environment: Environment
    told: Callable[[str], None]
    logs: Path
    take: Callable[[Record], None] = lambda _: None
    known: dict[str, Shard] = field(default_factory=dict)

    def add(self, shard: Shard) -> str:
        """Write a shard's document; its id."""
        self.known[shard.id] = shard
        shards.write(shard, self.folder / shard.id)
        return shard.id

    def order(self, work: ShardWork, attempt: int) -> WorkOrder:
        """The folder of an attempt, and what to tell an engine."""
        shard = self.known[work.id]
        into = self._into(work, attempt)
        atomic.make_folder(into)
        timed = shard.kind in {"probe", "timed"}
        gpu = shard.kind != "count" and shard.setting.device == "cuda"
        document = (self.folder / work.id / shards.SHARD_FILE).absolute()
        return WorkOrder(document, into.absolute(), timed=timed, gpu=gpu)

    def placed(self, work: ShardWork, attempt: int, handle: str) -> None:
        """Keep the handle."""
        order = PlacedOrder(self.engine, handle)
        path = self._into(work, attempt) / _ORDER
        atomic.write(path, typed.adapter(PlacedOrder).dump_json(order))

    def ended(self, work: ShardWork, attempt: int) -> None:
        """Forget the handle."""
        with contextlib.suppress(OSError):  # also of what a node has put in its place
            (self._into(work, attempt) / _ORDER).unlink()

    def sign(self, work: ShardWork, attempt: int) -> Sign:
        """What the lease says, and whether it beats."""
        into = self._into(work, attempt)
        found = lease.read(into)
        if found is None:
            return Sign()
        share = f" ({found.done} of {found.of})" if found.of else ""
        return Sign(found.state, lease.beat(into), f"{found.host}: {found.told}{share}")

    def collect(self, work: ShardWork, attempt: int) -> bool:
        """Take over what holds; whether that is all of the shard."""
        shard = self.known[work.id]
        into = self._into(work, attempt)
        if shard.kind == "probe":
            found, complete = ShardResults((), ()), self.environment_of(work, attempt) is not None
        else:
            found = shard_results(shard, into / RECORDS, self.environment)
            complete = found.complete(shard)
        for line in found.refused[:_TOLD]:
            self.told(f"shard {work.id}, attempt {attempt}: refused: {line}")
        for record in found.records:
            self.take(record)
        self._take_logs(shard, into / LOGS)
        if complete:
            atomic.write(self.folder / work.id / _COMPLETE, b"")
        return complete

    def environment_of(self, work: ShardWork, attempt: int) -> Environment | None:
        """What a node says of itself."""
        found = lease.read(self._into(work, attempt))
        return None if found is None else found.environment

    def open_attempts(self, shard: str) -> Iterator[tuple[int, PlacedOrder]]:
        """The attempts at a shard that this engine has been given and that have not ended."""
        for number in self.attempts(shard):
            try:
                data = plain_file.read(self.folder / shard / str(number) / _ORDER, _MOST_ORDER)
                order = typed.adapter(PlacedOrder).validate_json(data, strict=True)
            except (OSError, ValueError):
                continue
            if order.engine == self.engine:
                yield number, order

    def attempts(self, shard: str) -> list[int]:
        """Numbers of the last attempts at a shard that have a folder, in order."""
        names = (path.name for path in (self.folder / shard).glob("*/"))
        return sorted(int(it) for it in names if _NUMBER.fullmatch(it))[-_MOST:]

    def unfinished(self) -> Iterator[Shard]:
        """Shards that an earlier process has placed and nobody has collected."""
        for path in sorted(self.folder.glob(f"*/{shards.SHARD_FILE}")):
            if (path.parent / _COMPLETE).exists():
                continue
            try:
                shard = shards.read(path)
            except BadInput as error:  # it is made anew where it is wanted
                self.told(f"left aside: {error}")
                continue
            if shard.id == path.parent.name:
                self.known[shard.id] = shard
                yield shard

    def remove(self, shard: str) -> None:
        """Forget a shard whose results are in the records, or that nobody wants any more."""
        shutil.rmtree(self.folder / shard, ignore_errors=True)
        self.known.pop(shard, None)

    def sweep(self) -> None:
        """Remove what is complete."""
        for path in self.folder.glob(f"*/{_COMPLETE}"):
            self.remove(path.parent.name)

    def _into(self, work: ShardWork, attempt: int) -> Path:
        return self.folder / work.id / str(attempt)

    def _take_logs(self, shard: Shard, logs: Path) -> None:
        """What entries printed, for the pages of failed rows."""
        for job in shard.jobs:
            path = logs / job.entry / job.log.name
            if path.resolve() != logs.parent.resolve() / path.relative_to(logs.parent):
                continue  # a link, to what nobody is to read
            if plain_file.kind(path) == plain_file.PLAIN:
                atomic.write(self.logs / job.entry / job.log.name, plain_file.read(path, _MOST_LOG))
