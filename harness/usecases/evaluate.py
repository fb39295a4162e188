"""Measure every entry and the references alike, keep what is known, and rank."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from harness.board.build import build, save_run
from harness.board.store import Store
from harness.core.challenge import Challenge, CropRule
from harness.core.leaderboard import Leaderboard
from harness.core.outcome import BadInput
from harness.core.phrasing import listed as listed_names
from harness.core.progress import SILENT, Progress
from harness.core.record import FloorFigures
from harness.core.run import FLOOR_ID, ListedEntry, Run
from harness.datasets.find import find_all, truth_folders
from harness.datasets.known import known, usual_layouts
from harness.entries import catalogue, one_file, weights
from harness.entries.catalogue import Entry, Rejected
from harness.entries.participants import SUBMISSIONS, participants, submitted
from harness.machine import environment as machine
from harness.measure import loads
from harness.measure.captures import Capturing, captured
from harness.measure.jobs import (
    Executor,
    Job,
    JobResult,
    beside,
    floor_key,
    jobs,
    listed,
)
from harness.measure.loads import Contender
from harness.measure.local_executor import LocalExecutor
from harness.measure.run_images import Scorer, floor, gather, keeper_of
from harness.pictures.keeper import FOLDER, PictureFolder
from harness.pictures.wishes import Extent, extents, parse, withheld
from harness.rules import rulebook
from harness.sandbox.isolation import SandboxMode, choose
from harness.usecases.missing_pictures import complete
from harness.usecases.run_rounds import RunContext, base_of, measure, now, sharers


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
    rows: tuple[str, ...] | None = None  # ids of the challenge's references; None: all
    device: str = "cpu"
    threads: int | None = None
    rounds: int | None = None
    budget_s: float | None = None  # in which more rounds may tell apart what the first ones don't
    fresh: bool = False
    sandbox: SandboxMode = "auto"
    ntire: Path | None = None  # an official checkout
    ids: tuple[int, ...] | None = None  # of its entries; None: all
    requirements: Path | None = None  # file of packages that they need, locked
    spandrel: bool = False  # checkpoints among the entries are networks that spandrel knows
    keep_images: tuple[str, ...] = ()  # pictures of outputs: all, crops, a number; all:DATASET
    crop: CropRule | None = None  # how truth is cut to LR; None: as the challenge says


def evaluate(request: RunRequest, progress: Progress = SILENT) -> Leaderboard:
    """The ranked board of a request; every finished process is on disk before the next starts.

    Raises BadInput for what was asked wrongly; a submission's own failure is a row. WriteError when
    the reports folder can't be written.
    """
    loads.refuse_device(request.device)
    if request.budget_s is not None and request.budget_s <= 0.0:
        raise BadInput(f"budget must be above 0 seconds, got {request.budget_s:g}")
    challenge = read_challenge(request)
    candidates = participants(
        challenge,
        entries=_folders(request, challenge.scale, progress),
        references=request.references,
        rows=request.rows,
        checkout=request.ntire,
        ids=request.ids,
        requirements=request.requirements,
    )
    challenge, found, notes = find_all(challenge, request.data_dir)
    contenders = tuple(_contender(it, challenge, request) for it in candidates)
    for line in (*notes, *_remarks(request, challenge, contenders)):
        progress.warn(line)
    hidden = (request.reports, *truth_folders(found, request.data_dir))
    isolation = choose(request.sandbox, gpu=request.device == "cuda", hidden=hidden)
    if isolation.note:
        progress.warn(isolation.note)
    environment = machine.environment(
        device=request.device,
        threads=challenge.protocol.threads,
        isolation=isolation.confinement.name,
    )
    if request.device == "cuda" and "gpu" not in environment.stable:
        raise BadInput("no NVIDIA GPU found (NVML does not answer): run with --device cpu")
    images = gather(challenge, found, (*notes, *filter(None, (isolation.note,))))
    executor = LocalExecutor(environment, isolation, images, Scorer(challenge, images), progress)
    folder = request.reports / challenge.id
    kept = _kept(request, challenge, progress)
    contenders = _as_graphs(contenders, challenge, executor, request.fresh, folder)
    run = Run(
        session=f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}",
        started=now(),
        challenge=challenge,
        entries=(),
        environment=environment,
        notes=images.notes,
    )
    store = Store(folder / "records", progress.warn)
    pictures = PictureFolder(folder / FOLDER)
    with store.locked():
        pictures.sweep()
        if kept:
            executor.keeper = keeper_of(kept, challenge, images, pictures)
        run = _measured(request, run, contenders, executor, store)
    return build(run, store)


def _folders(request: RunRequest, scale: int, progress: Progress) -> tuple[str, ...] | None:
    """The entries as they are named, of a single file the folder that is written for it."""
    if request.entries is None:
        return None
    names = []
    for name in request.entries:
        if one_file.is_one(name):
            folder, new = one_file.folder_of(
                Path(name), SUBMISSIONS, scale=scale, spandrel=request.spandrel
            )
            if new:
                progress.warn(f"{name} is an entry from now on: {folder}, whose manifest says more")
            name = str(folder)  # noqa: PLW2901 - what it stands for
        names.append(name)
    return tuple(names)


def _kept(request: RunRequest, challenge: Challenge, progress: Progress) -> dict[str, Extent]:
    """What is kept of each data set; of which nothing is kept though all were asked for is told."""
    wishes = [*map(parse, request.keep_images)]
    if names := withheld(wishes, challenge):
        progress.warn(
            f"No pictures are kept of {listed_names(names)}, which may not be shown: to keep them "
            f"all the same, name the data set, as in --keep-images all:{names[0]}"
        )
    return extents(wishes, challenge)


def _contender(
    candidate: Entry | Rejected, challenge: Challenge, request: RunRequest
) -> Contender | Rejected:
    """A candidate with its weights. Whoever names a reference wants it with trained ones."""
    named = {Path(name.partition(":")[0]).name for name in request.entries or ()}
    return loads.contender(
        candidate,
        challenge.protocol,
        device=request.device,
        mode=request.weights,
        weights_dir=request.weights_dir,
        seeded_if_absent=candidate.id in challenge.references
        and not named & {candidate.id, candidate.folder.name},
    )


def _remarks(
    request: RunRequest, challenge: Challenge, contenders: tuple[Contender | Rejected, ...]
) -> Iterator[str]:
    """What to say of those who take part before they are measured."""
    if request.entries is None and request.ntire is None and not submitted():
        yield "No entry is in ./submissions: the references alone are measured"
    without = (it.entry for it in contenders if isinstance(it, Contender) and it.weights.remedy)
    ids = [it.id for it in without if it.submission.official]
    if ids:
        names = " ".join(ids)
        yield (
            f"Without weights at hand, and so without PSNR: {names}; `esr weights fetch {names}` "
            "brings them, or name a folder that has them with --weights-dir"
        )
    terms = [term for track in challenge.tracks for term in track.terms]
    if challenge.baseline in ids and any(term.per for term in terms):  # by its quality as well
        yield f"{challenge.baseline} is the baseline: without its weights no row has a score"


def _measured(
    request: RunRequest,
    run: Run,
    contenders: tuple[Contender | Rejected, ...],
    executor: LocalExecutor,
    store: Store,
) -> Run:
    """The run with the entries that take part, measured; a budget may have added rounds."""
    folder, images, scorer = store.folder.parent, executor.images, executor.scorer
    ends = time.monotonic() + (request.budget_s or 0.0)
    new = run.challenge.protocol.rounds
    while True:
        began, challenge = time.monotonic(), run.challenge
        planned = _planned(contenders, challenge, images.digest, folder / "logs")
        bicubic = floor_key(challenge, images.digest)
        floor_row = ListedEntry(FLOOR_ID, "", "Bicubic (MATLAB)", "floor", jobs=(bicubic,))
        has_floor = challenge.show_floor and scorer.has_truth
        rows = (*_listed(contenders, planned, executor), *([floor_row] if has_floor else []))
        run = replace(run, entries=rows)
        sharing = sharers(executor, tuple(planned.values()))
        context = RunContext(run, executor, store, request.fresh, executor.progress, sharing)
        save_run(folder, run)
        if has_floor and context.known(FLOOR_ID, bicubic) is None:
            scores = FloorFigures(floor(challenge, images, scorer))
            context.save(FLOOR_ID, bicubic, JobResult(scores, run.environment))
        measure(context, tuple(planned[entry] for entry in sharing))
        if executor.keeper:
            complete(context, [planned[entry][1] for entry in sharing], executor.keeper)
        round_s = (time.monotonic() - began) / new
        if time.monotonic() + round_s > ends or not open_ranks(build(run, store)):
            return run
        protocol, new = challenge.protocol, 1
        protocol = replace(protocol, rounds=protocol.rounds + 1)
        run = replace(run, challenge=replace(challenge, protocol=protocol))


def open_ranks(board: Leaderboard) -> bool:
    """Whether more rounds could tell ranked rows apart."""
    spans = [row.runtime_span for row in board.rows if row.ranked]
    return len(spans) > 1 and any(it is None or it.first != it.last for it in spans)


def _listed(
    contenders: tuple[Contender | Rejected, ...],
    planned: Mapping[str, tuple[Job, ...]],
    executor: Executor,
) -> Iterator[ListedEntry]:
    for it in contenders:
        its = () if isinstance(it, Rejected) else planned[it.entry.id]
        yield listed(it, tuple(map(executor.key, its)))


def _as_graphs(
    contenders: tuple[Contender | Rejected, ...],
    challenge: Challenge,
    executor: LocalExecutor,
    fresh: bool,
    folder: Path,
) -> tuple[Contender | Rejected, ...]:
    """The contenders by their captured networks, as far as the rules want it."""
    if challenge.capture == "off":
        return contenders
    capturing = Capturing(
        sizes=tuple(sorted({image.size for image in executor.images.lr})),
        count=challenge.complexity_input,
        folder=folder / "graphs",
        logs=folder / "logs",
        protocol=challenge.protocol,
        confinement=executor.isolation.confinement,
        fresh=fresh,
    )
    return captured(contenders, capturing, executor.images.lr, executor.progress)


def _planned(
    contenders: tuple[Contender | Rejected, ...], challenge: Challenge, data: str, logs: Path
) -> dict[str, tuple[Job, ...]]:
    """The jobs of each contender."""
    planned = {
        contender.entry.id: jobs(contender, challenge, data=data, logs=logs)
        for contender in contenders
        if isinstance(contender, Contender)
    }
    return beside(base_of(challenge, planned), planned)


def read_rules(name_or_path: str) -> Challenge:
    """A challenge that can be run here: each dataset and reference that it names is known.

    BadInput with all faults.
    """
    scales = {
        it.id: it.submission.scale for it in catalogue.all_references() if isinstance(it, Entry)
    }
    names = tuple(it.name for it in known())
    at_hand = rulebook.AtHand(names, usual_layouts(), scales)
    return rulebook.read(name_or_path, at_hand)


def read_challenge(request: RunRequest) -> Challenge:
    """The challenge with the request's own rounds, threads and cropping."""
    challenge = read_rules(request.challenge)
    if request.crop is not None:
        challenge = challenge.cropped(request.crop)
    protocol = challenge.protocol
    threads = request.threads or protocol.threads or machine.usable_cores()  # 0 is all
    rounds = request.rounds or protocol.rounds
    return replace(challenge, protocol=replace(protocol, rounds=rounds, threads=threads))
