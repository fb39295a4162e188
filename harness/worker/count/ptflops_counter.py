"""The count of ptflops: hooks on modules, and torch's functions patched while the forward runs.

Its convention adds biases, activation functions, pooling, elementwise sums and products, so its
total can't be compared with the others to the last digit.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import ptflops
import torch
from torch import Tensor, nn

from harness.worker.dispatch_mode import LightDispatchMode

_PATCHED = (torch, torch.Tensor, torch.nn.functional)
_LATE = "torch._dynamo"


@dataclass(frozen=True)
class PtflopsFigures:
    """Multiply-adds, and those of each module that ptflops knows; the rest ran as functions."""

    macs: int
    modules: dict[str, int]


def count_by_ptflops(model: nn.Module, image: Tensor) -> PtflopsFigures:
    """What ptflops gives `model` at `image`, N x C x H x W, on its device.

    Raises RuntimeError with what ptflops printed when the forward failed under it.
    """
    with _never_loaded_patched():
        macs, modules, printed = _ask(model, image)
    if macs is None and f"import of {_LATE} halted" in printed:
        importlib.import_module(_LATE)
        macs, modules, printed = _ask(model, image)
    if macs is None:
        lines = printed.strip().splitlines()
        raise RuntimeError(lines[-1] if lines else "ptflops gave no figure and no reason")
    functions = int(macs) - sum(modules.values())
    return PtflopsFigures(int(macs), {**modules, "functions": max(functions, 0)})


def _ask(model: nn.Module, image: Tensor) -> tuple[float | None, dict[str, int], str]:
    printed = io.StringIO()
    modules: dict[str, int] = {}

    def start(_size: object) -> Tensor:
        """The input, which is asked for once all hooks of ptflops stand: one more comes last."""
        handles.append(model.register_forward_hook(lambda *_: modules.update(_counted(model))))
        return image

    handles: list[Any] = []
    with (
        _put_back(model),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
        _ModelsOwnCalls(),
    ):
        macs, _ = ptflops.get_model_complexity_info(
            model,
            tuple(image.shape[1:]),
            print_per_layer_stat=False,
            as_strings=False,
            input_constructor=start,
            ost=printed,
            backend="pytorch",
        )
    for handle in handles:
        handle.remove()
    return macs, modules, printed.getvalue()


def _counted(model: nn.Module) -> dict[str, int]:
    """The figures that ptflops keeps on the modules until it has added them up."""
    named = ((name or type(model).__name__, it) for name, it in model.named_modules())
    return {name: int(vars(it).get("__flops__", 0)) for name, it in named}


@contextlib.contextmanager
def _never_loaded_patched() -> Iterator[None]:
    """Refuse to load torch's compiler while torch's functions are patched.

    Some operators on the meta device load it at their first call. It takes the functions that it
    then finds for torch's own: it fails to load on ptflops' wrappers, and the parts that did load
    keep them for good. Loading it beforehand would cost seconds in every worker.
    """
    loaded = _LATE in sys.modules
    if not loaded:
        sys.modules[_LATE] = None  # type: ignore[assignment]  # how Python says: not importable
    try:
        yield
    finally:
        if not loaded:
            del sys.modules[_LATE]


class _ModelsOwnCalls(LightDispatchMode):  # type: ignore[no-untyped-call]
    """Takes out of ptflops' count what torch itself calls while it runs one operator.

    On the meta device torch works many shapes out in Python, with the very functions that ptflops
    has patched: a LayerNorm would count the sums and products inside it as well.
    """

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operator, then forget what was collected meanwhile."""
        patched = (torch.nn.functional.relu, torch.mul)  # one of each of ptflops' two lists
        lists = [getattr(function, "collector", []) for function in patched]
        lengths = [len(collected) for collected in lists]
        out = func(*args, **(kwargs or {}))
        for collected, length in zip(lists, lengths, strict=True):
            del collected[length:]
        return out


@contextlib.contextmanager
def _put_back(model: nn.Module) -> Iterator[None]:
    """Undo what ptflops leaves behind: it patches more functions than it restores.

    F.interpolate stays wrapped, which breaks the next call of ptflops and times the wrapper in
    every later forward; the model keeps methods and a hook of ptflops.
    """
    owners: tuple[Any, ...] = (*_PATCHED, model)
    before = [dict(vars(owner)) for owner in owners]
    try:
        yield
    finally:
        for owner, names in zip(owners, before, strict=True):
            _restore(owner, names)


def _restore(owner: Any, before: dict[str, Any]) -> None:
    now = dict(vars(owner))
    if not isinstance(owner, ModuleType):  # a module may have loaded a part of itself meanwhile
        for name in now.keys() - before.keys():
            delattr(owner, name)
    for name, value in before.items():
        if now.get(name) is not value:
            setattr(owner, name, value)
