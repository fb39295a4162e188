"""Dictionaries of tensors from what a stranger's file holds: modules, arrays, objects.

A few bytes of a pickle can stand for any number of paths, so that what was looked at is known
again, and what is looked at is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from harness.worker.inert_pickle import Inert

BYTES_CAP = 1_000_000_000
_DEEPEST = 40  # objects in objects
_MOST = 2_000_000  # things in objects, each as often as a path leads to it
_HOLDERS = (Tensor, np.ndarray, Inert, Mapping, list, tuple, nn.Module)


class TooMuch(ValueError):
    """A file holds more than any network has; the message says what."""


def plain(document: Any) -> Any:
    """Dictionaries where there were modules, lists and objects; None for what holds no tensor.

    TooMuch for what stands for more than its file can hold.
    """
    return _Plain().of(document, _DEEPEST)


class _Plain:
    """What is known of one document; what is known is kept, so that no id is used again."""

    def __init__(self) -> None:
        self._left = _MOST
        self._known: dict[tuple[int, int], tuple[Any, Any]] = {}

    def of(self, value: Any, depth: int) -> Any:
        """What a value is made into, as many objects deep."""
        if not isinstance(value, _HOLDERS):
            return None
        key = id(value), 0 if isinstance(value, Tensor | np.ndarray) else depth
        if key not in self._known:
            self._known[key] = value, self._made(value, depth)
        return self._known[key][1]

    def _made(self, value: Any, depth: int) -> Any:
        if isinstance(value, Tensor | np.ndarray):
            return _tensor(value)
        held = _held(value)
        if held is None or not depth:
            return None
        if _is_module(held):
            return self._state(held, depth)
        self._spend(len(held))
        return {name: self.of(inner, depth - 1) for name, inner in held.items()}

    def _state(self, module: Mapping[str, Any], depth: int) -> dict[str, Tensor]:
        """A module's parameters and persistent buffers, by their names in a state dict."""
        said = module.get("_non_persistent_buffers_set")
        volatile = said if isinstance(said, set | list) else ()
        own = {**(module["_parameters"] or {}), **(module.get("_buffers") or {})}
        self._spend(1 + len(own))
        found = {
            str(name): tensor.detach()
            for name, tensor in own.items()
            if isinstance(tensor, Tensor) and name not in volatile
        }
        for name, inner in (module["_modules"] or {}).items():
            held = _held(inner)
            if depth and held is not None and _is_module(held):
                inside = self._state(held, depth - 1)
                self._spend(len(inside))
                found |= {f"{name}.{inner_name}": tensor for inner_name, tensor in inside.items()}
        return found

    def _spend(self, number: int) -> None:
        self._left -= number
        if self._left < 0:
            raise TooMuch(f"more than {_MOST:,} things are in its objects")


def _is_module(held: Mapping[Any, Any]) -> bool:
    return "_parameters" in held and "_modules" in held


def _tensor(value: Any) -> Tensor | None:
    """Of an array of numbers too; of none that holds anything else."""
    if isinstance(value, Tensor):
        return value.detach()
    if value.dtype.kind not in "biuf":
        return None
    if value.nbytes > BYTES_CAP:  # the same bytes may stand for all of it
        raise TooMuch(f"an array has more than {BYTES_CAP:,} bytes")
    return torch.from_numpy(np.ascontiguousarray(value.astype(value.dtype.newbyteorder("="))))


def _held(value: Any) -> dict[Any, Any] | None:
    """What is in an object, by name or number; None for one that holds nothing."""
    found: dict[Any, Any] | None = None
    match value:
        case Inert():
            found = {**(value.state if isinstance(value.state, dict) else {}), **value.items}
        case Mapping():
            found = dict(value)
        case list() | tuple():
            found = dict(enumerate(value))
        case torch.jit.ScriptModule():
            found = dict(value.state_dict())
        case nn.Module():
            found = vars(value)
    return found
