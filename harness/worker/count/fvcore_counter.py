"""fvcore's own count, where it is installed: the witness of `fvcore_convention`.

fvcore takes its figures from a graph that `torch.jit` traces. On the meta device that fails with
recent versions of torch, for one reason: the tracer records a convolution below the point where
the meta device answers it. `_VisibleConvolutions` calls the lower operator itself, so the graph
holds what it would hold on the CPU, and no pixel is computed.
"""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
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


@cache
def is_at_hand() -> bool:
    """Whether fvcore is installed and takes this torch: its last release is of 2022."""
    try:
        _analysis()
    except Exception:  # noqa: BLE001 - whatever a package raises that meets another torch
        return False
    return True


def _analysis() -> Any:
    with warnings.catch_warnings():  # it asks for torch.jit.script, which newer torch warns of
        warnings.simplefilter("ignore")
        from fvcore.nn import FlopCountAnalysis
    return FlopCountAnalysis


def count_by_fvcore(model: nn.Module, image: Tensor) -> FvcoreFigures:
    """Count `model` at `image`, N x C x H x W, on the CPU or the meta device.

    The meta device needs no second thoughts about values: a forward that completes there never
    read one. Raises what the forward or the tracer raises.
    """
    analysis = _analysis()(model, (image,))
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
    )


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
