"""What is known of one forward: the worker's seconds, and ours around them."""

from __future__ import annotations

from dataclasses import dataclass


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
