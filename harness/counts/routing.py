"""Whether a network costs the same for all images of one size."""

from __future__ import annotations

from collections.abc import Sequence

SAME = 1e-3
"""Relative difference that is none: a few values that are picked out of an image."""


def routed(macs: Sequence[int], size: tuple[int, int]) -> str:
    """What is said of the cost of several images of one LR height and width; "" if it is one.

    A network that chooses its way by what an image shows is counted on one image alone.
    """
    known = [it for it in macs if it]
    if not known or max(known) <= min(known) * (1 + SAME):
        return ""
    return (
        f"its cost depends on what the image shows: {min(known):,} to {max(known):,} multiply-adds "
        f"at {size[0]}x{size[1]} LR pixels, over {len(known)} images; the count is of one"
    )
