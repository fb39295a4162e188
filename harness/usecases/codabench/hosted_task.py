"""The files by which the bundle and its two steps know each other."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import Literal

from harness.core.counter_registry import Convention
from harness.core.outcome import BadInput
from harness.core.submission import NAME_CAP, text_faults
from harness.core.values import finite_value, refuse, value
from harness.documents import atomic, plain_file, typed

TASK = "task.json"  # in what both steps are given
CLAIMS = "claims.json"  # among what the first step leaves
_CLAIMS_CAP = 1024 * 1024  # bytes
_MOST = 10**18  # parameters, multiply-adds, seconds


@value
class HostedDataset:
    """A data set by its name, and those of its images."""

    name: str
    images: tuple[str, ...]


@value
class HostedTask:
    """What an entry is run on and how its outputs are scored; no path, and no pixel."""

    title: str
    scale: int
    quality_profile: Literal["ntire", "classic-y"]
    complexity_input: tuple[int, int]  # LR height and width
    macs: Convention
    datasets: tuple[HostedDataset, ...]
    forward_deadline_s: float


@finite_value
class Claims:
    """What the first step says of an entry, which ran beside it: nobody checks these figures."""

    id: str
    team: str
    title: str
    params: int
    macs: int | None
    runtime_s: float  # mean over all images of one forward each
    isolation: str
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        figures = (self.params, self.macs or 0, self.runtime_s)
        refuse(
            {"figures must be those of a network": not 0 <= min(figures) <= max(figures) < _MOST},
            *(text_faults(getattr(self, it), it, NAME_CAP) for it in ("id", "team", "title")),
        )


def write_task(folder: Path, task: HostedTask) -> None:
    """WriteError where the disk refuses."""
    atomic.write(folder / TASK, typed.adapter(HostedTask).dump_json(task, indent=2))


def read_task(folder: Path) -> HostedTask:
    """BadInput where a folder does not come from a bundle of ours."""
    try:
        return typed.adapter(HostedTask).validate_json((folder / TASK).read_bytes(), strict=True)
    except (OSError, ValueError) as error:
        raise BadInput(f"{folder / TASK} is not that of `esr export codabench`: {error}") from None


def write_claims(folder: Path, claims: Claims) -> None:
    """WriteError where the disk refuses."""
    atomic.write(folder / CLAIMS, typed.adapter(Claims).dump_json(claims))


def read_claims(folder: Path) -> Claims:
    """BadInput for what nobody can draw: the entry may have written the file itself."""
    path = folder / CLAIMS
    if plain_file.kind(path) != plain_file.PLAIN:
        raise BadInput(f"the ingestion step left no {CLAIMS}")
    try:
        data = plain_file.read(path, _CLAIMS_CAP)
        return typed.adapter(Claims).validate_json(data, strict=True)
    except (OSError, ValueError):
        raise BadInput(f"{CLAIMS} is none that the ingestion step writes") from None
