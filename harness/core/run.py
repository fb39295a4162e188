"""A run: which entries were measured under which challenge, and where their records are."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import field
from typing import Literal

from harness.core.challenge import Challenge
from harness.core.leaderboard import RowRole
from harness.core.outcome import Failed
from harness.core.record import Environment, JobKind
from harness.core.submission import Precision, PublishedFigures, WeightsKind
from harness.core.values import value

SCHEMA = 1
MOST_ROUNDS = 1_000_000
FLOOR_ID = "bicubic"  # of the row that no entry may have
_LEFT_OUT = "Left out: "


def _refuse_path(name: str, what: str) -> None:
    """Records lie in files of these names."""
    if not re.fullmatch(r"(?!\.)[\w.-]{1,128}", name, flags=re.ASCII):
        raise ValueError(f"{what} must be the name of a file, got {name!r:.80}")


def left_out(dataset: str, why: str) -> str:
    """The note of a board that goes without a dataset."""
    return f"{_LEFT_OUT}{dataset}, {why}."


def left_out_dataset(note: str) -> str:
    """The dataset that a note of `left_out` is of, "" for any other note."""
    found = re.match(rf"{_LEFT_OUT}([^\s,]+),", note)
    return found.group(1) if found else ""


@value
class JobKey:
    """One process to be run, and the content hash of everything that decides its outcome."""

    job: JobKind
    round: int
    key: str

    def __post_init__(self) -> None:
        _refuse_path(self.key, "key")
        if not 0 <= self.round < MOST_ROUNDS:
            raise ValueError(f"round must be 0 to {MOST_ROUNDS - 1}")


@value
class ListedEntry:
    """An entry of a run. `fault` says why it could not even be started."""

    id: str
    team: str
    title: str
    role: RowRole
    weights: WeightsKind | Literal[""] = ""  # "": no weights of a model, as of the floor
    remedy: str = ""  # of a reference without trained weights: how they are had
    precision: Precision = "fp32"
    channels_last: bool = False
    compile: bool = False
    fault: Failed | None = None
    published: tuple[PublishedFigures, ...] = ()
    params: int = 0  # of the code of an entry that was captured, as it was loaded; 0: not told
    notes: tuple[str, ...] = ()  # of the load of that code
    as_code: str = ""  # why it was measured by its own code; "" is by its captured graph
    jobs: tuple[JobKey, ...] = ()

    def __post_init__(self) -> None:
        _refuse_path(self.id, "id")


@value
class Run:
    """What a board is made of, with the records: enough to draw it again without measuring."""

    session: str
    started: str  # ISO 8601, UTC
    challenge: Challenge  # with the columns that could be measured
    entries: tuple[ListedEntry, ...]
    environment: Environment
    notes: tuple[str, ...] = ()
    schema: int = field(default=SCHEMA)

    def lacked(self, dataset: str) -> bool:
        """Whether it left the dataset out; notes are all that a run's file has to tell it by."""
        return dataset in map(left_out_dataset, self.notes)

    def __post_init__(self) -> None:
        times = Counter(it.id for it in self.entries)
        if twice := sorted(name for name, number in times.items() if number > 1):
            raise ValueError(f"entries stand twice: {', '.join(twice)}")
