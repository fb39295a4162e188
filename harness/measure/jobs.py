"""What there is to measure: jobs, each a value that any process or machine can be sent."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.core.challenge import Challenge, TimingProtocol
from harness.core.model_counts import Counts
from harness.core.record import Environment, ImageScore, JobKind, Outcome
from harness.core.run import JobKey, ListedEntry
from harness.core.submission import ONNX_SUFFIX
from harness.entries.catalogue import Rejected
from harness.entries.packages.package_lock import PackageLock
from harness.machine import environment as machine
from harness.measure import loads
from harness.measure.conversion import Conversion
from harness.measure.loads import Contender
from harness.wire.messages import Load

MEASURING = 6  # raise it when a change makes older round records incomparable
COUNTING = 6  # and this one for count records
# fields of a `Load` that older keys know nothing of
_LATER = ("channels", "enlarged", "black", "forward_kwargs", "output", "packages")


@dataclass(frozen=True)
class Job:
    """One process to be run for one contender: a count, a round of timed passes, or scores alone.

    It holds no handle and no function. Images go by the digest of all of them, `data`; files by
    their paths and by the digests of the entry and its weights. `first` are the scores of the first
    round, which a later one must repeat. A `thorough` one has the audits that need forwards of
    their own; `counts` are what the count came to, for them.
    """

    entry: str  # id
    kind: JobKind
    round: int
    load: Load
    entry_digest: str
    weights_digest: str
    protocol: TimingProtocol
    count_size: tuple[int, int]  # LR height and width
    profile: str
    data: str
    log: Path
    beside: str = ""  # `identity` of the entry that all blocks hold, "" without one
    first: tuple[ImageScore, ...] = ()
    thorough: bool = False
    counts: Counts | None = None
    lock: PackageLock | None = None  # of its code's own packages, which each node has elsewhere

    def key(self, environment: Environment) -> JobKey:
        """The content hash of everything that decides the outcome where it runs."""
        content = self._content()
        if self.kind == "count":
            content |= {
                "version": COUNTING,
                "input": self.count_size,
                "libraries": machine.versions(machine.COUNTING),
                "isolation": environment.stable.get("isolation", "none"),
            }
            if self.load.form == "graph":  # whose costs are told at the sizes of the images
                content["data"] = self.data
        elif self.kind == "quality":  # which is the same on any machine
            content |= {
                "version": MEASURING,
                "profile": self.profile,
                "data": self.data,
                "libraries": machine.versions(machine.LIBRARIES),
                "isolation": environment.stable.get("isolation", "none"),
            }
        else:
            # a run with more rounds goes on where one with fewer stopped
            protocol = dataclasses.asdict(self.protocol)
            del protocol["rounds"], protocol["round_deadline_s"]
            content |= {
                "version": MEASURING,
                "protocol": protocol,
                "profile": self.profile,
                "data": self.data,
                "environment": environment.fingerprint,
                "round": self.round,
                "beside": self.beside,
            }
        return JobKey(self.kind, self.round, content_digest(content))

    @property
    def identity(self) -> str:
        """The content hash of the entry and how it is run."""
        return content_digest(self._content())

    def _content(self) -> dict[str, object]:
        load = told(self.load)
        if self.load.form != "graph":  # told by the form; older records keep their keys
            del load["square_tiles"], load["seeded"]
        if not self.load.ignore_keys:  # nor is this told where nothing is ignored
            del load["ignore_keys"]
        return {"entry": self.entry_digest, "weights": self.weights_digest, "load": load}


def told(load: Load) -> dict[str, object]:
    """What a content key holds of how an entry is loaded.

    Machine paths are no content: digests stand for the folder and the weights, and an entry's holds
    that of its packages' lock. Fields that older keys know nothing of are untold where they have
    their defaults.
    """
    content = dataclasses.asdict(dataclasses.replace(load, folder="", weights="", packages=""))
    if load.entry.lower().endswith(ONNX_SUFFIX) and load.form != "graph":
        content |= {"runtimes": machine.versions(("onnx", "onnxruntime"))}
    later = {it.name: it.default for it in dataclasses.fields(Load) if it.name in _LATER}
    return {name: it for name, it in content.items() if name not in later or it != later[name]}


@dataclass(frozen=True)
class JobResult:
    """What came of a job, and the environment that it ran in, as it was when it had ended."""

    outcome: Outcome
    environment: Environment


class Executor(Protocol):
    """Runs jobs: here, or anywhere else where the images and the entries are."""

    def key(self, job: Job) -> JobKey:
        """The job's content key in the environment where it would run."""

    def count(self, job: Job) -> JobResult:
        """What a count comes to; a submission's failure is an outcome."""

    def score(self, job: Job) -> JobResult:
        """What the outputs of all images are worth, untimed; likewise."""

    def run_block(self, jobs: Sequence[Job], base: str) -> Mapping[str, JobResult]:
        """What came of rounds of several entries that were timed in turns, by entry.

        An entry that found no room in the block is absent; `base`, an entry's id, never is, and
        so is one other.
        """

    def show(self, job: Job, scores: Sequence[ImageScore]) -> tuple[str, ...]:
        """Keep pictures of outputs that were scored in another run, without timing anything.

        Returns what went wrong, a line each.
        """


