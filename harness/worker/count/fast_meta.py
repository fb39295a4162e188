"""A fast meta device: the commonest operators answered from their shapes alone.

torch has these answers too, but computes many of them in Python that loads its compiler and sympy
at first use: two seconds in every process, where a count takes half a second. Whatever is not
plainly of a simple case is left to torch, and every model's forward on the meta device is checked
against one on the CPU (`harness.worker.count.device_choice`).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from harness.worker.count.shape_rules import SHAPE_RULES
from harness.worker.dispatch_mode import LightDispatchMode


class FastMeta(LightDispatchMode):  # type: ignore[no-untyped-call]
    """While entered, answers for the meta device what it can; the rest goes on to torch."""

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Answer or run one operator."""
        rule = SHAPE_RULES.get(func)
        # a tracer waits for this very operator, to record the parts of it: it has to run
        recorded = torch._C._get_tracing_state() is not None  # noqa: SLF001
        if rule is not None and not kwargs and _plain(args) and not recorded:
            out = rule(args)
            if out is not None:
                return out
        return func(*args, **(kwargs or {}))


def _plain(args: tuple[Any, ...]) -> bool:
    """Whether all tensors are on the meta device and of one floating point type."""
    first = args[0][0] if isinstance(args[0], (list, tuple)) else args[0]
    return (
        isinstance(first, Tensor)
        and first.is_floating_point()
        and all(
            arg.is_meta and arg.dtype == first.dtype
            for arg in (first, *args)
            if isinstance(arg, Tensor)
        )
    )
