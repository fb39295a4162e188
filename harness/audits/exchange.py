"""What is known of one forward: the worker's seconds, and ours around them."""

from __future__ import annotations

from dataclasses import dataclass

from harness.audits.thresholds import ALLOWED_FACTOR, ALLOWED_S
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


def allowed_s(calibration: Calibration, pixels: int) -> float:
    """What messages and conversions of such a forward may take."""
    expected = calibration.exchange_s + calibration.exchange_per_pixel_s * pixels
    return ALLOWED_FACTOR * expected + ALLOWED_S


def allowed_collect_s(calibration: Calibration, sr_pixels: int) -> float:
    """What fetching an output of so many pixels may take."""
    expected = calibration.collect_s + calibration.collect_per_pixel_s * sr_pixels
    return ALLOWED_FACTOR * expected + ALLOWED_S
