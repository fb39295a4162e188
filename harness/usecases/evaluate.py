"""Measure every entry and the references alike, keep what is known, and rank."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from harness.board.build import build
from harness.board.store import Store
from harness.core.challenge import Challenge, CropRule
from harness.core.leaderboard import Leaderboard
from harness.core.outcome import BadInput
from harness.core.phrasing import listed as listed_names
from harness.core.progress import SILENT, Progress
from harness.core.run import Run
from harness.datasets.find import find_all, truth_folders
from harness.datasets.known import known, usual_layouts
from harness.engines.choice import Elsewhere
from harness.entries import catalogue, one_file, weights
from harness.entries.catalogue import SUBMISSIONS, Entry, Rejected
from harness.entries.participants import participants, submitted
from harness.machine import environment as machine
from harness.measure import loads
from harness.measure.captures import Capturing, captured
from harness.measure.loads import Contender
from harness.measure.local_executor import LocalExecutor
from harness.measure.run_images import keeper_of
from harness.measure.shards import NodeSetting
from harness.pictures.keeper import FOLDER, PictureFolder
from harness.pictures.wishes import Extent, extents, parse, withheld
from harness.rules import rulebook
from harness.sandbox.isolation import SandboxMode
from harness.usecases.missing_pictures import complete
from harness.usecases.run_elsewhere import Dispatching, dispatch, refuse_elsewhere
from harness.usecases.run_plan import ready
from harness.usecases.run_rounds import measure, now
from harness.usecases.set_up import executor_here


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
    untimed: bool = False  # counts and scores alone, without audits
    sandbox: SandboxMode = "auto"
    ntire: Path | None = None  # an official checkout
    ids: tuple[int, ...] | None = None  # of its entries; None: all
    requirements: Path | None = None  # file of packages that they need, locked
    spandrel: bool = False  # checkpoints among the entries are networks that spandrel knows
    keep_images: tuple[str, ...] = ()  # pictures of outputs: all, crops, a number; all:DATASET
    crop: CropRule | None = None  # how truth is cut to LR; None: as the challenge says
    elsewhere: Elsewhere = field(default_factory=Elsewhere)  # what measures, if not this process


def evaluate(request: RunRequest, progress: Progress = SILENT) -> Leaderboard:
    """The ranked board of a request; every finished process is on disk before the next starts.

    Raises BadInput for what was asked wrongly; a submission's own failure is a row. WriteError when
    the reports folder can't be written.
    """
    _refuse_nonsense(request)
    machine.share_heap()
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
    setting = NodeSetting(
        device=request.device,
        threads=challenge.protocol.threads,
        sandbox=request.sandbox,
        data_dir="" if request.data_dir is None else str(request.data_dir.absolute()),
        hidden=tuple(str(it.absolute()) for it in hidden),
    )
    # graphs are captured here, which needs no device
    own = setting if request.elsewhere.here else replace(setting, device="cpu")
    executor = executor_here(challenge, found, own, progress, notes)
    folder = request.reports / challenge.id
    kept = _kept(request, challenge, progress)
    contenders = _as_graphs(_on(own.device, contenders), challenge, executor, request.fresh, folder)
    contenders = _on(request.device, contenders)
    run = Run(
        session=f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}",
        started=now(),
        challenge=challenge,
        entries=(),
        environment=executor.environment,
        notes=executor.images.notes,
    )
    store = Store(folder / "records", progress.warn)
    pictures = PictureFolder(folder / FOLDER)
    with store.locked():
        pictures.sweep({use.name for use in challenge.datasets if not use.shown})
        if kept:
            executor.keeper = keeper_of(kept, challenge, executor.images, pictures)
        if request.elsewhere.here:
            run = _measured(request, run, contenders, executor, store)
        else:
            there = Dispatching(
                request.elsewhere,
                setting,
                executor,
                store,
                fresh=request.fresh,
                timed=not request.untimed,
            )
            run = dispatch(there, run, contenders)
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


def _refuse_nonsense(request: RunRequest) -> None:
    loads.refuse_device(request.device)
    if request.budget_s is not None and request.budget_s <= 0.0:
        raise BadInput(f"budget must be above 0 seconds, got {request.budget_s:g}")
    if request.untimed and (request.budget_s is not None or request.keep_images):
        raise BadInput("--untimed has no rounds that --budget or --keep-images could be about")
    refuse_elsewhere(request.elsewhere, budget=request.budget_s, pictures=request.keep_images)


def _on(
    device: str, contenders: tuple[Contender | Rejected, ...]
) -> tuple[Contender | Rejected, ...]:
    """The contenders, to be loaded on a device."""
    return tuple(
        replace(it, load=replace(it.load, device=device)) if isinstance(it, Contender) else it
        for it in contenders
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
    ends = time.monotonic() + (request.budget_s or 0.0)
    new = run.challenge.protocol.rounds
    while True:
        began = time.monotonic()
        context, planned = ready(
            run, contenders, executor, store, fresh=request.fresh, timed=not request.untimed
        )
        run = context.run
        measure(context, planned)
        if executor.keeper:
            complete(context, [its[1] for its in planned], executor.keeper)
        round_s = (time.monotonic() - began) / new
        if time.monotonic() + round_s > ends or not open_ranks(build(run, store)):
            return run
        protocol, new = run.challenge.protocol, 1
        protocol = replace(protocol, rounds=protocol.rounds + 1)
        run = replace(run, challenge=replace(run.challenge, protocol=protocol))


def open_ranks(board: Leaderboard) -> bool:
    """Whether more rounds could tell ranked rows apart."""
    spans = [row.runtime_span for row in board.rows if row.ranked]
    return len(spans) > 1 and any(it is None or it.first != it.last for it in spans)


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
