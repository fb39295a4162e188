"""What time tells: our clock against the worker's, seen images against unseen ones, processor time.

All of it is taken from outside: the worker has a part in the seconds that it reports alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from harness.audits import thresholds
from harness.core.audit import Audit, AuditId, AuditVerdict
from harness.core.record import Calibration


@dataclass(frozen=True)
class Exchange:
    """A forward of `pixels` LR pixels, and the fetching of its output where it was fetched."""

    pixels: int
    seconds: float  # by the worker's clock
    wall_s: float  # by ours
    cpu_s: float | None = None  # of the worker and its children, over the same time
    sr_pixels: int = 0
    collect_s: float | None = None
    device_wall_s: float = 0.0  # of a GPU, beside the events that are `seconds`
    throttled: str = ""  # what slowed the GPU down


def clock(exchanges: Sequence[Exchange], calibration: Calibration) -> Audit:
    """Whether the reported seconds leave more of our own unexplained than messages cost."""
    beside = [it.wall_s - it.seconds for it in exchanges]
    fixed, slope = calibration.exchange_s, calibration.exchange_per_pixel_s
    expected = [fixed + slope * it.pixels for it in exchanges]
    return _judged("clock", exchanges, beside, expected)


def collect(exchanges: Sequence[Exchange], calibration: Calibration) -> Audit | None:
    """Whether outputs take longer to fetch than their sizes cost; None where none was fetched."""
    fetched = [it for it in exchanges if it.collect_s is not None]
    if not fetched:
        return None
    took = [it.collect_s or 0.0 for it in fetched]
    fixed, slope = calibration.collect_s, calibration.collect_per_pixel_s
    expected = [fixed + slope * it.sr_pixels for it in fetched]
    return _judged("collect", fetched, took, expected)


def _judged(
    name: AuditId, exchanges: Sequence[Exchange], took: Sequence[float], expected: Sequence[float]
) -> Audit:
    """The lower quartile of what is unexplained: a burst hits some, a trick all of them."""
    allowed = [thresholds.ALLOWED_FACTOR * it + thresholds.ALLOWED_S for it in expected]
    over = [one - other for one, other in zip(took, allowed, strict=True)]
    unexplained = sorted(over)[(len(over) - 1) // 4]
    reported = median(it.seconds for it in exchanges)
    verdict: AuditVerdict = "ok"
    if unexplained > max(thresholds.REJECTED_S, thresholds.REJECTED_SHARE * reported):
        verdict = "rejected"
    elif unexplained > max(0.0, thresholds.UNEXPLAINED_SHARE * reported):
        verdict = "suspect"
    what = "beside the forward" if name == "clock" else "to fetch the output"
    evidence = (
        f"{_ms(median(took))} {what} in the median of {len(took)}, at most "
        f"{_ms(median(allowed))} expected; forwards reported with {_ms(reported)}"
    )
    return Audit(name, verdict, evidence)


def doubtful(seen: Sequence[float], unseen: Sequence[float]) -> bool:
    """Whether a second look at seconds of seen and of unseen images is worth its time."""
    return _apart(seen, unseen, thresholds.DOUBT_RATIO)


def repeats(seen: Sequence[float], unseen: Sequence[float]) -> Audit:
    """Whether every unseen image took longer than any seen one of its size, and by much."""
    verdict: AuditVerdict = "ok"
    if _apart(seen, unseen, thresholds.SUSPECT_RATIO):
        verdict = "rejected" if _apart(seen, unseen, thresholds.REJECTED_RATIO) else "suspect"
    evidence = (
        f"an image seen before {_ms(median(seen))}, unseen ones of its size {_ms(median(unseen))}, "
        f"medians of {len(seen)} and {len(unseen)} in drawn order"
    )
    return Audit("repeats", verdict, evidence)


def _apart(seen: Sequence[float], unseen: Sequence[float], ratio: float) -> bool:
    gap_s = min(unseen) - max(seen)
    return min(unseen) > ratio * max(seen) and gap_s > thresholds.REPEATS_S


def threads(exchanges: Sequence[Exchange], allowed: int) -> Audit | None:
    """Whether forwards used more processor time than `allowed` threads can; None if untold."""
    told = [it for it in exchanges if it.cpu_s is not None]
    if not told:
        return None
    wall_s = sum(it.wall_s for it in told)
    used = sum(it.cpu_s or 0.0 for it in told) / wall_s
    evidence = f"{used:.2f} cores over {wall_s:.2f} s of forwards, {allowed} declared"
    if wall_s < thresholds.THREADS_LEAST_S:
        return Audit("threads", "ok", f"{evidence}: too short to tell")
    level: AuditVerdict = "suspect" if used > allowed + thresholds.EXTRA_THREADS else "ok"
    return Audit("threads", level, evidence)


def idle(shares: Sequence[float] | None) -> Audit | None:
    """Whether the worker is at work although nothing was asked of it; None if untold.

    `shares` of a core were used in looks one after the other, which end when the worker rests: only
    one that never does is suspect.
    """
    if shares is None:
        return None
    seconds = len(shares) * thresholds.IDLE_WINDOW_S
    if shares[-1] <= thresholds.IDLE_SHARE:
        text = f"{100 * shares[-1]:.0f} % of a core {seconds:.1f} s after a forward"
        return Audit("idle", "ok", text)
    text = f"{min(shares):.2f} cores or more for {seconds:.1f} s after a forward had ended"
    return Audit("idle", "suspect", text)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms"
