"""What a node left of a shard, taken over as far as it is what was asked for.

The folder is a stranger's: its records are read strictly, and each must have the key that follows
from its job and the environment that it states.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.board.store import load
from harness.core.outcome import Failed
from harness.core.record import (
    LONGEST_S,
    CountFigures,
    Environment,
    JobKind,
    Outcome,
    QualityFigures,
    Record,
    RoundFigures,
)
from harness.documents import plain_file
from harness.machine import environment as machine
from harness.measure.jobs import Job
from harness.measure.shards import Shard
from harness.quality.score import PSNR_CAP_DB

MOST_BYTES = 256 << 20  # of a record
MOST_FILES = 20  # for each job of a shard, beyond which a folder is not looked through
_OUTCOMES: Mapping[JobKind, tuple[type, ...]] = {
    "count": (CountFigures, Failed),
    "round": (RoundFigures, Failed),
    "quality": (QualityFigures, Failed),
}


@dataclass(frozen=True)
class ShardResults:
    """The records that hold, and a line for each file that does not."""

    records: tuple[Record, ...]
    refused: tuple[str, ...]

    def complete(self, shard: Shard) -> bool:
        """Whether each job has a record, or a failure of its entry's before it."""
        found = {(it.entry, it.job, it.round) for it in self.records}
        failed = {
            it.entry for it in self.records if it.job == "round" and isinstance(it.outcome, Failed)
        }
        spared = {("round", name) for name in failed}
        spared |= {("count", it.entry) for it in shard.counted}
        return all(
            (job.entry, job.kind, job.round) in found or (job.kind, job.entry) in spared
            for job in shard.jobs
        )


def shard_results(shard: Shard, folder: Path, environment: Environment) -> ShardResults:
    """What a folder holds of a shard, for a run in this environment.

    A timed shard's records are all of one node, or none is taken.
    """
    wanted = {(job.entry, job.kind, job.round): job for job in shard.jobs}
    records, refused = [], []
    for path in _files(folder, MOST_FILES * len(wanted)):
        where = f"{path.parent.name}/{path.name}"
        try:
            found = _read(path)
        except OSError as error:
            refused.append(f"{where}: {error.strerror or error}")
            continue
        why = "is torn, or of another version" if found is None else ""
        if found is not None:
            why = _fault(found, wanted, shard, environment)
        if why:
            refused.append(f"{where} {why}")
        elif found is not None:
            records.append(found)
    nodes = {it.environment.node for it in rounds(records)}
    if len(nodes) > 1:
        told = f"rounds of {len(nodes)} nodes ({', '.join(sorted(nodes))}) in one folder"
        return ShardResults((), (*refused, told))
    return ShardResults(tuple(records), tuple(refused))


def rounds(records: list[Record]) -> list[Record]:
    """Those of rounds."""
    return [it for it in records if it.job == "round"]


def _files(folder: Path, most: int) -> Iterator[Path]:
    """The records' files, none of which is a link; no more than so many."""
    left = most
    for entry in sorted(folder.glob("*/")):
        if entry.is_symlink() or entry.name.startswith("."):
            continue
        for path in sorted(entry.glob("*.json")):
            if left == 0:
                return
            left -= 1
            yield path


def _read(path: Path) -> Record | None:
    if plain_file.kind(path) != plain_file.PLAIN:
        raise OSError(0, f"is {plain_file.kind(path)}, not a plain file")
    if path.stat().st_size > MOST_BYTES:
        raise OSError(0, f"is above {MOST_BYTES >> 20} MiB")
    return load(path).record


def _fault(
    record: Record,
    wanted: Mapping[tuple[str, JobKind, int], Job],
    shard: Shard,
    environment: Environment,
) -> str:
    """Why a record is not that of a job of the shard, "" if it is."""
    job, at, run = (
        wanted.get((record.entry, record.job, record.round)),
        record.environment,
        shard.run,
    )
    if job is None:
        return "is of no job of its shard"
    weights = next(it.weights for it in run.entries if it.id == record.entry)
    ours = (run.session, run.challenge.id, weights)
    kinds = _differences(at, environment)
    checks = {
        "names no node": not re.fullmatch("[0-9a-f]{12}", at.node),
        "states another fingerprint than its environment has": (
            machine.fingerprint(at.stable) != at.fingerprint
        ),
        "is sealed for another key than its job has in its environment": (
            job.key(at).key != record.key
        ),
        f"was timed on another kind of machine: {kinds}": (
            record.job == "round" and at.fingerprint != environment.fingerprint
        ),
        f"was made otherwise than this run makes it: {kinds}": (
            job.key(environment).key != record.key
        ),
        "is of another run": (record.session, record.challenge, record.weights) != ours,
        "holds another outcome than its job has": not isinstance(
            record.outcome, _OUTCOMES[record.job]
        ),
        "holds times or scores that nothing comes to": not _possible(record.outcome),
    }
    return next((why for why, wrong in checks.items() if wrong), "")


def _possible(outcome: Outcome) -> bool:
    """Whether figures are some that a clock and a comparison can give; they may be untrue still."""
    samples = outcome.samples if isinstance(outcome, RoundFigures) else ()
    scores = outcome.scores if isinstance(outcome, RoundFigures | QualityFigures) else ()
    return all(0.0 < it.seconds < LONGEST_S for it in samples) and all(
        (it.psnr_db or 0.0) <= PSNR_CAP_DB and abs(it.ssim or 0.0) <= 1.0 for it in scores
    )


def _differences(one: Environment, other: Environment) -> str:
    keys = dict.fromkeys([*one.stable, *other.stable])
    apart = [it for it in keys if one.stable.get(it) != other.stable.get(it)]
    told = (f"{it} {one.stable.get(it, '-')} and not {other.stable.get(it, '-')}" for it in apart)
    return ", ".join(told) or "the same by name"
