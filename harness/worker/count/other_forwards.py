"""The same model at another size, and an entry before its `deploy` function.

A network costs the same per pixel everywhere, but for borders and padding. One that has a branch
for images of other sizes, or for the very size that is counted, shows it at another size. That one
is larger both ways and not square: real LR images are.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import Tensor, nn

from harness.worker.caps import listed
from harness.worker.count.counters import CONVENTION, watch_forward, with_fallback
from harness.worker.count.device_choice import SPOT_SIZE, choose
from harness.worker.count.dispatch import DispatchCounter
from harness.worker.count.model_copies import (
    ModelCopy,
    describe,
    evaluating,
    parameter_count,
    photographs,
)
from harness.worker.count.weight_trace import TraceRecorder


def count_at_second_size(
    copied: ModelCopy, picture: Callable[[int, int], Tensor], known: Collection[str]
) -> dict[str, Any]:
    """The model at another size, as `core.model_counts.SecondSize`, from `picture(height, width)`.

    `known` are the parameters that are read at the counted size.
    """
    height, width = second_size(*copied.image.shape[-2:], meta=copied.device == "meta")
    there = ModelCopy(copied.model, picture(height, width).to(copied.device), copied.device)
    reads, dispatch = TraceRecorder(there.model, there.image), DispatchCounter()
    try:
        report = reads.report(there.forward(reads, dispatch))
    except Exception as error:  # noqa: BLE001 - the submission's own, of any kind
        return {"height": height, "width": width, "error": describe(error)}
    macs, _, convs = dispatch.tally.figures()
    return {
        "height": height,
        "width": width,
        "macs": macs,
        "closed_form": report["closed_form"],
        "convs": convs,
        "also_read": listed(name for name in reads.names_read() if name not in known),
    }


def second_size(height: int, width: int, *, meta: bool) -> tuple[int, int]:
    """Twice the height and one and a half times the width on the meta device; less on the CPU,
    where every pixel is computed.
    """
    return height * 2 if meta else height * 5 // 4, width * 3 // 2


def count_before_deploy(
    before: nn.Module,
    fused: nn.Module,
    *,
    height: int,
    width: int,
    channels: int = 3,
    data_range: float = 1.0,
    black: float = 0.0,
) -> dict[str, Any]:
    """Count `before` as `fused` is counted, and compare what they make of one photograph.

    The answer has the fields of `core.model_counts.BeforeDeploy`.

    Both are of one entry with the same weights. Batch 1, channels x height x width pixels for the
    counts, a square of 64 for the comparison or of what the models take. A forward that fails is
    an `error`.
    """
    picture = photographs(before, data_range=data_range, channels=channels, black=black)
    with evaluating(before), evaluating(fused):
        choice = choose(before, picture(height, width))
        seen = watch_forward(choice.preferred)
        counters = (seen.hooks, with_fallback(CONVENTION, choice), seen.dispatch)
        difference, side, error = _apart(before, fused, picture)
    return {
        "params": parameter_count(choice.preferred.model),
        "macs": {it["name"]: it["macs"] for it in counters if it["macs"] is not None},
        "activations": seen.hooks["activations"],
        "convs": seen.hooks["convs"],
        "difference": None if difference is None else difference / (data_range - black),
        "side": side,
        "error": error,
    }


def watched_apart(copied: ModelCopy, data_range: float) -> float | None:
    """How far a watched forward's output is from a plain one's, as a part of the data range.

    On the CPU, at a small size or at the counted one; None where the model manages neither.
    """
    for side in (SPOT_SIZE, max(copied.image.shape)):
        small = copied.cropped(side)
        with contextlib.suppress(Exception):  # the submission's own, of any kind
            recorder = TraceRecorder(small.model, small.image)
            watched = small.forward(recorder, DispatchCounter())
            return _difference(small.forward(), watched) / data_range
    return None


def _apart(
    before: nn.Module, fused: nn.Module, picture: Callable[[int, int], Tensor]
) -> tuple[float | None, int, str]:
    error = ""
    for side in (SPOT_SIZE, 4 * SPOT_SIZE):
        image = picture(side, side)
        try:
            return _difference(before(image), fused(image)), side, ""
        except Exception as failure:  # noqa: BLE001 - the submission's own, of any kind
            error = describe(failure)
    return None, 0, error


def _difference(one: Tensor, other: Tensor) -> float:
    """The largest of any element; ValueError where there is none to tell."""
    if one.shape != other.shape:
        raise ValueError(f"the outputs are {tuple(one.shape)} and {tuple(other.shape)}")
    largest = float((one.double() - other.double()).abs().max())
    if not torch.isfinite(torch.tensor(largest)):
        raise ValueError("the outputs are not all finite")
    return largest
