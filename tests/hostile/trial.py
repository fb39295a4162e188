"""Run the corpus, as `esr run` would run each entry's round, and see what came of it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fakes.audited import flagged
from fakes.challenges import write_challenge

from harness.core.outcome import Failed
from harness.core.record import Calibration, ImageScore, RoundFigures
from harness.datasets.find import find_all
from harness.entries import catalogue
from harness.measure import loads
from harness.measure.calibration import null, take
from harness.measure.captures import Capturing, as_graph
from harness.measure.run_images import RunImages, Scorer, gather
from harness.measure.session import Task
from harness.measure.stored_images import stored_images
from harness.measure.turns import BlockMember, run_block
from harness.measure.worker_group import concurrently
from harness.sandbox.confinement import Confinement
from harness.usecases.evaluate import RunRequest, read_challenge

from . import corpus
from .corpus import Hostile
from .world import Outcome, World, laid_out

DEADLINE_S = 20.0  # of a forward: some of what is tried takes a while on a busy machine
REMARK = 110  # characters
# what is another in each run, or on each machine
CHANGING = (
    (r"/\S*?/(world|site-packages)/", "…/"),
    (r"/proc/\d+", "/proc/N"),
    (r"within [0-9.e-]+ s", "within … s"),
    (r"(psm_|tmp|mark-)[0-9a-z_]{8,}", r"\1…"),
    (r"(\[Errno \d+\]|RuntimeError MET) ", ""),
)


AUDITED = ("unflagged", "faster")  # successes that audits are to see


@dataclass(frozen=True)
class Tried:
    """What became of an entry."""

    entry: Hostile
    succeeded: bool
    outcome: Outcome
    stopped_by: str
    graph: bool = False  # what was measured is its captured network

    @property
    def became(self) -> str:
        """`succeeds`, `held`, or `flagged`: it went through, and the board says what is odd."""
        if self.succeeded:
            return "succeeds"
        if self.graph and self.entry.group == "timing":
            return "held"
        judged = self.entry.success in AUDITED and isinstance(self.outcome, RoundFigures)
        return "flagged" if judged and flagged(self.outcome.audits) else "held"


@dataclass(frozen=True)
class Results:
    """Of the whole corpus, and of the honest entry beside it."""

    tried: tuple[Tried, ...]
    honest: tuple[Outcome, ...]  # alone before the others, and beside them


def run(
    entries: Sequence[Hostile],
    root: Path,
    confinement: Confinement,
    *,
    workers: int = 2,
    capture: bool = False,
    told: Callable[[str], None] = lambda _: None,
) -> Results:
    """Each entry in a worker of its own under `confinement`; the honest one first and amid them.

    As code, or with `capture` as what is captured of it where that is possible.
    """
    with laid_out(root) as world:
        measure = _measuring(world, confinement, capture=capture)
        honest = corpus.lay_out_honest(root / "entries")
        alone, _ = measure(honest)

        def one(entry: Hostile | None) -> Tried | Outcome:
            if entry is None:
                return measure(honest)[0]
            folder = corpus.lay_out(entry, root / "entries", world.targets)
            world.remember(entry.id, folder) if entry.success == "changed:own" else None
            began = time.monotonic()
            outcome, graph = measure(folder)
            took_s = time.monotonic() - began
            # a network has none of what its code would do while it is timed
            timed = graph and entry.group == "timing"
            succeeded = not timed and world.succeeded(entry, outcome, took_s)
            stopped_by = "" if timed else _stopped_by(world, entry, outcome)
            tried = Tried(entry, succeeded, outcome, stopped_by, graph)
            told(f"{entry.id}: {tried.became}, {took_s:.1f} s")
            return tried

        middle = len(entries) // 2
        order = [*entries[:middle], None, *entries[middle:]]
        found = concurrently(one, order, workers=workers)
        tried = tuple(it for it in found if isinstance(it, Tried))
        beside = tuple(it for it in found if not isinstance(it, Tried))
        return Results(tried, (alone, *beside))


def scores(outcome: Outcome) -> tuple[ImageScore, ...]:
    """What an honest round was worth."""
    assert isinstance(outcome, RoundFigures), outcome
    return outcome.scores


def _measuring(
    world: World, confinement: Confinement, *, capture: bool
) -> Callable[[Path], tuple[Outcome, bool]]:
    rules = write_challenge(world.root / "tiny.toml", deadline_s=DEADLINE_S, audits=True)
    challenge = read_challenge(RunRequest(challenge=str(rules)))
    challenge, found, notes = find_all(challenge, world.root / "data")
    material: RunImages = gather(challenge, found, notes)
    judge = Scorer(challenge, material)
    threads = challenge.protocol.threads
    without = null(device="cpu", threads=threads)
    log = world.log_path("calibration")
    calibration = take(Task(without, challenge.protocol, log, confinement))
    assert isinstance(calibration, Calibration), calibration

    capturing = Capturing(
        sizes=tuple({image.size: None for image in material.lr}),
        count=challenge.complexity_input,
        folder=world.root / "graphs",
        logs=world.root / "logs",
        protocol=challenge.protocol,
        confinement=confinement,
    )

    def measure(folder: Path) -> tuple[Outcome, bool]:
        (candidate,) = catalogue.read_folder(folder)
        ready = loads.contender(candidate, challenge.protocol)
        if isinstance(ready, catalogue.Rejected):
            return ready.failure, False
        if capture:
            ready = as_graph(ready, capturing, material.lr)
        task = Task(
            ready.load,
            challenge.protocol,
            world.log_path(folder.name),
            confinement,
            calibration=calibration,
            thorough=True,
        )
        outcome = run_block([BlockMember(folder.name, task, judge)], material.lr, judge)[
            folder.name
        ]
        if isinstance(outcome, RoundFigures) and not task.as_code:
            stored = stored_images(Path(task.load.weights), material.lr, judge, task.load.scale)
            outcome = replace(outcome, audits=(*outcome.audits, *filter(None, (stored,))))
        return outcome, not task.as_code

    return measure


def _stopped_by(world: World, entry: Hostile, outcome: Outcome) -> str:
    """The failure that it became; or, of a round that went through, the error that it met."""
    if isinstance(outcome, Failed):
        text = f"{outcome.reason.replace('_', ' ')}: {outcome.message}"
    elif entry.success in AUDITED and flagged(outcome.audits):
        doubts = [f"{it.id} ({it.verdict})" for it in flagged(outcome.audits)]
        text = f"audits: {', '.join(doubts)}"
    else:
        met = [line for line in world.log(entry.id).splitlines() if line.startswith("MET ")]
        text = met[0].removeprefix("MET ") if met else entry.kept_by
    for pattern, stand_in in CHANGING:
        text = re.sub(pattern, stand_in, text)
    return text[:REMARK]
