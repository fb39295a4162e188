"""What our dispatch modes have in common."""

from __future__ import annotations

from typing import Any

from harness.worker.light_mode import LightMode

__all__ = ["LightMode", "positional"]


def positional(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """An operator's arguments in the order of its schema, however they were passed."""
    if not kwargs:
        return args
    rest = func._schema.arguments[len(args) :]  # noqa: SLF001
    return (*args, *(kwargs.get(argument.name) for argument in rest))
