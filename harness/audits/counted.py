"""Whether the network that is timed is the one that is counted: asked of its own code alone.

A process that was timed counts as well, and upscales one image before and after that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.audits import thresholds
from harness.core.audit import Audit
from harness.core.counter_registry import HOOKS
from harness.core.model_counts import Counts
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
