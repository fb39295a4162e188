"""Functions that a measurement rests on, bound before any submission is imported.

Compared by identity afterwards, and so are the objects that they are called on. The measurement
itself uses references of its own, so that a function patched in place changes no figure: that one
was patched is what is told. A submission that knows this module can hide it; what the trusted
side's clock sees it can't.
"""

from __future__ import annotations

import gc
import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    "torch.Tensor": (
        *("cpu", "to", "detach", "numpy", "clamp", "sub_", "mul_", "round_", "permute"),
        *("copy_", "contiguous", "__getitem__"),
    ),
    "harness.worker.runner": (
        "_now",
        "_cpu_seconds",
        "_to_planes",
        "_scaled",
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


@dataclass(frozen=True)
class HeldObject:
    """One of our objects, its class, and what it holds that is called or is ours as well."""

    held: Any
    kind: type
    attributes: Mapping[str, Any]

    def touched(self) -> Iterator[str]:
        """What has another value by now, or stands before a method of its class."""
        name = f"{self.kind.__module__}.{self.kind.__qualname__}"
        if type(self.held) is not self.kind:
            yield f"{name} (the class of an object)"
        now = vars(self.held)
        for key in {*now, *self.attributes}:
            same = now.get(key) is self.attributes.get(key, now.get(key))
            if not same or callable(getattr(self.kind, key, None)):
                yield f"{name}.{key} (of an object)"


def held() -> tuple[HeldObject, ...]:
    """All that is alive of the classes whose methods are watched."""
    kinds = [getattr(_holder(module), name.partition(".")[0]) for module, name in _methods()]
    found = (it for it in gc.get_objects() if any(type(it) is kind for kind in kinds))
    return tuple(HeldObject(it, type(it), _firm(it)) for it in found)


def _methods() -> Iterator[tuple[str, str]]:
    for module, names in WATCHED.items():
        yield from ((module, name) for name in names if "." in name)


def _firm(ours: Any) -> dict[str, Any]:
    def is_firm(value: Any) -> bool:
        return callable(value) or type(value).__module__.startswith("harness.")

    return {name: value for name, value in vars(ours).items() if is_firm(value)}


def _holder(module: str) -> Any:
    return torch.Tensor if module == "torch.Tensor" else importlib.import_module(module)


def bound() -> dict[str, tuple[Any, Any]]:
    """Each watched function as it is now, with its code where it is Python's."""
    found = {}
    for module, names in WATCHED.items():
        for name in names:
            value = _holder(module)
            for part in name.split("."):
                value = getattr(value, part, None)
            found[f"{module}.{name}"] = value, getattr(value, "__code__", None)
    return found


def rebound(
    before: Mapping[str, tuple[Any, Any]], objects: Sequence[HeldObject] = ()
) -> tuple[str, ...]:
    """The names of those that are another object, or hold other code, than `before`."""
    now = bound()
    functions = (
        name
        for name, known in before.items()
        if any(ours is not theirs for ours, theirs in zip(known, now[name], strict=True))
    )
    return (*functions, *sorted({name for it in objects for name in it.touched()}))
