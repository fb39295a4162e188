"""Exponential moving average of a model's weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


def copied(model: nn.Module) -> dict[str, Tensor]:
    """The weights as they are, in tensors of their own."""
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


@torch.no_grad()
def update(average: Mapping[str, Tensor], model: nn.Module, *, decay: float, updates: int) -> None:
    """Move `average` towards the weights: average = d * average + (1 - d) * weights.

    d is `decay`, but at most (1 + n) / (10 + n) after n earlier updates, so that the beginning is
    soon forgotten.
    """
    kept = min(decay, (1 + updates) / (10 + updates))
    for name, value in model.state_dict().items():
        average[name].lerp_(value, 1 - kept)
