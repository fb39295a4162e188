"""Which module of a model is running."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn


class ModuleStack:
    """The names of the modules that are running, the innermost last."""

    def __init__(self) -> None:
        self.running: list[str] = []

    @property
    def name(self) -> str:
        """Of the innermost module; "" outside of all."""
        return self.running[-1] if self.running else ""

    @contextmanager
    def following(self, model: nn.Module) -> Iterator[None]:
        """Hook every module of `model` while entered. Raises what a scripted module raises."""
        handles = []
        try:
            for name, module in model.named_modules():
                handles += self._hooked(name or type(model).__name__, module)
            yield
        finally:
            for handle in handles:
                handle.remove()
            self.running.clear()

    def _hooked(self, name: str, module: nn.Module) -> list[Any]:
        def enter(*_: Any) -> None:
            self.running.append(name)

        def leave(*_: Any) -> None:
            if self.running:  # a module whose pre-hooks raised was never entered
                self.running.pop()

        return [
            module.register_forward_pre_hook(enter),
            module.register_forward_hook(leave, always_call=True),
        ]
