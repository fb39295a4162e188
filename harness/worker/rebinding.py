"""Functions that a measurement rests on, bound before any submission is imported.

Compared by identity afterwards. The measurement itself uses references of its own, so that a
function patched in place changes no figure: that one was patched is what is told. A submission that
knows this module can hide it; what the trusted side's clock sees it can't.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import torch

_CLOCKS = tuple(
    f"{name}{unit}"
    for name in ("perf_counter", "monotonic", "process_time", "thread_time", "time")
    for unit in ("", "_ns")
)
WATCHED: Mapping[str, tuple[str, ...]] = {
    "time": (*_CLOCKS, "sleep"),
    "torch.cuda": ("synchronize", "Event", "Stream", "current_stream", "max_memory_allocated"),
    "torch": ("no_grad", "aminmax", "from_numpy"),
    # what an output goes through when it is collected
    "torch.Tensor": ("cpu", "to", "detach", "numpy", "clamp", "mul_", "round_", "permute"),
    "harness.worker.runner": (
        "_now",
        "_cpu_seconds",
        "_to_image",
        "checked",
        "Runner.forward",
        "Runner.collect",
    ),
    "harness.worker.cuda_timer": ("CudaTimer.__call__",),
    "harness.worker.serve": ("Worker.answer", "Worker._on_image", "guarded", "_exchange", "Done"),
    "harness.worker.global_settings": ("read", "differences", "put_back"),
    "harness.wire.channel": ("Channel.send", "Channel.receive"),
    "harness.wire.codec": ("encode", "decode_marked"),
}


def bound() -> dict[str, tuple[Any, Any]]:
    """Each watched function as it is now, with its code where it is Python's."""
    found = {}
    for module, names in WATCHED.items():
        holder = torch.Tensor if module == "torch.Tensor" else importlib.import_module(module)
        for name in names:
            value: Any = holder
            for part in name.split("."):
                value = getattr(value, part, None)
            found[f"{module}.{name}"] = value, getattr(value, "__code__", None)
    return found


def rebound(before: Mapping[str, tuple[Any, Any]]) -> tuple[str, ...]:
    """The names of those that are another object, or hold other code, than `before`."""
    now = bound()
    return tuple(
        name
        for name, known in before.items()
        if any(ours is not theirs for ours, theirs in zip(known, now[name], strict=True))
    )
