"""Arithmetic on sizes: what a network computes of shapes, as arrays of Python's numbers.

Such numbers may be those that torch.export leaves open, so that one graph serves every size.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

Sizes = npt.NDArray[Any]  # of objects: whole numbers, floats, truths
SIZES_CAP = 4096  # of one value
_END = 2**31  # of slices: the standard has larger numbers for it, which no size is
_FLOATING = (1, 10, 11, 16)  # kinds of a cast


def sizes(numbers: Sequence[Any]) -> Sizes:
    """An array of these numbers as they are."""
    made = np.empty(len(numbers), dtype=object)
    for place, number in enumerate(numbers):
        made[place] = number
    return made


def numbers(value: Any) -> list[Any]:
    """The numbers of a value; TypeError for one that is computed from the image."""
    if not isinstance(value, np.ndarray):
        raise TypeError("it takes sizes that are computed from the image's own values")
    return list(value.astype(object).reshape(-1))


def whole(value: Any) -> list[Any]:
    """The numbers of a value as whole ones."""
    return [_truncated(number) for number in numbers(value)]


def computed(kind: str, given: Sequence[Any], attributes: Mapping[str, Any]) -> Sizes | None:
    """What an operator gives of sizes and small constants alone; None where it does not."""
    if not all(
        isinstance(it, np.ndarray) and it.size <= SIZES_CAP for it in given if it is not None
    ):
        return None
    arrays = [None if it is None else it.astype(object) for it in given]
    if not arrays or _count(kind, arrays, attributes) > SIZES_CAP or attributes.get("fmod"):
        return None
    if kind in _EACH:
        found = _EACH[kind](*arrays)
    else:
        rule = _RULES.get(kind)
        found = rule(arrays, attributes) if rule else None
    return None if found is None else _bounded(np.asarray(found, dtype=object))


def _count(kind: str, given: Sequence[Any], attributes: Mapping[str, Any]) -> int:
    """How many numbers the result holds, at most."""
    rule = _COUNTS.get(kind, _count_of_first)
    return _count_of_all(given) if kind in _EACH else rule(given, attributes)


def _count_of_all(given: Sequence[Any]) -> int:
    return int(math.prod(np.broadcast_shapes(*map(np.shape, given))))


def _count_of_first(given: Sequence[Any], _: Mapping[str, Any]) -> int:
    return math.prod(np.shape(given[0]))


def _count_of_gathered(given: Sequence[Any], attributes: Mapping[str, Any]) -> int:
    shape = list(np.shape(given[0]))
    shape[attributes.get("axis", 0)] = 1
    return int(math.prod(shape) * math.prod(np.shape(given[1])))


def _count_of_expanded(given: Sequence[Any], _: Mapping[str, Any]) -> int:
    sides = tuple(int(it) for it in given[1])
    return _count_of_all([given[0], np.broadcast_to(0, sides)])


def _bounded(found: Sizes) -> Sizes:
    """The same; OverflowError where one is no number of 64 bits, as those of the standard are.

    Of a number that is left open the one that it stands for is looked at.
    """
    for number in found.reshape(-1):
        plain = getattr(getattr(number, "node", None), "hint", number)
        if isinstance(plain, int) and not -(2**63) <= plain < 2**63:
            raise OverflowError("it computes a size beyond 64 bits")
    return found


def _truncated(number: Any) -> Any:
    return number if isinstance(number, int | torch.SymInt) else math.trunc(number)


def _divided(one: Any, other: Any) -> Any:
    """As the standard divides: whole numbers are truncated, and sizes are never negative."""
    both = isinstance(one, int | torch.SymInt) and isinstance(other, int | torch.SymInt)
    return one // other if both else one / other


def _each(of: Callable[..., Any], many: int) -> Callable[..., Any]:
    found: Callable[..., Any] = np.frompyfunc(of, many, 1)
    return found


_EACH: dict[str, Callable[..., Any]] = {
    "Add": _each(operator.add, 2),
    "Sub": _each(operator.sub, 2),
    "Mul": _each(operator.mul, 2),
    "Div": _each(_divided, 2),
    "Mod": _each(operator.mod, 2),
    "Min": _each(torch.sym_min, 2),
    "Max": _each(torch.sym_max, 2),
    "Equal": _each(operator.eq, 2),
    "Greater": _each(operator.gt, 2),
    "Less": _each(operator.lt, 2),
    "Floor": _each(math.floor, 1),
    "Ceil": _each(math.ceil, 1),
    "Neg": _each(operator.neg, 1),
    "Sqrt": _each(lambda number: number**0.5, 1),
    "Not": _each(operator.not_, 1),
    "Identity": _each(lambda number: number, 1),
    "Where": _each(lambda so, one, other: one if so else other, 3),
}


def _cast(given: list[Any], attributes: Mapping[str, Any]) -> Any:
    floating = attributes.get("to") in _FLOATING
    return _each(torch.sym_float if floating else _truncated, 1)(given[0])


def _gather(given: list[Any], attributes: Mapping[str, Any]) -> Any:
    return np.take(given[0], given[1].astype(np.int64), axis=attributes.get("axis", 0))


def _cut(given: list[Any], attributes: Mapping[str, Any]) -> Any:
    """As `Slice` in its newer form, with the numbers as inputs, and in its older one."""
    told: list[Any] = [numbers(it) if it is not None else None for it in given[1:]]
    told += [attributes.get(name) for name in ("starts", "ends", "axes")][len(told) :]
    starts, ends, axes, *more = told
    steps = more[0] if more and more[0] is not None else [1] * len(starts)
    parts = [slice(None)] * given[0].ndim
    for axis, start, end, step in zip(axes or range(len(starts)), starts, ends, steps, strict=True):
        last = None if abs(end) >= _END else end
        parts[axis] = slice(None if abs(start) >= _END else start, last, step)
    return given[0][tuple(parts)]


def _filled(given: list[Any], attributes: Mapping[str, Any]) -> Any:
    shape, value = numbers(given[0]), attributes.get("value")
    if not all(type(side) is int for side in shape) or math.prod(shape) > SIZES_CAP:
        return None
    filled = np.empty(shape, dtype=object)
    filled[...] = 0.0 if value is None else np.asarray(value).reshape(-1).tolist()[0]
    return filled


def _axes(given: list[Any], attributes: Mapping[str, Any]) -> tuple[int, ...]:
    told = numbers(given[1]) if len(given) > 1 else attributes.get("axes")
    return tuple(map(int, told or ()))


def _product(given: list[Any], attributes: Mapping[str, Any]) -> Any:
    """Of all numbers of a row; None along an axis of more."""
    if given[0].ndim > 1 or not set(_axes(given, attributes)) <= {0, -1}:
        return None
    product = np.asarray(math.prod(given[0].reshape(-1)), dtype=object)
    return product.reshape([1] * given[0].ndim) if attributes.get("keepdims", 1) else product


def _reshaped(given: list[Any], _: Mapping[str, Any]) -> Any:
    sides = [int(it) for it in given[1]]
    return None if 0 in sides else given[0].reshape(sides)


_COUNTS: dict[str, Callable[[Sequence[Any], Mapping[str, Any]], int]] = {
    "Concat": lambda given, _: sum(math.prod(np.shape(it)) for it in given),
    "Gather": _count_of_gathered,
    "Expand": _count_of_expanded,
    "Range": lambda given, _: len(range(*(int(it.item()) for it in given))),
}
_RULES: dict[str, Callable[[list[Any], Mapping[str, Any]], Any]] = {
    "Cast": _cast,
    "Gather": _gather,
    "Concat": lambda given, said: np.concatenate(given, axis=said["axis"]),
    "Slice": _cut,
    "ConstantOfShape": _filled,
    "Unsqueeze": lambda given, said: np.expand_dims(given[0], _axes(given, said)),
    "Squeeze": lambda given, said: np.squeeze(given[0], _axes(given, said) or None),
    "Reshape": _reshaped,
    "Transpose": lambda given, said: np.transpose(given[0], said.get("perm")),
    "Range": lambda given, _: sizes(range(*(int(it.item()) for it in given))),
    "ReduceProd": _product,
    "Expand": lambda given, _: np.broadcast_to(given[0], [int(it) for it in given[1]]),
}
