"""A dispatch mode that is cheap to enter, and how it reads an operator's arguments."""

from __future__ import annotations

from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode


class LightDispatchMode(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch's __init_subclass__
    """A TorchDispatchMode that does not load torch's compiler at the first operator it sees.

    torch loads it, for a second or two, only to tell it to keep out of the mode's code. Counts run
    nothing compiled (`harness.worker.count.model_copies.evaluating`), so there is nothing to tell.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False


def positional(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """An operator's arguments in the order of its schema, however they were passed."""
    if not kwargs:
        return args
    rest = func._schema.arguments[len(args) :]  # noqa: SLF001
    return (*args, *(kwargs.get(argument.name) for argument in rest))
