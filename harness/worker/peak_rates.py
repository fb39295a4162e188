"""What the device does at its best: the physical floor under every runtime.

Run in a worker that holds no submission. The best of many short tries in each precision, since a
machine that is busy for a moment must not look slow: everything else is held against this.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch.nn import functional

from harness.wire.messages import PeakRates

TRY_S = 0.15  # for each kind of work
WORSE = 3.0  # a precision that is so much slower than another at its first product is left at it
FIRST = 2  # tries: in the very first one a device also loads its kernels
_COPIES = {"cpu": (2**18, 2**20, 2**22), "cuda": (2**22, 2**24, 2**26)}  # floats, in caches or not
_IN_A_ROW = {"cpu": 1, "cuda": 10}  # calls of a try: a GPU must not wait for the next one to come
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_SIZES = {"cpu": (512, 64, 96), "cuda": (4096, 128, 512)}  # matrix side, channels, image side


def measured(device: str) -> PeakRates:
    """Multiply-adds in a second, by precision, and bytes."""
    rates: dict[str, float] = {}
    for name, dtype in _DTYPES.items():
        best = max(rates.values(), default=0.0)
        rates[name] = 0.0
        for macs, work in _products(device, dtype):
            took_s = min(_seconds(work, device) for _ in range(FIRST))
            rates[name] = max(rates[name], macs / took_s)
            if rates[name] * WORSE < best:
                break  # emulated: a single convolution may take a second
            rates[name] = max(rates[name], macs / _best(work, device))
    copied = max(_copied(device, floats) for floats in _COPIES[device])
    return PeakRates(rates, copied)


def _products(device: str, dtype: torch.dtype) -> list[tuple[float, Callable[[], object]]]:
    side, channels, pixels = _SIZES[device]
    one = torch.rand(side, side, device=device, dtype=dtype)
    image = torch.rand(1, channels, pixels, pixels, device=device, dtype=dtype)
    kernel = torch.rand(channels, channels, 3, 3, device=device, dtype=dtype)
    return [
        (float(side**3), lambda: torch.mm(one, one)),
        (float(channels**2 * 9 * pixels**2), lambda: functional.conv2d(image, kernel, padding=1)),
    ]


def _copied(device: str, floats: int) -> float:
    source = torch.rand(floats, device=device)
    target = torch.empty_like(source)
    return 2 * 4 * floats / _best(lambda: target.copy_(source), device)


def _best(work: Callable[[], object], device: str) -> float:
    until = time.perf_counter() + TRY_S
    best = _seconds(work, device)
    while time.perf_counter() < until:
        best = min(best, _seconds(work, device))
    return best


def _seconds(work: Callable[[], object], device: str) -> float:
    wait = torch.cuda.synchronize if device == "cuda" else _nothing
    wait()
    began = time.perf_counter()
    with torch.no_grad():
        for _ in range(_IN_A_ROW[device]):
            work()
    wait()
    return max(time.perf_counter() - began, 1e-9) / _IN_A_ROW[device]


def _nothing() -> None:
    """A CPU has finished when it returns."""
