"""Leave an entry's modules as they are written where it asks for TorchScript.

A scripted module is a program of its own: hooks don't see into it, and torch.export takes none.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

_FUNCTIONS = ("script", "trace", "freeze", "optimize_for_inference")  # each takes a module first


@contextmanager
def unscripted() -> Iterator[set[str]]:
    """While entered, the functions of torch.jit give modules back; yields the names of those that
    were asked.

    Functions and classes are scripted as ever, and so is what was a TorchScript module before.
    """
    asked: set[str] = set()
    originals = {name: getattr(torch.jit, name) for name in _FUNCTIONS if hasattr(torch.jit, name)}
    for name, original in originals.items():
        setattr(torch.jit, name, _careful(name, original, asked))
    try:
        yield asked
    finally:
        for name, original in originals.items():
            setattr(torch.jit, name, original)


def _careful(name: str, original: Callable[..., Any], asked: set[str]) -> Callable[..., Any]:
    @functools.wraps(original)
    def careful(*args: Any, **kwargs: Any) -> Any:
        given = next(iter((*args, *kwargs.values())), None)
        if isinstance(given, nn.Module) and not isinstance(given, torch.jit.ScriptModule):
            asked.add(name)
            return given
        return original(*args, **kwargs)

    return careful
