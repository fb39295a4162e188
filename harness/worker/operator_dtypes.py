"""One forward that is watched and not timed: its operators' precision, and what they cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._pytree import tree_leaves

from harness.wire.messages import Observed
from harness.worker.dispatch_mode import LightDispatchMode


class _Dtypes(LightDispatchMode):  # type: ignore[no-untyped-call] # torch's __init_subclass__
    """Counts operators by the narrowest floating dtype of the tensors that they are given."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operator, and note what it was given."""
        given = [it for it in tree_leaves((args, kwargs)) if isinstance(it, torch.Tensor)]
        dtypes = [it.dtype for it in given if it.dtype.is_floating_point]
        if dtypes:
            self.calls[str(min(dtypes, key=lambda it: it.itemsize)).removeprefix("torch.")] += 1
        return func(*args, **(kwargs or {}))


def observe(call: Callable[[torch.Tensor], Any], batch: torch.Tensor) -> Observed:
    """The dtypes and cost of a forward's operators, and whether it changed its input."""
    from harness.worker.count.dispatch import DispatchCounter  # for this message only

    before = batch.clone()
    mode, counter = _Dtypes(), DispatchCounter()
    try:
        with torch.no_grad(), mode, counter:
            call(batch)
    except Exception as error:  # noqa: BLE001 - it ran unwatched: that it can't be watched is no fault
        return Observed(error=f"{type(error).__name__}: {error}"[:200])
    changed = not batch.is_meta and not torch.equal(before, batch)
    return Observed(dict(mode.calls), counter.tally.macs, input_changed=changed)
