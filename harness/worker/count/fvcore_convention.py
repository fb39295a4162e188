"""The convention `fvcore` (NTIRE 2024 and later), without fvcore.

Source of the rules: `fvcore/nn/flop_count.py` and `jit_handles.py` of fvcore 0.1.5, whose names of
operators these are. Two habits of a traced graph belong to it, since they change figures of the
field:

- it knows calls by their names, and nothing of what runs inside: a convolution with padding="same",
  a fused attention and a custom operator cost nothing;
- a call whose result does not reach the model's output is not in the graph.

The first is told as `uncounted`, and the dispatch counter, which sees what ran, disputes both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import floor, prod
from typing import Any

from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef

from harness.worker.count.breakdown import Breakdown
from harness.worker.count.formulas import convolution
from harness.worker.count.module_stack import ModuleStack
from harness.worker.count.operators import is_free
from harness.worker.count.outermost_calls import OutermostCall, OutermostCalls

CallRule = Callable[[tuple[Any, ...], Tensor], int]


@dataclass
class ConventionTally:
    """What the calls that reach an output cost. Activations and convolutions are no part of it."""

    macs: int = 0
    matmul_macs: int = 0
    uncounted: Counter[str] = field(default_factory=Counter)
    operators: Breakdown = field(default_factory=Breakdown)
    modules: Breakdown = field(default_factory=Breakdown)
    activations: None = None
    convs: None = None


@dataclass(frozen=True)
class _NotedCall:
    """One call without its tensors, which are known by their storages. None is one without."""

    name: str
    macs: int
    module: str
    given: frozenset[StorageWeakRef | None]
    made: frozenset[StorageWeakRef | None]


class FvcoreConvention(OutermostCalls):
    """Notes the calls of a forward while it is entered; `tally` then tells what they cost.

    `stack` tells which module a call belongs to.
    """

    def __init__(self, stack: ModuleStack | None = None) -> None:
        super().__init__()
        self._stack = stack or ModuleStack()
        self._calls: list[_NotedCall] = []

    def called(self, call: OutermostCall) -> None:
        """Note one call and, while its tensors are there, what it costs."""
        rule = _RULES.get(call.name)
        self._calls.append(
            _NotedCall(
                call.name,
                0 if rule is None else rule(call.args, call.out),
                self._stack.name,
                frozenset(map(_storage, _computed(call.args))),
                frozenset(map(_storage, _tensors((call.out, call.written)))),
            )
        )

    def tally(self, output: Any) -> ConventionTally:
        """What it cost to make the `output` of the forward."""
        tally = ConventionTally()
        for call in self._reaching(output):
            if call.name not in _RULES:
                tally.uncounted[call.name] += not is_free(call.name)
                continue
            tally.macs += call.macs
            tally.matmul_macs += call.macs if call.name in _PRODUCTS else 0
            tally.operators.add(_NAMES.get(call.name, call.name.partition("::")[2]), call.macs)
            tally.modules.add(call.module, call.macs)
        tally.uncounted += Counter()  # without those that are free
        return tally

    def _reaching(self, output: Any) -> Iterator[_NotedCall]:
        """The calls that the output was made with, the last one first.

        A storage stands for all of its views. What has none can't be followed, and is kept.
        """
        needed = {None, *map(_storage, _tensors(output))}
        for call in reversed(self._calls):
            if needed & call.made:
                needed |= call.given
                yield call


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from _tensors((*value.values(),))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)


def _computed(value: Any) -> Iterator[Tensor]:
    """Without parameters, which a traced graph is given: it does not see `weight.data = made`."""
    return (tensor for tensor in _tensors(value) if not isinstance(tensor, nn.Parameter))


def _storage(tensor: Tensor) -> StorageWeakRef | None:
    """Kept weakly: without its data, but no other storage gets its address."""
    try:
        return StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]
    except (NotImplementedError, RuntimeError):  # sparse tensors
        return None


def _product(left: int) -> CallRule:
    """Of a product whose left factor is the argument at `left`, and the right one the next."""

    def rule(args: tuple[Any, ...], _: Tensor) -> int:
        right = args[left + 1].shape
        return int(prod(args[left].shape) * (right[-1] if len(right) > 1 else 1))

    return rule


def _linear(args: tuple[Any, ...], _: Tensor) -> int:
    return int(prod(args[0].shape) * args[1].shape[0])


def _einsum(args: tuple[Any, ...], _: Tensor) -> int:
    """Numpy's estimate, which fvcore reads from a text of four digits, but for two equations."""
    import numpy as np  # for this operator only

    equation, operands = args[0].replace(" ", ""), args[1]
    letters = dict.fromkeys(letter for letter in equation if letter.isalpha())
    alike = equation.translate({ord(it): ord("a") + at for at, it in enumerate(letters)})
    shapes: list[tuple[int, ...]] = [tuple(operand.shape) for operand in operands]
    if alike == "abc,abd->acd":
        return prod(shapes[0]) * shapes[-1][-1]
    if alike == "abc,adc->adb":
        return prod(shapes[0]) * shapes[-1][1]
    empty = [np.broadcast_to(0.0, shape) for shape in shapes]
    told = np.einsum_path(alike, *empty, optimize="optimal")[1]
    flops = next(line for line in told.splitlines() if "optimized flop" in line.lower())
    return floor(float(flops.rpartition(":")[2]) / 2)


def _norm(weight: int) -> CallRule:
    def rule(args: tuple[Any, ...], _: Tensor) -> int:
        return int(args[0].numel() * (5 if _is_given(args, weight) else 4))

    return rule


def _batch_norm(args: tuple[Any, ...], out: Tensor) -> int:
    if args[5]:  # in training
        return _norm(1)(args, out)
    return int(args[0].numel() * (2 if _is_given(args, 1) else 1))


def _is_given(args: tuple[Any, ...], at: int) -> bool:
    return len(args) > at and args[at] is not None


def _made(each: int) -> CallRule:
    return lambda _, out: int(out.numel() * each)


_PRODUCTS: dict[str, CallRule] = {
    "aten::convolution": convolution,
    "aten::_convolution": convolution,
    "aten::addmm": _product(1),
    "aten::bmm": _product(0),
    "aten::mm": _product(0),
    "aten::matmul": _product(0),
    "aten::linalg_matmul": _product(0),
    "aten::linear": _linear,
    "aten::einsum": _einsum,
}
_RULES: dict[str, CallRule] = {
    **_PRODUCTS,
    "aten::batch_norm": _batch_norm,
    "aten::group_norm": _norm(2),
    "aten::layer_norm": _norm(2),
    "aten::instance_norm": _norm(1),
    "aten::upsample_nearest2d": _made(1),
    "aten::upsample_bilinear2d": _made(4),
    "aten::grid_sampler": _made(4),
    "aten::adaptive_avg_pool2d": lambda args, _: int(args[0].numel()),
}
_NAMES = {
    "aten::convolution": "conv",
    "aten::_convolution": "conv",
    "aten::linalg_matmul": "matmul",
}
