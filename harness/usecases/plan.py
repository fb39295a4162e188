"""What a run is about to do: entries, weights, and the content key of every job."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from dataclasses import dataclass, field
from pathlib import Path

from harness import datasets
from harness.core.challenge import Challenge
from harness.core.outcome import BadInput
from harness.core.record import Environment
from harness.core.run import JobKey, ListedEntry
from harness.datasets import Dataset, DatasetError, DatasetMissing, DatasetsFaulty
from harness.entries import catalogue, checkouts, weights
from harness.entries.catalogue import Entry, Rejected
from harness.machine import environment as machine
from harness.measure import loads
from harness.measure.loads import Contender
from harness.measure.run_images import RunImages
from harness.rules import rulebook
from harness.sandbox.isolation import SandboxMode

MEASURING = 2  # raise it when a change makes older round records incomparable
COUNTING = 2  # and this one for count records
DEVICES = ("cpu", "cuda")
SUBMISSIONS = Path("submissions")
FLOOR_ID = "bicubic"


@dataclass(frozen=True)
class RunRequest:
    """What a user asks of a run."""

    entries: tuple[str, ...] | None = None  # None: everything in ./submissions, or of `ntire`
    challenge: str = "sample"
    data_dir: Path | None = None
    reports: Path = field(default=Path("reports"))
    weights: weights.WeightsMode = "bundled"
    weights_dir: Path | None = None
    references: bool = True
    device: str = "cpu"
    threads: int | None = None
    rounds: int | None = None
    fresh: bool = False
    sandbox: SandboxMode = "auto"
    ntire: Path | None = None  # an official checkout
    ids: tuple[int, ...] | None = None  # of its entries; None: all


def read_rules(name_or_path: str) -> Challenge:
    """A challenge that can be run here: each dataset and reference that it names is known.

    BadInput with all faults.
    """
    scales = {
        it.id: it.submission.scale for it in catalogue.all_references() if isinstance(it, Entry)
    }
    names = tuple(it.name for it in datasets.known())
    at_hand = rulebook.AtHand(names, datasets.usual_layouts(), scales)
    return rulebook.read(name_or_path, at_hand)


def read_challenge(request: RunRequest) -> Challenge:
    """The challenge with the request's own rounds and threads."""
    challenge = read_rules(request.challenge)
    protocol = challenge.protocol
    threads = request.threads or protocol.threads or machine.usable_cores()
    protocol = dataclasses.replace(
        protocol, rounds=request.rounds or protocol.rounds, threads=threads
    )
    return dataclasses.replace(challenge, protocol=protocol)


def find_datasets(
    challenge: Challenge, data_dir: Path | None
) -> tuple[Challenge, tuple[Dataset, ...], tuple[str, ...]]:
    """The datasets at hand, the challenge cut down to them, and notes on what is left out.

    DatasetError with the faults of all datasets.
    """
    found, absent, notes, faulty = [], set(), [], []
    for use in challenge.datasets:
        try:
            found.append(
                datasets.find(
                    use.name,
                    data_dir=data_dir,
                    scale=challenge.scale,
                    truth=use.truth,
                    defined=challenge.define,
                )
            )
        except DatasetError as error:
            if use.required or not isinstance(error, DatasetMissing):
                faulty.append(error)
            absent.add(use.name)
            notes.append(f"Left out: {use.name}, {error.faults[0]}.")
    if faulty:
        raise faulty[0] if len(faulty) == 1 else DatasetsFaulty(faulty)
    if not found:
        raise BadInput(f"none of the datasets of {challenge.id} is at hand. " + " ".join(notes))
    return challenge.without(absent), tuple(found), tuple(notes)


def candidates(request: RunRequest, challenge: Challenge) -> tuple[Entry | Rejected, ...]:
    """References first, then the entries; what can't run in this challenge has a fault."""
    found = list(catalogue.references(challenge.references)) if request.references else []
    if request.ntire is not None:
        found += _of_checkout(request, challenge.scale)
    named = _named_entries(request)
    for name in named:
        read = catalogue.read_named(name)
        # whoever names an entry wants a row; of all of ./submissions those of the scale are meant
        found += _fitting(read, challenge.scale) or (
            [] if request.entries is None else _misfits(read, challenge.scale)
        )
    if not found:
        raise BadInput("no entry to measure: name folders with submission.toml, or references")
    return _unique(found)


