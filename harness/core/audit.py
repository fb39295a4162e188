"""What an audit of a measurement found: a verdict, and the figures that it rests on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

from harness.core.values import value

AuditVerdict = Literal["ok", "suspect", "rejected"]
LEVELS: tuple[AuditVerdict, ...] = get_args(AuditVerdict)  # from the best to the worst
AuditId = Literal[
    "clock",  # our own clock around each forward bounds the time that the worker reports
    "collect",  # fetching an output takes as long as its size costs, so no work was put off
    "repeats",  # images that it has seen are not faster than images of the same size it has not
    "outputs",  # the output follows the pixels given, and nothing else
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
    found: dict[str, Audit] = {}
    for audit in audits:
        known = found.get(audit.id)
        if known is None or LEVELS.index(audit.verdict) > LEVELS.index(known.verdict):
            found[audit.id] = audit
    order: tuple[str, ...] = get_args(AuditId)
    return tuple(sorted(found.values(), key=lambda it: order.index(it.id)))


def flagged(audits: Iterable[Audit]) -> tuple[Audit, ...]:
    """Those that are not `ok`."""
    return tuple(it for it in audits if it.verdict != "ok")
