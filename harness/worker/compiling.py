"""torch.compile for the entries that declare it, with the time that it takes kept apart."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from harness.worker.reasons import first_line

_now = time.perf_counter


def compiled(model: nn.Module, *, by_child: bool = False) -> nn.Module:
    """The model as `torch.compile` makes it: at the first call of a shape, not here.

    `by_child` compiles each of its children alone: torch gives a forward up that it had to compile
    more than eight times, which one that chooses a graph by size soon is.
    In this process alone: torch would else keep a pool of others, which idle while we time.
    """
    from torch._inductor import config  # imports for seconds: for entries that ask for it

    config.compile_threads = 1
    if by_child:
        for name, child in tuple(model.named_children()):
            setattr(model, name, torch.compile(child))
        return model
    return torch.compile(model)  # type: ignore[return-value]


class Compiling:
    """Makes the compiler run outside of any timed forward, once for each shape of input."""

    def __init__(
        self, call: Callable[[torch.Tensor], Any], synchronize: Callable[[], None]
    ) -> None:
        self._call = call
        self._synchronize = synchronize
        self._known: set[tuple[int, ...]] = set()

    def prepare(self, batch: torch.Tensor) -> float:
        """Seconds of a call that compiles for this shape, 0 where that was done before."""
        shape = tuple(batch.shape)
        if shape in self._known:
            return 0.0
        started = _now()
        try:
            self._call(batch)
        except Exception as error:
            said = f"torch.compile: {type(error).__name__}: {first_line(error)}"
            raise RuntimeError(said) from error
        self._synchronize()
        self._known.add(shape)
        return _now() - started
