"""What a call costs that multiplies no matrices, in products and sums of real numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from harness.worker.count.formulas import reals

_NEIGHBOURS = {"upsample_bilinear2d": 4, "upsample_bicubic2d": 16}  # that a value is made of
_SPLITS = {"chunk": "chunks", "tensor_split": "sections", "hsplit": "sections"}


def cost(name: str, given: Mapping[str, Any], before: list[Tensor], made: list[Tensor]) -> int:
    """Of `aten.NAME.OVERLOAD`: what it is given, or what it makes times what each value takes.

    `given` are its arguments by their names, `before` and `made` the tensors among them and those
    of the result.
    """
    base, each = name.split(".")[1], 1
    if not made:
        return 0
    if base.startswith("adaptive_"):
        return _windows(before[0].shape, made[0].shape, int(base[-2])) * reals(made[0])
    if "pool" in base:
        each = math.prod(_sides(given["kernel_size"], int(base.partition("pool")[2][0])))
    each = _NEIGHBOURS.get(base, each)
    values = max(tensor.numel() * each for tensor in made)
    return max([values, *(tensor.numel() for tensor in before)]) * reals(made[0])


def parts(name: str, given: Mapping[str, Any]) -> int:
    """Into how many tensors a call cuts one."""
    base, overload = name.split(".")[1:]
    if base in _SPLITS and overload != "indices":
        return int(given[_SPLITS[base]])
    if base in ("split", "unbind") and overload != "sizes":
        return int(given["self"].shape[given["dim"]] // max(given.get("split_size", 1), 1))
    return 1


def _windows(before: Sequence[int], made: Sequence[int], axes: int) -> int:
    """Values in all windows of an adaptive pool; along an axis neighbours share one, or none."""
    pooled = zip(before[-axes:], made[-axes:], strict=True)
    return math.prod(before[:-axes]) * math.prod(n + m - math.gcd(n, m) for n, m in pooled)


def _sides(given: Any, axes: int) -> tuple[int, ...]:
    sides = tuple(given) if isinstance(given, Sequence) else (given,)
    return sides * axes if len(sides) == 1 else sides
