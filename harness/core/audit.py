"""What a worker's process claims of itself, and what audits of a measurement found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal, get_args

from harness.core.values import value

AuditVerdict = Literal["ok", "suspect", "rejected"]
LEVELS: tuple[AuditVerdict, ...] = get_args(AuditVerdict)  # from the best to the worst
AuditId = Literal[
    "clock",  # our own clock around each forward bounds the time that the worker reports
    "collect",  # fetching an output takes as long as its size costs, so no work was put off
    "repeats",  # images that it has seen are not faster than images of the same size it has not
    "outputs",  # the output follows the pixels given, and nothing else
    "scores",  # as good on images that nobody can have stored as where it was scored
    "constants",  # what a graph knows resembles no image that it is scored on
    "counted",  # the network that was timed gives the same output and figures where it is counted
    "threads",  # no more processor time than the declared threads can use
    "idle",  # nothing works on after a forward
    "floor",  # no faster than this machine can multiply, add and write
    "references",  # clocks, synchronisation and our own functions are those from before the load
    "flags",  # no global setting changed after the load
    "input",  # the forward leaves its input alone
    "precision",  # the operators run in the declared precision
]
CLAIMED: tuple[AuditId, ...] = ("references", "flags", "input", "precision")
"""What the worker's process alone can see, and a submission that lies within it can hide."""


@value
class Audit:
    """One audit of one round, or of an entry: `evidence` has the figures in words."""

    id: AuditId
    verdict: AuditVerdict
    evidence: str


def worst(audits: Iterable[Audit]) -> AuditVerdict:
    """The worst verdict; `ok` of none."""
    return max((it.verdict for it in audits), key=LEVELS.index, default="ok")


def combined(audits: Iterable[Audit]) -> tuple[Audit, ...]:
    """Of audits of several rounds the worst one of each kind, the first where equal."""
    order = get_args(AuditId)
    found = sorted(audits, key=lambda it: (order.index(it.id), -LEVELS.index(it.verdict)))
    return tuple(next(of_kind) for _, of_kind in groupby(found, key=lambda it: it.id))


@dataclass(frozen=True)
class ProcessState:
    """Settings that changed since the load, and CUDA memory since the last look."""

    changed: tuple[str, ...] = ()
    cuda_peak_bytes: int = 0
    cuda_reserved_bytes: int = 0
    rebound: tuple[str, ...] = ()  # functions that are no longer those from before the load
    written: int = 0  # forwards that wrote to their input


@dataclass(frozen=True)
class WatchedForward:
    """What a forward worked with."""

    dtypes: dict[str, int] = field(default_factory=dict)  # operators by their floating dtypes
    macs: int = 0  # by the dispatch counter
    input_changed: bool = False
    error: str = ""  # why it could not be watched
