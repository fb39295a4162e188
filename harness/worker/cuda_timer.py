"""The clock of a GPU: events on the stream, the wall beside them, and a cold cache before both."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch

# bound before any submission is imported, so that a clock patched in place changes nothing here
_now = time.perf_counter
_cuda = SimpleNamespace(
    Event=torch.cuda.Event,
    synchronize=torch.cuda.synchronize,
    current_device=torch.cuda.current_device,
    get_device_properties=torch.cuda.get_device_properties,
)
_CHUNK = 2 * 2**20  # bytes in which PyTorch takes memory for large tensors, so none is unaccounted
_TIMES_CACHE = 2  # as much again as the cache holds: nothing of before is left in it
_UNKNOWN_CACHE = 64 * 2**20  # bytes, where torch does not tell: above any GPU's of today
TimedCall = Callable[[torch.Tensor], Any]


class CudaTimer:
    """Times single forwards. `device_wall_s` is of the last one: synchronised, on every stream.

    Events see the stream they are recorded on, which is what the official scripts time. Work that a
    model sends to another stream shows in the wall alone.
    """

    def __init__(self, cuda: Any = _cuda, empty: Callable[..., Any] = torch.empty) -> None:
        self._event, self._synchronize = cuda.Event, cuda.synchronize
        properties = cuda.get_device_properties(cuda.current_device())
        cache = int(getattr(properties, "L2_cache_size", 0)) or _UNKNOWN_CACHE
        self.scratch_bytes = -(-_TIMES_CACHE * cache // _CHUNK) * _CHUNK
        self._scratch = empty(self.scratch_bytes, dtype=torch.uint8, device="cuda")
        self.device_wall_s = 0.0

    def __call__(self, call: TimedCall, batch: torch.Tensor) -> tuple[float, Any]:
        """Seconds of a forward by events, and its result."""
        start, end = self._event(enable_timing=True), self._event(enable_timing=True)
        self._scratch.zero_()  # written over: weights and inputs come from memory, as in use
        self._synchronize()
        began = _now()
        start.record()
        result = call(batch)
        end.record()
        self._synchronize()
        self.device_wall_s = _now() - began
        return start.elapsed_time(end) / 1000.0, result
