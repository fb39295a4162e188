"""Modules that are ready to run only after something was done: wrapped and lazy ones, and those
whose forward takes or returns more than an image.
"""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from harness.wire.messages import Load
from harness.worker.output_image import picked

_WRAPPERS = (
    nn.DataParallel,
    nn.parallel.DistributedDataParallel,
    torch.optim.swa_utils.AveragedModel,
)
_SIDE = 64  # pixels of a trial forward


def unwrapped(model: nn.Module) -> nn.Module:
    """The network within what spreads it over devices, averages it while it is trained, or compiles
    it, which the manifest declares instead.
    """
    while isinstance(model, _WRAPPERS) or is_compiled(model):
        model = model.get_submodule("_orig_mod" if is_compiled(model) else "module")
    return model


def is_compiled(model: nn.Module) -> bool:
    """Whether torch.compile made it of a module. Its class is slow to import."""
    return isinstance(getattr(model, "_orig_mod", None), nn.Module)


class _AsDeclared(nn.Module):
    """A model whose forward is given more than the image, or returns more."""

    def __init__(self, model: nn.Module, declared: Load) -> None:
        super().__init__()
        self.model = model
        self._given = json.loads(declared.forward_kwargs)
        self._place = json.loads(declared.output) if declared.output else None

    def forward(self, image: torch.Tensor) -> Any:
        """What the model makes of an image: the declared part of all that it returns."""
        result = self.model(image, **self._given)
        return result if self._place is None else picked(result, self._place)


def as_declared(model: nn.Module, declared: Load) -> nn.Module:
    """A model that takes an image and returns one; the same one where it does that by itself."""
    if declared.output or json.loads(declared.forward_kwargs):
        return _AsDeclared(model, declared)
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
