"""Our own counter: every operator that PyTorch dispatches, wherever in the model it is called."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from harness.worker.count.breakdown import Breakdown
from harness.worker.count.formulas import formula_of, reals
from harness.worker.count.module_stack import ModuleStack
from harness.worker.count.operators import is_free
from harness.worker.dispatch_mode import LightDispatchMode, positional


@dataclass
class DispatchTally:
    """What was seen so far. `activations` and `convs`: 2-D convolutions, transposed ones too."""

    macs: int = 0
    activations: int = 0
    convs: int = 0
    uncounted: Counter[str] = field(default_factory=Counter)
    operators: Breakdown = field(default_factory=Breakdown)
    modules: Breakdown = field(default_factory=Breakdown)

    @property
    def matmul_macs(self) -> int:
        """All of them: no other operator has a formula."""
        return self.macs

    def figures(self) -> tuple[int, int, int]:
        """Multiply-adds, activations, convolutions."""
        return self.macs, self.activations, self.convs


class DispatchCounter(LightDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the operators that run while it is entered; the tally is in `tally`.

    `stack` tells which module an operator belongs to.

    Only operators with a formula have multiply-adds: convolutions, matrix products, attention.
    Unlike hooks it sees functional calls, and unlike torch's FlopCounterMode it has a formula for
    the CPU's attention kernel and reports what it has no formula for. It can't look into a custom
    operator, which is one opaque call: that is `uncounted`.
    """

    def __init__(self, stack: ModuleStack | None = None) -> None:
        super().__init__()
        self._stack = stack or ModuleStack()
        self.tally = DispatchTally()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operator and count it."""
        kwargs = kwargs or {}
        name = func._schema.name  # noqa: SLF001 - the only spelling of "namespace::operator"
        formula = formula_of(name)
        if formula is None and not is_free(name):
            with self:  # a compound operator is counted by its parts
                parts = func.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
            self.tally.uncounted[name] += 1
        out = func(*args, **kwargs)
        if formula is not None:
            first = out if isinstance(out, Tensor) else out[0]
            macs = reals(first) * formula(positional(func, args, kwargs), first)
            self._count(name, macs, args, out)
        return out

    def _count(self, name: str, macs: int, args: tuple[Any, ...], out: Any) -> None:
        self.tally.macs += macs
        self.tally.operators.add(name, macs)
        self.tally.modules.add(self._stack.name, macs)
        if name == "aten::convolution" and args[1].dim() == 4:
            self.tally.activations += out.numel()
            self.tally.convs += 1
