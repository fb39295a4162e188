"""Images seen before against images of the same size that were never seen."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from harness.audits.thresholds import DOUBT_RATIO, REJECTED_RATIO, REPEATS_S, SUSPECT_RATIO
from harness.core.audit import Audit, AuditVerdict


def doubtful(seen: Sequence[float], unseen: Sequence[float]) -> bool:
    """Whether a second look is worth its time."""
    return _apart(seen, unseen, DOUBT_RATIO)


def repeats(seen: Sequence[float], unseen: Sequence[float]) -> Audit:
    """Whether every unseen image took longer than any seen one, and by much."""
    verdict: AuditVerdict = "ok"
    if _apart(seen, unseen, SUSPECT_RATIO):
        verdict = "rejected" if _apart(seen, unseen, REJECTED_RATIO) else "suspect"
    evidence = (
        f"an image seen before {_ms(median(seen))}, unseen ones of its size {_ms(median(unseen))}, "
        f"medians of {len(seen)} and {len(unseen)} in drawn order"
    )
    return Audit("repeats", verdict, evidence)


def _apart(seen: Sequence[float], unseen: Sequence[float], ratio: float) -> bool:
    return min(unseen) > ratio * max(seen) and min(unseen) - max(seen) > REPEATS_S


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms"
