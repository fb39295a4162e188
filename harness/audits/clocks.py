"""What time tells: our clock against the worker's, seen images against unseen ones, processor time.

All of it is taken from outside: the worker has a part in the seconds that it reports alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

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


def vouched_s(exchange: Exchange, calibration: Calibration) -> float:
    """Our seconds for a forward with its fetching, less what both cost a model that does nothing.

    Never less than reported: so neither a false report nor work that is put off gains anything.
    """
    beside = [_beside(exchange, calibration)]
    if exchange.collect_s is not None:
        beside.append(_fetching(exchange, calibration))
    return exchange.seconds + max(0.0, sum(took - expected for took, expected, _ in beside))


def clock(exchanges: Sequence[Exchange], calibration: Calibration) -> Audit:
    """Whether the reported seconds leave more of our own unexplained than messages cost."""
    return _judged("clock", exchanges, [_beside(it, calibration) for it in exchanges])


def collect(exchanges: Sequence[Exchange], calibration: Calibration) -> Audit | None:
    """Whether outputs take longer to fetch than their sizes cost; None where none was fetched."""
    fetched = [it for it in exchanges if it.collect_s is not None]
    if not fetched:
        return None
    return _judged("collect", fetched, [_fetching(it, calibration) for it in fetched])


Took = tuple[float, float, float]  # seconds, what the size costs, and the most above that


def _beside(exchange: Exchange, calibration: Calibration) -> Took:
    known = [(it.pixels, it.exchange_s, it.exchange_most_s) for it in calibration.sizes]
    return (exchange.wall_s - exchange.seconds, *_at(exchange.pixels, known))


def _fetching(exchange: Exchange, calibration: Calibration) -> Took:
    known = [(it.sr_pixels, it.collect_s, it.collect_most_s) for it in calibration.sizes]
    return (exchange.collect_s or 0.0, *_at(exchange.sr_pixels, known))


def _at(pixels: int, known: Sequence[tuple[int, float, float]]) -> tuple[float, float]:
    """The two figures at a size, between those of the sizes that are known.

    The least beneath them, and beyond them in proportion.
    """
    (at, low, low_most), *larger = known
    for size, high, high_most in larger:
        if pixels < size:
            share = max(pixels - at, 0) / (size - at)
            return low + share * (high - low), low_most + share * (high_most - low_most)
        at, low, low_most = size, high, high_most
    share = max(pixels / at, 1.0)
    return share * low, share * low_most


def _judged(name: AuditId, exchanges: Sequence[Exchange], took: Sequence[Took]) -> Audit:
    """The mean of what is unexplained, of all but the worst: a burst hits few, a trick many."""
    allowed = [
        thresholds.ALLOWED_FACTOR * expected + max(thresholds.ALLOWED_S, most)
        for _, expected, most in took
    ]
    over = sorted(max(0.0, it[0] - most) for it, most in zip(took, allowed, strict=True))
    unexplained = fmean(over[: len(over) - int(thresholds.BURSTS * len(over))])
    reported = fmean(it.seconds for it in exchanges)
    verdict: AuditVerdict = "ok"
    if unexplained > max(thresholds.REJECTED_S, thresholds.REJECTED_SHARE * reported):
        verdict = "rejected"
    elif unexplained > thresholds.UNEXPLAINED_SHARE * reported:
        verdict = "suspect"
    what = "beside the forward" if name == "clock" else "to fetch the output"
    evidence = (
        f"{_ms(median(it[0] for it in took))} {what} in the median of {len(took)}, at most "
        f"{_ms(median(allowed))} expected, and more in {sum(it > 0.0 for it in over)}; forwards "
        f"reported with {_ms(reported)}"
    )
    return Audit(name, verdict, evidence)


def doubtful(seen: Sequence[float], unseen: Sequence[float]) -> bool:
    """Whether a second look at seconds of seen and of unseen images is worth its time."""
    return _apart(seen, unseen, thresholds.DOUBT_RATIO)


def repeats(seen: Sequence[float], unseen: Sequence[float]) -> Audit:
    """Whether every unseen image took longer than any seen one of its size, and by much.

    Or less: then another network may run for images that are timed and not scored.
    """
    verdict: AuditVerdict = "ok"
    if _apart(seen, unseen, thresholds.SUSPECT_RATIO):
        verdict = "rejected" if _apart(seen, unseen, thresholds.REJECTED_RATIO) else "suspect"
    evidence = (
        f"an image seen before {_ms(median(seen))}, unseen ones of its size {_ms(median(unseen))}, "
        f"medians of {len(seen)} and {len(unseen)} in drawn order"
    )
    return Audit("repeats", verdict, evidence)


def unranked(ranked: Sequence[float], probes: Sequence[float]) -> Audit:
    """Whether what is not ranked takes far longer than what is: then it is another network's."""
    fast, slow = max(ranked), min(probes)
    far = slow > max(thresholds.UNRANKED_RATIO * fast, fast + thresholds.UNRANKED_S)
    evidence = (
        f"an image's ranked forward took {_ms(fast)}, {len(probes)} that are not ranked of its "
        f"size {_ms(slow)} at least"
    )
    return Audit("repeats", "suspect" if far else "ok", evidence)


def _apart(seen: Sequence[float], unseen: Sequence[float], ratio: float) -> bool:
    fast, slow = sorted((seen, unseen), key=max)
    return min(slow) > max(ratio * max(fast), max(fast) + thresholds.REPEATS_S)


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
