"""Operators as a model calls them, before PyTorch takes compound ones apart.

A dispatch mode sees parts: a mean where adaptive pooling was called, matrix products where an
attention was. What was called is known to the dispatch keys above, one of which is free for modes
like this one: while it is on, every operator comes here first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import torch
from torch import Tensor
from torch.autograd import Function

from harness.worker.count import fast_meta
from harness.worker.dispatch_mode import positional

_NAME = "TESTING_ONLY_GenericMode"
_KEY = torch._C._dispatch_key_parse(_NAME)  # noqa: SLF001 - no public spelling
_KEYS = torch._C.DispatchKeySet(_KEY)  # noqa: SLF001

TRANSPARENT = frozenset(
    f"aten::{name}"
    for name in (
        *("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"),
        *("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell"),
    )
)
"""Compound operators that torch's own tracer looks through: their parts are calls themselves."""


@dataclass(frozen=True)
class OutermostCall:
    """One call of an operator, `namespace::name`, with arguments in the order of its schema.

    Arguments that were left out have the operator's defaults and may be absent. `written` are
    arguments that the operator writes to.
    """

    name: str
    args: tuple[Any, ...]
    out: Any
    written: tuple[Any, ...] = ()


class OutermostCalls(ABC):
    """While entered in a forward, is told of each operator that no other operator called.

    An autograd function is one operator, `prim::PythonOp.NAME`, as in a traced graph. There must be
    no dispatch mode around: torch can't have both. On the meta device `fast_meta` answers here.
    """

    def __init__(self) -> None:
        self._entered = ExitStack()
        self._inside = False  # an operator that was told, or is going to be

    def __enter__(self) -> Self:
        _register()
        self._entered.enter_context(self._listening())
        self._entered.enter_context(torch._C._IncludeDispatchKeyGuard(_KEY))  # noqa: SLF001
        return self

    def __exit__(self, *_: object) -> None:
        self._entered.close()

    @abstractmethod
    def called(self, call: OutermostCall) -> None:
        """An operator has run."""

    def run(self, operator: Any, keys: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run one operator for the dispatcher, and tell of it if it is an outermost one."""
        name = operator._schema.name  # noqa: SLF001 - the only spelling of "namespace::operator"
        if self._inside or name in TRANSPARENT or any(map(_is_batch, args)):
            return _below(operator, keys, args, kwargs)
        with self._within():
            out = _below(operator, keys, args, kwargs)
        given = positional(operator, args, kwargs)
        written = tuple(given[at] for at in _written(operator, len(given)))
        self.called(OutermostCall(name, given, out, written))
        return out

    @contextmanager
    def _within(self) -> Iterator[None]:
        self._inside, before = True, self._inside
        try:
            yield
        finally:
            self._inside = before

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """What operators and autograd functions say goes to this listener."""
        plain = Function.__dict__["apply"]

        def apply(cls: Any, *args: Any, **kwargs: Any) -> Any:
            with self._within():
                out = plain.__get__(None, cls)(*args, **kwargs)
            name = f"prim::PythonOp.{cls.__name__}"
            self.called(OutermostCall(name, (*args, *kwargs.values()), out))
            return out

        _listeners.append(self)
        Function.apply = classmethod(apply)  # type: ignore[assignment, method-assign]
        try:
            yield
        finally:
            Function.apply = plain  # type: ignore[method-assign]
            _listeners.pop()


_listeners: list[OutermostCalls] = []  # one: counters run one after the other


@cache
def _register() -> tuple[Any, ...]:
    """Once a process: the key costs nothing where nobody has turned it on.

    torch itself calls `detach` and `alias` to make a parameter or a subclass of a tensor that
    Python has not seen yet. They are views, of which we need not know.
    """
    library: Any = torch.library.Library  # untyped in torch
    every, views = library("_", "IMPL"), library("aten", "IMPL")
    every.fallback(_operator, _NAME, with_keyset=True)
    for name in ("detach", "alias"):
        views.impl(name, torch.library.fallthrough_kernel, _NAME)
    return every, views


def _operator(keys: Any, operator: Any, *args: Any, **kwargs: Any) -> Any:
    if not _listeners:  # a thread that outlives the forward
        return _below(operator, keys, args, kwargs)
    return _listeners[-1].run(operator, keys, args, kwargs)


def _below(operator: Any, keys: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What the dispatcher would have gone on to."""
    out = None if any(map(_is_batch, args)) else fast_meta.answer(operator, args, kwargs)
    if out is not None:
        return out
    if any(isinstance(args[at], int | float | complex) for at in _tensors(operator, len(args))):
        with torch._C._ExcludeDispatchKeyGuard(_KEYS):  # noqa: SLF001
            return operator(*args, **kwargs)  # x * 2: redispatch takes no number for a tensor
    return operator.redispatch(keys.remove(_KEY), *args, **kwargs)


@cache
def _tensors(operator: Any, number: int) -> tuple[int, ...]:
    """Which of the first arguments are tensors."""
    arguments = operator._schema.arguments[:number]  # noqa: SLF001
    return tuple(at for at, it in enumerate(arguments) if isinstance(it.type, torch.TensorType))


@cache
def _written(operator: Any, number: int) -> tuple[int, ...]:
    """Which of them are written to."""
    aliases = [it.alias_info for it in operator._schema.arguments[:number]]  # noqa: SLF001
    return tuple(at for at, alias in enumerate(aliases) if alias is not None and alias.is_write)


def _is_batch(value: Any) -> bool:
    """Whether it is a stand-in of torch.func, whose operators come again for what it stands for."""
    wrapped = torch._C._functorch.is_functorch_wrapped_tensor  # noqa: SLF001
    return isinstance(value, Tensor) and wrapped(value)
