"""The audits of an entry's measurement, each with what it rests on."""

from __future__ import annotations

from harness.core.audit import CLAIMED
from harness.core.leaderboard import BoardEntry
from harness.render.grid import Grid
from harness.render.text import short

_EVIDENCE = 600  # characters
_WHAT = {
    "clock": "our clock around forwards",
    "collect": "time to fetch an output",
    "repeats": "seen against unseen images",
    "outputs": "output follows the pixels",
    "threads": "processor time of forwards",
    "idle": "at rest after a forward",
    "floor": "machine's peak",
    "references": "clocks and our functions",
    "flags": "global settings",
    "input": "input left alone",
    "precision": "precision of the operators",
}


def audited(entry: BoardEntry) -> Grid:
    """A row for each audit; those that the worker alone can tell say so."""
    rows = tuple(
        (
            audit.id,
            _WHAT[audit.id],
            audit.verdict,
            "worker" if audit.id in CLAIMED else "harness",
            short(audit.evidence, _EVIDENCE),
        )
        for audit in entry.audits
    )
    heads = ("Audit", "Of", "Verdict", "Seen by", "Evidence of the worst round")
    return Grid("Audits of the measurement", heads, rows, words=frozenset(range(5)))
