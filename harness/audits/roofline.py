"""No forward is faster than the machine can multiply, add and write: derived from what is stored.

The work is the least that counts allow: of disputed figures the smallest, of two sizes the smaller
cost per pixel, and nothing for what no counter could count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.audits.thresholds import ROOFLINE_FACTOR
from harness.core.audit import Audit, AuditVerdict, combined
from harness.core.counter_registry import COMPARED
from harness.core.model_counts import Counts
from harness.core.record import RoundFigures

_BYTES = 4  # of a value in float32; half of it where a manifest declares half precision


def floor(counts: Counts | None, rounds: Sequence[RoundFigures], *, scale: int) -> Audit | None:
    """Whether the reported seconds are too few; None without rounds that have a calibration.

    The same is asked of windows in which energy was read, for the forwards claimed to be in them.
    Faster than the declared precision can be is suspect (8-bit arithmetic may explain it), faster
    than any precision that this machine has is rejected.
    """
    measured = [it for it in rounds if it.yardstick is not None and it.samples]
    found = combined(audit for it in measured for audit in _of_round(counts, it, scale))
    return found[0] if found else None


def least_macs_per_pixel(counts: Counts | None) -> float:
    """Multiply-adds of convolutions and matrix products for an LR pixel, at least; 0 if unknown."""
    if counts is None:
        return 0.0
    figures = [counts.counter(it.id) for it in COMPARED]
    known = [it.matmul_macs for it in figures if it is not None and it.matmul_macs is not None]
    enlarged = counts.enlarged**2
    here = enlarged * min(known, default=0) / (counts.height * counts.width)
    there = counts.elsewhere
    if there is None or there.error:
        return here
    return min(here, enlarged * there.closed_form / (there.height * there.width))


def _of_round(counts: Counts | None, figures: RoundFigures, scale: int) -> Iterator[Audit]:
    calibration, precision = figures.yardstick, figures.precision
    if calibration is None:
        raise ValueError("a round without a calibration has no floor")
    macs_per_pixel = least_macs_per_pixel(counts)
    channels = counts.channels if counts else 3
    written_per_pixel = channels * scale**2 * (_BYTES if precision == "fp32" else _BYTES // 2)
    best_of_any = max(calibration.macs_per_s.values())
    best = calibration.macs_per_s.get(precision, best_of_any)
    for seconds, pixels in _works(figures):
        macs, written = macs_per_pixel * pixels, written_per_pixel * pixels
        writing_s = written / calibration.bytes_per_s
        level: AuditVerdict = "ok"
        if seconds * ROOFLINE_FACTOR < max(macs / best, writing_s):
            level = "suspect"
        if seconds * ROOFLINE_FACTOR < max(macs / best_of_any, writing_s):
            level = "rejected"
        evidence = (
            f"{macs / seconds / 1e9:.3g} G multiply-adds and {written / seconds / 1e9:.3g} GB of "
            f"output in a second; this machine's best are {best / 1e9:.3g} G in {precision} and "
            f"{calibration.bytes_per_s / 1e9:.3g} GB"
        )
        yield Audit("floor", level, evidence)


def _works(figures: RoundFigures) -> Iterator[tuple[float, int]]:
    """Seconds and LR pixels of the timed forwards, and of each window in which energy was read."""
    sizes = {(it.dataset, it.image): it.height * it.width for it in figures.samples}
    timed = sum(it.height * it.width for it in figures.samples)
    yield sum(it.seconds for it in figures.samples), timed
    for window in figures.energy.windows if figures.energy else ():
        yield window.wall_s, window.forwards * sizes.get((window.dataset, window.image), 0)
