"""fvcore's count: the operators of a traced graph (convention `fvcore`, NTIRE 2024 and later).

fvcore takes its figures from a graph that `torch.jit` traces. On the meta device that fails with
recent versions of torch, for one reason: the tracer records a convolution below the point where
the meta device answers it. `_VisibleConvolutions` calls the lower operator itself, so the graph
holds what it would hold on the CPU, and no pixel is computed.
"""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from fvcore.nn import FlopCountAnalysis
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from harness.worker.count.operators import is_free

_MATMUL_OPERATORS = frozenset(
    {"conv", "linear", "addmm", "bmm", "baddbmm", "matmul", "mm", "einsum", "mv"}
)


@dataclass(frozen=True)
class FvcoreFigures:
    """fvcore's total, its part of matrix products, and the operators it left out."""

    macs: int
    matmul_macs: int
    uncounted: dict[str, int]
    operators: dict[str, int] = field(default_factory=dict)
    modules: dict[str, int] = field(default_factory=dict)  # without the modules inside of each


def count_by_fvcore(model: nn.Module, image: Tensor) -> FvcoreFigures:
    """Count `model` at `image`, N x C x H x W, on the CPU or the meta device.

    The meta device needs no second thoughts about values: a forward that completes there never
    read one. Raises what the forward or the tracer raises.
    """
    analysis = FlopCountAnalysis(model, (image,))
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    analysis.tracer_warnings("none")
    with _VisibleConvolutions() if image.is_meta else nullcontext():
        by_operator = analysis.by_operator()
    return FvcoreFigures(
        macs=round(sum(by_operator.values())),
        matmul_macs=round(sum(by_operator[name] for name in _MATMUL_OPERATORS)),
        uncounted={
            name: int(calls)
            for name, calls in analysis.unsupported_ops().items()
            if not is_free(name)
        },
        operators={name: round(macs) for name, macs in by_operator.items()},
        modules=_own_parts(analysis.by_module(), type(model).__name__),
    )


def _own_parts(whole: dict[str, float], model: str) -> dict[str, int]:
    """What fvcore gives a module less what it gives those directly inside of it."""
    own: Counter[str] = Counter()
    for name, macs in whole.items():
        own[name] += round(macs)
        if name:
            own[name.rpartition(".")[0]] -= round(macs)
    return {name or model: macs for name, macs in own.items()}


class _VisibleConvolutions(TorchFunctionMode):
    """Sends convolutions to the lower operator.

    padding="same" is let through: fvcore can't count it, and its figure is to be fvcore's own.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func not in _ARGUMENTS:
            return func(*args, **kwargs)
        given = dict(zip(_ARGUMENTS[func], args, strict=False)) | kwargs
        if isinstance(given.get("padding"), str):
            return func(*args, **kwargs)
        return _lower(given, transposed=_ARGUMENTS[func] is _TRANSPOSED)


_PLAIN = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
_TRANSPOSED = (*_PLAIN[:5], "output_padding", "groups", "dilation")
_ARGUMENTS: dict[Any, tuple[str, ...]] = {
    **dict.fromkeys((torch.conv1d, torch.conv2d, torch.conv3d), _PLAIN),
    **dict.fromkeys(
        (torch.conv_transpose1d, torch.conv_transpose2d, torch.conv_transpose3d), _TRANSPOSED
    ),
}


def _lower(given: dict[str, Any], *, transposed: bool) -> Tensor:
    def sizes(name: str, default: int) -> list[int]:
        size = given.get(name, default)
        listed = [size] if isinstance(size, int) else list(size)
        return listed * (weight.dim() - 2) if len(listed) == 1 else listed

    weight: Tensor = given["weight"]
    return torch._convolution(  # noqa: SLF001 - the operator in question
        given["input"],
        weight,
        given.get("bias"),
        sizes("stride", 1),
        sizes("padding", 0),
        sizes("dilation", 1),
        transposed,
        sizes("output_padding", 0),
        given.get("groups", 1),
        benchmark=False,
        deterministic=False,
        cudnn_enabled=False,
        allow_tf32=False,
    )
