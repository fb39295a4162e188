"""Our clock around forward and collect, against what the worker reports."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from harness.audits.exchange import Exchange
from harness.audits.thresholds import (
    ALLOWED_FACTOR,
    ALLOWED_S,
    REJECTED_S,
    REJECTED_SHARE,
    UNEXPLAINED_SHARE,
)
from harness.core.audit import Audit, AuditId, AuditVerdict
from harness.core.record import Calibration


def clock(exchanges: Sequence[Exchange], calibration: Calibration) -> Audit:
    """Whether the reported seconds leave more of our own unexplained than messages cost."""
    beside = [it.wall_s - it.seconds for it in exchanges]
    fixed, slope = calibration.exchange_s, calibration.exchange_per_pixel_s
    allowed = [_allowed_s(fixed + slope * it.pixels) for it in exchanges]
    return _judged("clock", exchanges, beside, allowed)


def collect(exchanges: Sequence[Exchange], calibration: Calibration) -> Audit | None:
    """Whether outputs take longer to fetch than their sizes cost; None where none was fetched."""
    fetched = [it for it in exchanges if it.collect_s is not None]
    if not fetched:
        return None
    took = [it.collect_s or 0.0 for it in fetched]
    fixed, slope = calibration.collect_s, calibration.collect_per_pixel_s
    allowed = [_allowed_s(fixed + slope * it.sr_pixels) for it in fetched]
    return _judged("collect", fetched, took, allowed)


def _judged(
    name: AuditId, exchanges: Sequence[Exchange], took: Sequence[float], allowed: Sequence[float]
) -> Audit:
    """The lower quartile of what is unexplained: a burst hits some, a trick all of them."""
    over = [one - other for one, other in zip(took, allowed, strict=True)]
    unexplained = sorted(over)[(len(over) - 1) // 4]
    reported = median(it.seconds for it in exchanges)
    verdict: AuditVerdict = "ok"
    if unexplained > REJECTED_S and unexplained > REJECTED_SHARE * reported:
        verdict = "rejected"
    elif unexplained > 0.0 and unexplained > UNEXPLAINED_SHARE * reported:
        verdict = "suspect"
    what = "beside the forward" if name == "clock" else "to fetch the output"
    evidence = (
        f"{_ms(median(took))} {what} in the median of {len(took)}, at most "
        f"{_ms(median(allowed))} expected; forwards reported with {_ms(reported)}"
    )
    return Audit(name, verdict, evidence)


def _allowed_s(expected_s: float) -> float:
    """What messages and conversions may take that took the calibration so long."""
    return ALLOWED_FACTOR * expected_s + ALLOWED_S


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms"
