"""For entries that ask for CUDA while they are loaded, on a machine that has none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

_WORDS = ("cuda", "nvidia")
_IDLE = ("synchronize", "empty_cache", "set_device", "init", "reset_peak_memory_stats")


def asks_for_cuda(error: BaseException) -> bool:
    """Whether an exception says that there is no CUDA."""
    kinds = (AssertionError, RuntimeError)
    return isinstance(error, kinds) and any(word in str(error).lower() for word in _WORDS)


@contextmanager
def without_cuda() -> Iterator[None]:
    """While entered, what is sent to CUDA stays on the CPU, and waiting for CUDA does nothing."""
    idle = {**dict.fromkeys(_IDLE, lambda *_args, **_kwargs: None), "current_device": lambda: 0}
    before = {name: getattr(torch.cuda, name) for name in idle}
    _set(idle)
    try:
        with _OnCpu():
            yield
    finally:
        _set(before)


class _OnCpu(TorchFunctionMode):
    """Takes CUDA out of every call of torch."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one function, with the CPU in the place of any CUDA device."""
        if func is Tensor.cuda:
            return args[0]
        moved = {name: _on_cpu(value) for name, value in (kwargs or {}).items()}
        return func(*map(_on_cpu, args), **moved)


def _set(functions: dict[str, Any]) -> None:
    for name, function in functions.items():
        setattr(torch.cuda, name, function)


def _on_cpu(value: Any) -> Any:
    if isinstance(value, torch.device):
        return torch.device("cpu") if value.type == "cuda" else value
    if isinstance(value, str) and value.partition(":")[0] == "cuda":
        return "cpu"
    return value
