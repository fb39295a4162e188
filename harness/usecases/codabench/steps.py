"""The two steps that Codabench runs, each in a container of its own.

Ingestion has the submission and LR images, scoring has the outputs and the truth. Whatever the
first leaves may be of the submission's making: the second reads the images that the task names,
and draws the rest as claims.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

from harness.core.challenge import TimingProtocol
from harness.core.outcome import BadInput, Failed
from harness.core.record import CountFigures
from harness.datasets.image_files import read_header, read_image
from harness.datasets.image_header import ImageFileError
from harness.documents import atomic, plain_file
from harness.entries.catalogue import Entry, read_folder
from harness.measure import loads
from harness.measure.session import LrImage, Session, Task
from harness.measure.tasks import ask_worker, tried
from harness.pictures.keeper import png
from harness.quality.profile import PROFILES
from harness.quality.score import Quality, score
from harness.render.hosted_page import HostedScore, hosted_page
from harness.sandbox.isolation import Isolation, choose
from harness.usecases.codabench.hosted_task import (
    Claims,
    HostedTask,
    read_claims,
    read_task,
    write_claims,
)
from harness.usecases.intake import take_in

_MOST_BESIDE = 1 << 20  # bytes of an output beside its pixels, where nothing could be packed
SCORES, PAGE = "scores.json", "detailed_results.html"  # as Codabench calls them


def main() -> None:
    """`python -m harness.usecases.codabench.steps ingest|score FOLDER ...`; 1 with the reason."""
    steps: dict[str, Callable[..., None]] = {"ingest": ingest, "score": score_outputs}
    try:
        steps[sys.argv[1]](*map(Path, sys.argv[2:]))
    except BadInput as error:
        raise SystemExit(f"{sys.argv[1]}: {error}") from None


def ingest(input_data: Path, output: Path, program: Path) -> None:
    """Run the submission in `program` on the LR images; its outputs go to `output`.

    BadInput with everything that is wrong with it, and with the reason of a failure.
    """
    task = read_task(input_data)
    for path in output.iterdir():  # Codabench puts the submission's own files there
        path.unlink() if path.is_symlink() or not path.is_dir() else shutil.rmtree(path)
    with tempfile.TemporaryDirectory() as place:
        entry = _entry(program, Path(place) / "entries", task)
        protocol = TimingProtocol(forward_deadline_s=task.forward_deadline_s)
        ready = loads.contender(entry, protocol)
        if not isinstance(ready, loads.Contender):
            raise BadInput(ready.failure.message)
        isolation = choose("auto", hidden=(output,))
        if isolation.note:  # Codabench keeps what is printed, and the page the claims' notes
            sys.stderr.write(f"{isolation.note}\n")
        job = Task(ready.load, protocol, Path(place) / "log", isolation.confinement)

        def run(session: Session) -> Claims:
            seconds = _outputs(session, task, input_data, output)
            counted = tried(session.count, *task.complexity_input)
            return _claims(entry, task, counted, fmean(seconds), isolation)

        claims = ask_worker(job, run)
        if isinstance(claims, Failed):
            raise BadInput(claims.told)
    write_claims(output, claims)


def score_outputs(folder: Path, output: Path) -> None:
    """Compare `folder`/res with `folder`/ref; scores.json and a page go to `output`.

    BadInput for an output that is missing, damaged or of the wrong size.
    """
    task, claims = read_task(folder / "ref"), read_claims(folder / "res")
    scores = tuple(
        HostedScore(data.name, image, _quality(task, folder, f"{data.name}/{image}.png"))
        for data in task.datasets
        for image in data.images
    )
    figures: dict[str, float] = {}
    for data in task.datasets:
        its = [it.quality.finite() for it in scores if it.dataset == data.name]
        for name, key in (("psnr_db", "psnr"), ("ssim", "ssim")):
            figures[f"{key}_{data.name}"] = fmean(it[name] for it in its)
    figures |= {"params_m": claims.params / 1e6, "runtime_ms": claims.runtime_s * 1e3}
    if claims.macs is not None:
        figures["macs_g"] = claims.macs / 1e9
    page = hosted_page(task.title, (claims.team, claims.title), figures, scores, claims.notes)
    atomic.write(output / PAGE, page.encode())
    atomic.write(output / SCORES, json.dumps(figures, allow_nan=False).encode())


def _entry(program: Path, into: Path, task: HostedTask) -> Entry:
    """The submission's entry of the task's scale."""
    found = read_folder(take_in(program, into).folder)
    for candidate in found:
        if isinstance(candidate, Entry) and candidate.submission.scale == task.scale:
            return candidate
    faults = [line for it in found if not isinstance(it, Entry) for line in it.faults]
    raise BadInput("\n".join(faults) or f"no entry of the submission is x{task.scale}")


def _outputs(session: Session, task: HostedTask, input_data: Path, output: Path) -> list[float]:
    """Seconds of each image's forward, after one that warms up."""
    seconds: list[float] = []
    names = [(data.name, image) for data in task.datasets for image in data.images]
    for dataset, image in names:
        place = f"{dataset}/{image}.png"
        lr = LrImage(dataset, image, read_image(input_data / place))
        if not seconds:
            session.reply(lr)
        reply = session.reply(lr)
        seconds.append(reply.seconds)
        atomic.write(output / place, png(reply.pixels))
    return seconds


def _claims(
    entry: Entry,
    task: HostedTask,
    counted: CountFigures | Failed,
    runtime_s: float,
    isolation: Isolation,
) -> Claims:
    if isinstance(counted, Failed):
        raise BadInput(counted.told)
    counter = counted.counts.counter(task.macs)
    return Claims(
        id=entry.id,
        team=entry.team,
        title=entry.submission.name,
        params=counted.counts.params,
        macs=counter.macs if counter else None,
        runtime_s=runtime_s,
        isolation=isolation.confinement.name,
        notes=(*filter(None, (isolation.note,)), *counted.notes),
    )


def _quality(task: HostedTask, folder: Path, place: str) -> Quality:
    """Of one output; its header is looked at before its pixels are."""
    truth, res = read_image(folder / "ref" / place), (folder / "res").resolve()
    path = res / place
    if path.resolve() != path or plain_file.kind(path) != plain_file.PLAIN:  # no link to the truth
        raise BadInput(f"there is no output {place}")
    if path.stat().st_size > truth.size + _MOST_BESIDE:  # all of it would be read
        raise BadInput(f"{place} is larger than an image of its size can be")
    try:
        header = read_header(path)
        if (header.height, header.width) != truth.shape[:2]:
            raise BadInput(f"{place} is {header.height}x{header.width}, not {truth.shape[:2]}")
        output = read_image(path)
    except ImageFileError as error:
        raise BadInput(f"{place} {error}") from None
    return score(output, truth, profile=PROFILES[task.quality_profile], scale=task.scale)


if __name__ == "__main__":
    main()
