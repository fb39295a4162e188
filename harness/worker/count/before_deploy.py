"""An entry before its `deploy` function: what it cost, and whether it gave the same images."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.wire.count_answers import BeforeDeployAnswer
from harness.worker.count.counters import watch_forward, with_fallback
from harness.worker.count.device_choice import SPOT_SIZE, choose
from harness.worker.count.model_copies import describe, evaluating, parameter_count, photograph


def count_before_deploy(
    before: nn.Module, fused: nn.Module, *, height: int, width: int, data_range: float = 1.0
) -> BeforeDeployAnswer:
    """Count `before` as `fused` is counted, and compare what they make of one photograph.

    Both are of one entry with the same weights. Batch 1, 3 x height x width LR pixels for the
    counts, a square of 64 for the comparison or of what the models take. A forward that fails is
    an `error`.
    """
    image = photograph(before, height=height, width=width, data_range=data_range)
    with evaluating(before), evaluating(fused):
        choice = choose(before, image)
        seen = watch_forward(choice.preferred)
        counters = (seen.hooks, with_fallback("fvcore", choice), seen.dispatch)
        difference, side, error = _apart(before, fused, data_range)
    return BeforeDeployAnswer(
        params=parameter_count(choice.preferred.model),
        macs={it.name: it.macs for it in counters if it.macs is not None},
        activations=seen.hooks.activations,
        convs=seen.hooks.convs,
        difference=difference,
        side=side,
        error=error,
    )


def _apart(before: nn.Module, fused: nn.Module, data_range: float) -> tuple[float | None, int, str]:
    error = ""
    for side in (SPOT_SIZE, 4 * SPOT_SIZE):
        image = photograph(before, height=side, width=side, data_range=data_range)
        try:
            return _difference(before(image), fused(image)) / data_range, side, ""
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
