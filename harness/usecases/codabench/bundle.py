"""The bundle of a challenge for Codabench: what its organiser uploads there."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from string import Template

import numpy as np

from harness.core.challenge import Challenge
from harness.core.outcome import BadInput
from harness.core.progress import SILENT, Progress
from harness.datasets.dataset import Dataset, read_hr, read_lr
from harness.datasets.find import bundled_truths, find_all
from harness.documents import atomic
from harness.pictures.keeper import png
from harness.usecases.codabench.hosted_task import HostedDataset, HostedTask, write_task
from harness.usecases.evaluate import read_rules

TEMPLATES = Path(__file__).parent / "templates"
PAGES = ("overview.md", "terms.md", "README.md", "Dockerfile")
INGEST = "ingest /app/input_data /app/output /app/ingested_program"
SCORE = "score /app/input /app/output"
_STEP = "python3 -P -m harness.usecases.codabench.steps"
_LOGO_PX = 128


def export_codabench(
    rules: str,
    *,
    data_dir: Path | None,
    into: Path,
    image: str,
    progress: Progress = SILENT,
) -> Path:
    """The zip of a bundle, and the folder `into` that it is made of.

    `image` is the container with the harness that both steps run in. LR images go to the ingestion
    step alone, truth to the scoring step alone. BadInput where the folder is not empty, where
    images are missing, and where none has a truth. WriteError where the disk refuses.
    """
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise BadInput(f"{into} is there and not empty: name another folder by --into")
    challenge, found, notes = find_all(read_rules(rules), data_dir)
    for note in notes:
        progress.warn(note)
    truth = {use.name for use in challenge.datasets if use.truth}
    scored = tuple(it for it in found if it.name in truth)
    if not scored:
        raise BadInput(f"no data set of {challenge.id} has HR images, so nothing can be scored")
    installed = set(bundled_truths())
    for data in scored:
        if installed.intersection(pair.hr for pair in data.pairs):
            progress.warn(
                f"The truth of {data.name} is installed with the harness, where a submission can "
                "read it: try the bundle out with it, and rank nobody"
            )
    task = HostedTask(
        title=challenge.title,
        scale=challenge.scale,
        quality_profile=challenge.quality_profile,
        complexity_input=challenge.complexity_input,
        macs=challenge.macs,
        datasets=tuple(
            HostedDataset(it.name, tuple(pair.image for pair in it.pairs)) for it in scored
        ),
        forward_deadline_s=challenge.protocol.forward_deadline_s,
    )
    _write_images(into, scored, task)
    for name, command in (("ingestion_program", INGEST), ("scoring_program", SCORE)):
        text = f"command: {_STEP} {command}\n"
        atomic.write(into / name / "metadata.yaml", text.encode())
    document = competition(challenge, task, image)
    # JSON is YAML as well, and quotes what a title may hold
    atomic.write(into / "competition.yaml", json.dumps(document, indent=2).encode())
    for page in PAGES:
        atomic.write(into / page, _page(page, challenge, image).encode())
    atomic.write(into / "logo.png", png(_logo()))
    return _zipped(into)


def competition(challenge: Challenge, task: HostedTask, image: str) -> dict[str, object]:
    """The description of the competition, version 2 of Codabench's format."""
    return {
        "version": 2,
        "title": challenge.title,
        "description": challenge.description,
        "image": "logo.png",
        "terms": "terms.md",
        "docker_image": image,
        "registration_auto_approve": False,
        "enable_detailed_results": True,
        "make_programs_available": True,
        "make_input_data_available": False,
        "pages": [{"title": "Overview", "file": "overview.md"}],
        "phases": [
            {
                "index": 0,
                "name": "Evaluation",
                "description": "PSNR and SSIM of what the network makes of hidden images",
                "start": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
                "max_submissions_per_day": 5,
                "execution_time_limit": 3600,
                "tasks": [0],
            }
        ],
        "tasks": [
            {
                "index": 0,
                "name": challenge.title,
                "description": f"x{challenge.scale} super-resolution",
                "input_data": "input_data",
                "reference_data": "reference_data",
                "ingestion_program": "ingestion_program",
                "scoring_program": "scoring_program",
                "ingestion_only_during_scoring": False,
            }
        ],
        "leaderboards": [
            {
                "index": 0,
                "title": "Results",
                "key": "main",
                "submission_rule": "Force_Best",
                "columns": [
                    {"index": index, **column} for index, column in enumerate(_columns(task))
                ],
            }
        ],
    }


def _columns(task: HostedTask) -> Iterator[dict[str, object]]:
    for data in task.datasets:
        for key, title, precision in (("psnr", "PSNR [dB]", 2), ("ssim", "SSIM", 4)):
            named = {"key": f"{key}_{data.name}", "title": f"{title} {data.name}"}
            yield {**named, "sorting": "desc", "precision": precision, "hidden": False}
    for key, title in (
        ("params_m", "Params [M], claimed"),
        ("macs_g", "FLOPs [G], claimed"),
        ("runtime_ms", "Runtime [ms], not official"),
    ):
        yield {"key": key, "title": title, "sorting": "asc", "precision": 3, "hidden": False}


def _write_images(folder: Path, found: tuple[Dataset, ...], task: HostedTask) -> None:
    """LR for the first step, truth for the second; both know the task."""
    inputs, truths = folder / "input_data", folder / "reference_data"
    for side in (inputs, truths):
        write_task(side, task)
    for data in found:
        for pair in data.pairs:
            place = f"{data.name}/{pair.image}.png"
            atomic.write(inputs / place, png(read_lr(pair, scale=task.scale)))
            atomic.write(truths / place, png(read_hr(pair, scale=task.scale)))


def _page(name: str, challenge: Challenge, image: str) -> str:
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    words = {"title": challenge.title, "scale": challenge.scale, "id": challenge.id}
    return Template(text).substitute(words, image=image, description=challenge.description)


def _logo() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A ramp, coarse on the left and fine on the right."""
    fine = np.add.outer(np.arange(_LOGO_PX), np.arange(_LOGO_PX)).astype(np.uint8)
    coarse = np.kron(fine[::16, ::16], np.ones((16, 16), np.uint8))
    half = _LOGO_PX // 2
    grey = np.concatenate([coarse[:, :half], fine[:, half:]], axis=1)
    return np.repeat(grey[:, :, None], 3, axis=2)


def _zipped(folder: Path) -> Path:
    path = folder.with_name(f"{folder.name}.zip")
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for file in sorted(it for it in folder.rglob("*") if it.is_file()):
                archive.write(file, file.relative_to(folder))
    except OSError as error:
        raise atomic.refusal(path, error) from error
    return path
