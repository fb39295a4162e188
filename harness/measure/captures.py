"""From an entry's code to its network as a graph: captured, proved and kept, once an entry.

The worker that holds the code sends the graph; another one, which never sees the code, reads it.
The graph stands for the entry if both give the same outputs of images drawn here.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import numpy as np

from harness.audits.fresh_images import Draw
from harness.core.challenge import TimingProtocol
from harness.core.outcome import Failed
from harness.core.progress import Progress
from harness.documents import atomic
from harness.documents.typed import adapter
from harness.entries.catalogue import Rejected
from harness.machine import environment as machine
from harness.measure.answer_validation import told_notes
from harness.measure.jobs import content_digest, told
from harness.measure.loads import CaptureOutcome, Contender
from harness.measure.session import LrImage, OutputReply, Session, Task
from harness.measure.tasks import ask_worker, outputs, run_outputs
from harness.measure.worker_group import concurrently
from harness.sandbox.confinement import Confinement
from harness.wire.messages import Load

CAPTURING = 3  # raise it when a change makes older graphs incomparable
DIFFERENT = 1e-3
"""Share of an output's subpixels that may differ, by one level of 255 at most: kernels that are
chosen by the memory layout of their input sum in another order."""
_PROOFS = 2  # images of different sizes


@dataclass(frozen=True)
class KeptCapture:
    """The digest of an entry's graph and how it is loaded, or why it has none.

    `graphs` is the number of sizes with a graph of their own, 0 where one serves all.
    """

    digest: str = ""
    graphs: int = 0
    as_code: str = ""
    data_range: float = 0.0
    tile: int = 0
    tile_overlap: int = 0
    seeded: bool = False
    params: int = 0  # of the module before its first forward; 0 in older files
    notes: tuple[str, ...] = ()  # of the load of its code


@dataclass(frozen=True)
class Capturing:
    """What graphs are captured for: images of these sizes, and a count; `folder` keeps them."""

    sizes: tuple[tuple[int, int], ...]
    count: tuple[int, int]
    folder: Path
    logs: Path
    protocol: TimingProtocol
    confinement: Confinement
    fresh: bool = False
    idle_cores: bool = False  # for a second worker beside that of an entry's code


def captured(
    candidates: Sequence[Contender | Rejected],
    capturing: Capturing,
    images: tuple[LrImage, ...],
    progress: Progress,
) -> tuple[Contender | Rejected, ...]:
    """Each contender as its graph, or as code with the reason; one a core at a time.

    Images for the proof are drawn of `images`. Whatever goes wrong in an entry's code leaves it as
    code: its own jobs will say what it is.
    """
    progress.stage("Capturing", len(candidates))
    cores = machine.usable_cores()
    capturing = dataclasses.replace(capturing, idle_cores=cores >= 2 * len(candidates))

    def one(candidate: Contender | Rejected) -> Contender | Rejected:
        found = candidate
        if isinstance(candidate, Contender):
            found = as_graph(candidate, capturing, images)
        progress.done()
        return found

    return tuple(concurrently(one, candidates, workers=cores))


def as_graph(contender: Contender, capturing: Capturing, images: tuple[LrImage, ...]) -> Contender:
    """The contender as its graph, or as code with the reason."""
    kept = capture(contender, capturing, images)
    if not kept.digest:
        return dataclasses.replace(contender, captured=CaptureOutcome(as_code=kept.as_code))
    load = _graph_load(contender.load, kept, capturing.folder)
    outcome = CaptureOutcome(
        digest=kept.digest, graphs=kept.graphs, params=kept.params, notes=kept.notes
    )
    return dataclasses.replace(contender, load=load, captured=outcome)


def capture(contender: Contender, capturing: Capturing, images: tuple[LrImage, ...]) -> KeptCapture:
    """What comes of one entry's capture, or came of it before."""
    task = Task(
        dataclasses.replace(contender.load, threads=1, compile=False),
        capturing.protocol,
        capturing.logs / contender.entry.id / "capture.log",
        capturing.confinement,
    )
    path = _path(contender, task, capturing)
    kept = None if capturing.fresh else _known(path)
    if kept is None:
        taken = _taken(task, capturing, images)
        if isinstance(taken, Failed):  # it may have been the moment's: the next run tries again
            return KeptCapture(as_code=taken.told)
        kept = taken
        atomic.write(path, adapter(KeptCapture).dump_json(kept))
    return kept


def _path(contender: Contender, task: Task, capturing: Capturing) -> Path:
    """Where the outcome is kept: by the hash of everything that decides it."""
    content: dict[str, object] = {
        "version": CAPTURING,
        "entry": contender.entry.digest,
        "weights": contender.weights.digest,
        "load": told(task.load),
        "sizes": capturing.sizes,
        "count": capturing.count,
        "libraries": machine.versions(machine.COUNTING),
        "isolation": task.confinement.name,
    }
    return capturing.folder / f"{content_digest(content)}.json"


