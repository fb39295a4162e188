"""The unit of work that travels to another node: entries with the baseline, and all their rounds.

A shard is a JSON document. It names files by paths that every node sees, on a file system that they
share, and by digests that show whether they are the same there.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.core.outcome import BadInput
from harness.core.record import JobKind, Record
from harness.core.run import Run
from harness.core.values import refuse, value
from harness.documents import atomic, plain_file, typed
from harness.measure.jobs import COUNTING, MEASURING, Job, content_digest

SHARD_FILE = "shard.json"
VERSION = f"1, measuring {MEASURING}, counting {COUNTING}"
ShardKind = Literal["probe", "count", "quality", "timed"]
"""What is done: nothing but a look at the node, counts, scores alone, or rounds in blocks."""
_KINDS: dict[frozenset[JobKind], ShardKind] = {
    frozenset(): "probe",
    frozenset({"count"}): "count",
    frozenset({"quality"}): "quality",
    frozenset({"round", "count"}): "timed",
}


@value
class NodeSetting:
    """How a node measures: what a run is told on the command line."""

    device: str
    threads: int
    sandbox: Literal["auto", "require", "none"]
    data_dir: str = ""  # folder of the datasets, "" for the usual places
    hidden: tuple[str, ...] = ()  # folders that no entry may see


@value
class Shard:
    """Jobs that belong together on one node.

    A timed one holds the counts and all rounds of its entries, the baseline and the common
    references among them. `counted` are records of counts that are known already.
    """

    run: Run  # the session, the rules and the shard's own entries
    jobs: tuple[Job, ...]
    setting: NodeSetting
    data: str  # digest of all images
    counted: tuple[Record, ...] = ()
    version: str = VERSION

    def __post_init__(self) -> None:
        listed = {it.id for it in self.run.entries}
        strange = sorted({job.entry for job in self.jobs} - listed)
        mixed = frozenset(job.kind for job in self.jobs) not in _KINDS
        names = ", ".join(strange)
        refuse(
            {
                f"jobs of entries that the run does not list: {names}": bool(strange),
                "jobs are counts, or scores, or counts and rounds": mixed,
            }
        )

    @property
    def kind(self) -> ShardKind:
        """What is done."""
        return _KINDS[frozenset(job.kind for job in self.jobs)]

    @property
    def id(self) -> str:
        """The same for the same work, whoever asks for it and when: 16 hexadecimal digits."""
        content: dict[str, object] = {
            "jobs": [[job.identity, job.entry, job.kind, job.round] for job in self.jobs],
            "device": self.setting.device,
            "data": self.data,
            "version": self.version,
        }
        return content_digest(content)[:16]

    @property
    def planned(self) -> tuple[tuple[Job, ...], ...]:
        """The jobs of each entry."""
        by_entry: dict[str, list[Job]] = {}
        for job in self.jobs:
            by_entry.setdefault(job.entry, []).append(job)
        return tuple(map(tuple, by_entry.values()))

    def logging_to(self, folder: Path) -> Shard:
        """The shard with the logs of its jobs in a folder of the node."""
        jobs = (
            dataclasses.replace(job, log=folder / job.entry / job.log.name) for job in self.jobs
        )
        return dataclasses.replace(self, jobs=tuple(jobs))


def write(shard: Shard, folder: Path) -> Path:
    """Keep a shard as the document of its folder."""
    path = folder / SHARD_FILE
    atomic.write(path, typed.adapter(Shard).dump_json(shard, indent=1))
    return path


def read(path: Path) -> Shard:
    """The shard of a document; BadInput where it is none, or of another version."""
    try:
        with plain_file.opened(path) as file:
            document = json.loads(file.read())
        shard = typed.build(Shard, document)
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}") from None
    except typed.Faults as faults:
        raise BadInput(f"{path} is no shard: {'; '.join(faults.lines[:5])}") from None
    except ValueError as error:
        raise BadInput(f"{path} is no shard: {error}") from None
    if shard.version != VERSION:
        raise BadInput(
            f"{path} is a shard of version {shard.version:.80}, this is {VERSION}: install one "
            "version on all nodes"
        )
    return shard


@dataclass(frozen=True)
class PlannedShard:
    """The entries of a shard, beside the baseline; with the `second` common reference or not."""

    entries: tuple[str, ...]
    second: bool


SHARE = 2.0  # a shard takes one part in so many of what a node's share of the rest is
LEAST = 3.0  # and at least so many times the cost of the baseline that it holds besides


def plan(costs: Mapping[str, float], nodes: int, *, base: float) -> list[PlannedShard]:
    """Shards of entries of these expected costs, dearest first, for so many nodes.

    Each holds a baseline that costs `base` besides. The first ones are large and the last ones
    small (factoring, Hummel et al. 1992): a node that is slow, or dies, holds up the end by a small
    one. By the second reference nodes are compared; as it costs as much as an entry, shards have it
    until each node should have had two, since some get lost.
    """
    order = sorted(costs, key=lambda it: -costs[it])
    found: list[PlannedShard] = []
    left = sum(costs.values())
    least = min(LEAST * base, left / nodes)  # where all cost little, each node has some
    while order:
        share, taken = left / (SHARE * nodes), 0.0
        its: list[str] = []
        while order and (taken < least or taken + costs[order[0]] / 2 <= share or not its):
            its.append(order.pop(0))
            taken += costs[its[-1]]
        found.append(PlannedShard(tuple(its), second=len(found) < 2 * nodes))
        left -= taken
    return found