def jobs(
    it: Contender, challenge: Challenge, material: RunImages, environment: Environment
) -> tuple[JobKey, ...]:
    """The count and the rounds of a contender with their content keys."""
    # machine paths are no content: the digests stand for the folder and the weights
    load = dataclasses.replace(it.load, folder="", weights="")
    own = {"entry": it.entry.digest, "weights": it.weights.digest}
    counted = {
        **own,
        "load": dataclasses.asdict(loads.counting(load)),
        "version": COUNTING,
        "input": challenge.complexity_input,
        "libraries": machine.versions(machine.COUNTING),
        "isolation": environment.stable.get("isolation", "none"),
    }
    timed = {
        **own,
        "load": dataclasses.asdict(load),
        "version": MEASURING,
        "protocol": _without_rounds(challenge),
        "profile": challenge.quality_profile,
        "data": material.digest,
        "environment": environment.fingerprint,
    }
    rounds = range(challenge.protocol.rounds)
    return (
        JobKey("count", 0, _key(counted)),
        *(JobKey("round", number, _key({**timed, "round": number})) for number in rounds),
    )


def floor_job(challenge: Challenge, material: RunImages) -> JobKey:
    """The key of the bicubic row."""
    content = {"profile": challenge.quality_profile, "data": material.digest, "floor": MEASURING}
    return JobKey("floor", 0, _key(content))


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
        precision=submission.precision,
        channels_last=submission.channels_last,
        compile=submission.compile,
        published=submission.published,
        jobs=jobs,
    )


def refuse_size(option: str, size: tuple[int, int]) -> None:
    """Raise BadInput for an LR height and width that no image has."""
    if min(size) < 1:
        raise BadInput(f"{option} must be at least 1 by 1, LR height and width, got {size}")


def refuse_threads(threads: int) -> None:
    """Raise BadInput for a number of CPU threads that no worker has."""
    if threads < 1:
        raise BadInput(f"threads must be at least 1, got {threads}")


def refuse_device(device: str) -> None:
    """Raise BadInput for a device that nothing runs on here."""
    if device not in DEVICES:
        raise BadInput(f"device must be one of {', '.join(DEVICES)}, got {device!r:.80}")


def _of_checkout(request: RunRequest, scale: int) -> list[Entry | Rejected]:
    """The entries of the checkout; those of another scale than the challenge's say so."""
    if request.ntire is None:
        return []
    found = checkouts.candidates(request.ntire, request.ids)
    return _fitting(found, scale) or _misfits(found, scale)


def _named_entries(request: RunRequest) -> tuple[str, ...]:
    if request.entries is not None:
        return request.entries
    return _default_entries() if request.ntire is None else ()


def _default_entries() -> tuple[str, ...]:
    if not SUBMISSIONS.is_dir():
        return ()
    return tuple(
        str(path)
        for path in sorted(SUBMISSIONS.iterdir())
        if path.is_dir() and not path.name.startswith((".", "_"))
    )


def _fitting(found: tuple[Entry | Rejected, ...], scale: int) -> list[Entry | Rejected]:
    """A folder's variants of the challenge's scale, and what can't be read of it."""
    return [it for it in found if isinstance(it, Rejected) or it.submission.scale == scale]


def _misfits(found: tuple[Entry | Rejected, ...], scale: int) -> list[Entry | Rejected]:
    """The variants of a folder that has none of the challenge's scale, as rows that say so."""
    return [
        it.rejected(f"scale {it.submission.scale}, the challenge is x{scale}")
        for it in found
        if isinstance(it, Entry)
    ]


def _unique(found: list[Entry | Rejected]) -> tuple[Entry | Rejected, ...]:
    """Distinct ids. A folder named twice counts once; of two owners of an id the first keeps it."""
    taken = {FLOOR_ID}
    seen: dict[tuple[str, Path], Entry | Rejected] = {}
    for candidate in found:
        owner = (candidate.id, candidate.folder)
        if owner in seen:
            continue
        if candidate.id in taken:
            fault = f"the id {candidate.id!r} is taken by another entry of this run"
            faults = (fault, *(candidate.faults if isinstance(candidate, Rejected) else ()))
            name = _free(candidate.id, taken | {it.id for it in found})
            candidate = Rejected(  # noqa: PLW2901
                name, candidate.team, candidate.folder, candidate.role, faults, candidate.form
            )
        taken.add(candidate.id)
        seen[owner] = candidate
    return tuple(seen.values())


def _free(name: str, taken: set[str]) -> str:
    return next(
        tried for number in itertools.count(2) if (tried := f"{name}_{number}") not in taken
    )


def _without_rounds(challenge: Challenge) -> dict[str, object]:
    """A run with more rounds goes on where one with fewer stopped."""
    protocol = dataclasses.asdict(challenge.protocol)
    del protocol["rounds"]
    return protocol


def _key(content: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
