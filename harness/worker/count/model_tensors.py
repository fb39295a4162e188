"""Every tensor that hangs on a model, with its name and what it is to PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

_DEPTH = 3  # of lists in lists that are looked into
TensorKind = Literal["parameter", "buffer", "attribute"]


@dataclass(frozen=True)
class ModelTensor:
    """A tensor of the model. An attribute is one that PyTorch doesn't know of."""

    name: str
    kind: TensorKind
    tensor: Tensor


def model_tensors(model: nn.Module) -> Iterator[ModelTensor]:
    """Parameters, buffers, then plain attributes; a tensor of several names comes with each."""
    for name, parameter in model.named_parameters():
        yield ModelTensor(name, "parameter", parameter)
    for name, buffer in model.named_buffers():
        yield ModelTensor(name, "buffer", buffer)
    yield from attribute_tensors(model)


def attribute_tensors(model: nn.Module) -> Iterator[ModelTensor]:
    """Tensors in attributes of modules, in lists, tuples and dicts too, and those of modules that
    are kept in such a container, where PyTorch does not find them.
    """
    seen = {id(module) for module in model.modules()}
    for prefix, module in model.named_modules():
        for name, value in list(vars(module).items()):
            if name not in _TORCH_S_OWN:
                yield from _inside(_joined(prefix, name), value, seen, _DEPTH)


_TORCH_S_OWN = frozenset(vars(nn.Module()))


def _inside(name: str, value: Any, seen: set[int], depth: int) -> Iterator[ModelTensor]:
    if isinstance(value, Tensor):
        yield ModelTensor(name, "attribute", value)
    elif isinstance(value, nn.Module):
        yield from _stray(name, value, seen)
    elif depth and isinstance(value, dict):
        for key, item in list(value.items()):
            yield from _inside(f"{name}[{key!r:.40}]", item, seen, depth - 1)
    elif depth and isinstance(value, list | tuple):
        for at, item in enumerate(value):
            yield from _inside(f"{name}[{at}]", item, seen, depth - 1)


def _stray(name: str, module: nn.Module, seen: set[int]) -> Iterator[ModelTensor]:
    """The tensors of a module that is no submodule."""
    if id(module) in seen:
        return
    seen.update(id(inner) for inner in module.modules())
    for own in model_tensors(module):
        yield ModelTensor(_joined(name, own.name), "attribute", own.tensor)


def _joined(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name