def jobs(
    contender: Contender, challenge: Challenge, *, data: str, logs: Path, timed: bool = True
) -> tuple[Job, ...]:
    """The count and the rounds of a contender, or its outputs' quality where nothing is `timed`.

    `logs` is the folder of what entries print.
    """
    name = contender.entry.id
    count = Job(
        entry=name,
        kind="count",
        round=0,
        load=loads.counting(contender.load),
        entry_digest=contender.captured.digest or contender.entry.digest,
        weights_digest="" if contender.captured.digest else contender.weights.digest,
        protocol=challenge.protocol,
        count_size=challenge.complexity_input,
        profile=challenge.quality_profile,
        data=data,
        log=logs / name / "count-0.log",
        lock=None if contender.captured.digest else contender.entry.lock,
    )
    first = dataclasses.replace(count, kind="round", load=contender.load)
    if not timed:
        log = logs / name / "quality-0.log"
        return (count, dataclasses.replace(first, kind="quality", log=log))
    rounds = (
        dataclasses.replace(first, round=number, log=logs / name / f"round-{number}.log")
        for number in range(challenge.protocol.rounds)
    )
    return (count, *rounds)


def beside(base: str, planned: Mapping[str, tuple[Job, ...]]) -> dict[str, tuple[Job, ...]]:
    """The jobs of each entry, with rounds that are timed beside `base`, an entry's id."""
    its = next((job.identity for job in planned.get(base, ()) if job.kind == "round"), "")
    return {
        name: tuple(dataclasses.replace(it, beside=its if it.kind == "round" else "") for it in of)
        for name, of in planned.items()
    }


def floor_key(challenge: Challenge, data: str) -> JobKey:
    """The key of the bicubic row."""
    content = {"profile": challenge.quality_profile, "data": data, "floor": MEASURING}
    return JobKey("floor", 0, content_digest(content))


def listed(candidate: Contender | Rejected, jobs: tuple[JobKey, ...] = ()) -> ListedEntry:
    """A contender with its jobs as the run lists it, or why there is none."""
    if isinstance(candidate, Rejected):
        return ListedEntry(
            id=candidate.id,
            team=candidate.team,
            title=candidate.folder.name if candidate.form == "entry" else candidate.id,
            role=candidate.role,
            fault=candidate.failure,
        )
    submission = candidate.entry.submission
    return ListedEntry(
        id=submission.id,
        team=submission.team,
        title=submission.name,
        role=candidate.entry.role,
        weights=candidate.weights.kind,
        remedy=candidate.weights.remedy,
        precision=submission.precision,
        channels_last=submission.channels_last,
        compile=submission.compile,
        published=submission.published,
        as_code=candidate.captured.as_code,
        params=candidate.captured.params,
        notes=(*candidate.captured.notes, *filter(None, [Conversion.of(candidate.load).note])),
        jobs=jobs,
    )


def content_digest(content: dict[str, object]) -> str:
    """The hash that a content key is."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
