"""Processor time of a worker and its children, seen from outside: the worker has no part in it."""

from __future__ import annotations

from collections.abc import Sequence

from harness.audits.exchange import Exchange
from harness.audits.thresholds import (
    EXTRA_THREADS,
    IDLE_SHARE,
    IDLE_WINDOW_S,
    THREADS_LEAST_S,
)
from harness.core.audit import Audit, AuditVerdict


def threads(exchanges: Sequence[Exchange], allowed: int) -> Audit | None:
    """Whether forwards used more processor time than `allowed` threads can; None if untold."""
    told = [it for it in exchanges if it.cpu_s is not None]
    wall_s = sum(it.wall_s for it in told)
    if not told:
        return None
    used = sum(it.cpu_s or 0.0 for it in told) / wall_s
    evidence = f"{used:.2f} cores over {wall_s:.2f} s of forwards, {allowed} declared"
    if wall_s < THREADS_LEAST_S:
        return Audit("threads", "ok", f"{evidence}: too short to tell")
    level: AuditVerdict = "suspect" if used > allowed + EXTRA_THREADS else "ok"
    return Audit("threads", level, evidence)


def idle(shares: Sequence[float] | None) -> Audit | None:
    """Whether the worker is at work although nothing was asked of it; None if untold.

    `shares` of a core were used in looks one after the other, which end when the worker rests: only
    one that never does is suspect.
    """
    if shares is None:
        return None
    seconds = len(shares) * IDLE_WINDOW_S
    if shares[-1] <= IDLE_SHARE:
        text = f"{100 * shares[-1]:.0f} % of a core {seconds:.1f} s after a forward"
        return Audit("idle", "ok", text)
    text = f"{min(shares):.2f} cores or more for {seconds:.1f} s after a forward had ended"
    return Audit("idle", "suspect", text)
