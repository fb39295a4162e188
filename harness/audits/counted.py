"""Whether the network that is timed is the one that is counted: asked of its own code alone.

A process that was timed counts as well, and upscales one image before and after that. What no
operator of PyTorch's shows has its processor time all the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.audits import thresholds
from harness.audits.clocks import Exchange
from harness.core.audit import Audit
from harness.core.counter_registry import COMPARED, HOOKS
from harness.core.model_counts import Counts
from harness.core.record import Calibration
from harness.quality.pixels import Uint8
from harness.quality.psnr import psnr_db


@dataclass(frozen=True)
class CountedAgain:
    """An image's outputs around a count in a timed process, and that count beside the table's."""

    before: Uint8 | None = None
    after: Uint8 | None = None
    here: Counts | None = None
    there: Counts | None = None  # None where it could not be counted there
    error: str = ""  # why nothing is known


def counted(found: CountedAgain) -> Audit:
    """Whether outputs and figures are the same."""
    if found.before is None or found.after is None or found.here is None:
        return Audit("counted", "ok", f"the timed process could not count: {found.error[:200]}")
    apart_db = psnr_db(found.before, found.after)
    same = "the same" if apart_db == math.inf else f"{apart_db:.3g} dB apart"
    text = f"the outputs of an image before and after a count are {same}"
    if apart_db < thresholds.COUNTED_DB:
        return Audit("counted", "rejected", text)
    here, there = _figures(found.here), _figures(found.there or found.here)
    text = f"{text}; {_told(here)} where it is timed"
    if _same(here, there):
        return Audit("counted", "ok", text)
    return Audit("counted", "rejected", f"{text}, {_told(there)} where it is counted")


def explained(
    exchanges: Sequence[Exchange],
    counts: Counts,
    calibration: Calibration,
    threads: int,
    precision: str = "fp32",
) -> Audit | None:
    """Whether forwards take no more processor time than what is counted can explain.

    None where nothing tells, as in counts of older records.
    """
    written = 0 if counts.reads is None else counts.reads.written
    told = [it for it in exchanges if it.cpu_s is not None]
    if not told or not written:
        return None
    counters = filter(None, (counts.counter(it.id) for it in COMPARED))
    macs = max((it.matmul_macs or 0 for it in counters), default=0)
    rates = calibration.macs_per_s
    rate = rates.get(precision, min(rates.values()))
    macs_s = thresholds.EXPLAINED_MACS * macs * threads / rate
    values_s = thresholds.EXPLAINED_VALUES * written * 4 * threads / calibration.bytes_per_s
    per_pixel_s = (macs_s + values_s) / (counts.height * counts.width)
    most_s = sum(thresholds.EXPLAINED_S + it.pixels * per_pixel_s for it in told)
    used_s = sum(it.cpu_s or 0.0 for it in told) / threads
    suspect = used_s > most_s + thresholds.EXPLAINED_MARGIN_S
    evidence = (
        f"{used_s / len(told) * 1e3:.3g} ms of processor time in the mean of {len(told)} forwards, "
        f"{most_s / len(told) * 1e3:.3g} ms at most by {macs:,} multiply-adds and {written:,} "
        f"values that operators wrote at {counts.height}x{counts.width}"
    )
    return Audit("counted", "suspect" if suspect else "ok", evidence)


def _figures(counts: Counts) -> tuple[int, int | None]:
    hooks = counts.counter(HOOKS)
    return counts.params, None if hooks is None else hooks.macs


def _same(here: tuple[int, int | None], there: tuple[int, int | None]) -> bool:
    return all(
        one is None or other is None or abs(one - other) <= thresholds.COUNTED_SHARE * other
        for one, other in zip(here, there, strict=True)
    )


def _told(figures: tuple[int, int | None]) -> str:
    params, macs = figures
    return f"{params:,} parameters and {'no' if macs is None else f'{macs:,}'} multiply-adds"