def _known(path: Path) -> KeptCapture | None:
    try:
        kept = adapter(KeptCapture).validate_json(path.read_bytes(), strict=True)
        whole = not kept.digest or _digest(_file(path.parent, kept).read_bytes()) == kept.digest
    except (OSError, ValueError):  # absent, torn or of another version
        return None
    return kept if whole else None


def _taken(task: Task, capturing: Capturing, images: tuple[LrImage, ...]) -> KeptCapture | Failed:
    """Ask the code for its graph and both for the same images."""
    return ask_worker(task, lambda code: _proved(code, capturing, _drawn(images)))


def _proved(
    code: Session, capturing: Capturing, shown: tuple[LrImage, ...]
) -> KeptCapture | Failed:
    answer, graph = code.capture(capturing.sizes, capturing.count)
    if answer.error:
        return KeptCapture(as_code=" ".join(answer.error.split())[:300])
    task = code.task
    # of a submission its manifest says these, and nobody else
    said = code.ready if task.load.form == "ntire" else task.load
    kept = KeptCapture(
        digest=_digest(graph),
        graphs=answer.graphs,
        data_range=said.data_range,
        tile=said.tile,
        tile_overlap=said.tile_overlap,
        params=code.ready.params,
        notes=told_notes(code.ready.notes),
        seeded=code.ready.untrained if task.load.form == "ntire" else not task.load.weights,
    )
    atomic.write(_file(capturing.folder, kept), graph)
    load = _graph_load(task.load, kept, capturing.folder)
    log = task.log.with_name(f"{task.log.stem}-proof.log")
    reading = dataclasses.replace(task, load=load, log=log)

    def asked(one: Session | Task) -> tuple[OutputReply | Failed, ...] | Failed:
        return outputs(one, shown) if isinstance(one, Session) else run_outputs(one, shown)

    both: tuple[Session | Task, ...] = (code, reading)
    own, its = concurrently(asked, both, workers=2 if capturing.idle_cores else 1)
    if isinstance(own, Failed):
        return own
    if isinstance(its, Failed):
        return dataclasses.replace(its, message=f"its graph can't be read: {its.message}")
    why = next(_differences(shown, own, its), None)
    return KeptCapture(as_code=why) if why else kept


def _drawn(images: tuple[LrImage, ...]) -> tuple[LrImage, ...]:
    """Images for the proof: the smallest of the challenge, changed so that nobody has seen them."""
    draw = Draw()
    by_size = {image.size: image for image in images}
    smallest = sorted(by_size.values(), key=attrgetter("area"))[:_PROOFS]
    return tuple(image.showing(draw.fresh(image.pixels).shown) for image in smallest)


def _differences(
    shown: tuple[LrImage, ...],
    code: tuple[OutputReply | Failed, ...],
    graph: tuple[OutputReply | Failed, ...],
) -> Iterator[str]:
    """In what the graph's outputs are not its code's; an image that the code refuses tells none."""
    for image, own, its in zip(shown, code, graph, strict=True):
        if isinstance(own, Failed):
            continue
        where = f"at {image.size[0]}x{image.size[1]} LR pixels its graph gives"
        if isinstance(its, Failed):
            yield f"{where} no output: {its.message}"
            continue
        apart = np.abs(own.pixels.astype(np.int16) - its.pixels)
        if apart.max(initial=0) > 1 or np.count_nonzero(apart) > DIFFERENT * apart.size:
            yield f"{where} another output than its code, by up to {apart.max()} levels of 255"
    refused = [own for own in code if isinstance(own, Failed)]
    if len(refused) == len(code):
        why = refused[0].message if refused else "no images"
        yield f"its code gave no output to compare its graph's with: {why}"


def _graph_load(load: Load, kept: KeptCapture, folder: Path) -> Load:
    """How the graph is loaded: run as the entry declares, and without a file of it."""
    return dataclasses.replace(
        load,
        form="graph",
        folder="",
        packages="",
        entry="",
        kwargs="{}",
        weights=str(_file(folder, kept).absolute()),
        weights_key="",
        strip_prefix="",
        ignore_keys=(),
        deploy="deployed" if load.deploy else "",
        seeded=kept.seeded,
        data_range=kept.data_range,
        tile=kept.tile,
        tile_overlap=kept.tile_overlap,
    )


def _file(folder: Path, kept: KeptCapture) -> Path:
    return folder / f"{kept.digest}.safetensors"


def _digest(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()
