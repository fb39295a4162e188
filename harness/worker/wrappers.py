"""Modules that are ready to run only after something was done: wrapped and lazy ones."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from harness.wire.messages import Load

_WRAPPERS = (
    nn.DataParallel,
    nn.parallel.DistributedDataParallel,
    torch.optim.swa_utils.AveragedModel,
)
_SIDE = 64  # pixels of a trial forward


def unwrapped(model: nn.Module) -> nn.Module:
    """The network within what spreads it over devices, or averages it while it is trained."""
    while isinstance(model, _WRAPPERS):
        model = model.module
    return model


def initialised(model: nn.Module, declared: Load) -> bool:
    """Let a model with lazy modules see an image, after which they have shapes; whether it has any.

    Raises whatever its forward raises.
    """
    tensors = (*model.parameters(), *model.buffers())
    if not any(is_lazy(it) for it in tensors):
        return False
    multiple = declared.pad_to_multiple
    side = -(-_SIDE // multiple) * multiple
    training = model.training
    with torch.no_grad():
        model.eval()(torch.zeros(1, declared.channels, side, side))
    model.train(training)
    return True
