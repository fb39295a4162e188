"""A fast meta device: the commonest operators answered from their shapes alone.

torch has these answers too, but computes many of them in Python that loads its compiler and sympy
at first use: two seconds in every process, where a count takes half a second. Whatever is not
plainly of a simple case is left to torch, and every model's forward on the meta device is checked
against one on the CPU (`harness.worker.count.device_choice`).

A rule of a shape gets positional arguments in the order of the operator's schema, of which every
tensor is on the meta device and all have one floating point type. It returns None where its case
isn't plain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest
from math import prod
from typing import Any

import torch
from torch import Tensor

from harness.worker.dispatch_mode import LightDispatchMode

Rule = Callable[[tuple[Any, ...]], Any]


def convolution(args: tuple[Any, ...]) -> Tensor | None:
    """Any number of dimensions, transposed or not; contiguous input."""
    image, weight, _, stride, padding, dilation, transposed, extra, groups = args[:9]
    axes = weight.dim() - 2
    takes = weight.shape[0] if transposed else weight.shape[1] * groups
    if image.dim() != weight.dim() or image.shape[1] != takes or not image.is_contiguous():
        return None
    reaches = [
        d * (k - 1) + 1 for d, k in zip(_each(dilation, axes), weight.shape[2:], strict=True)
    ]
    each = (_each(stride, axes), _each(padding, axes), reaches)
    around = zip(image.shape[2:], *each, strict=True)
    if transposed:
        grown = [(n - 1) * step - 2 * pad + reach for n, step, pad, reach in around]
        sides = [n + more for n, more in zip(grown, _each(extra, axes), strict=True)]
    else:
        sides = [(n + 2 * pad - reach) // step + 1 for n, step, pad, reach in around]
    channels = weight.shape[1] * groups if transposed else weight.shape[0]
    return image.new_empty((image.shape[0], channels, *sides)) if min(sides) > 0 else None


def elementwise(args: tuple[Any, ...]) -> Tensor | None:
    """Of tensors and real numbers, broadcast; the memory layout of the largest."""
    if not all(isinstance(arg, (Tensor, int, float, type(None))) for arg in args):
        return None
    tensors = [arg for arg in args if isinstance(arg, Tensor)]
    shape = _broadcast([tuple(tensor.shape) for tensor in tensors])
    if shape is None:
        return None
    whole = (tensor for tensor in tensors if tuple(tensor.shape) == shape)
    largest = next(whole, None)
    return tensors[0].new_empty(shape) if largest is None else like_first((largest,))


def like_first(args: tuple[Any, ...]) -> Tensor | None:
    """The shape and memory layout of the first tensor, whatever the other arguments are."""
    first: Tensor = args[0]
    return first.new_empty_strided(first.shape, first.stride()) if _dense(first) else None


def contiguous_like_first(args: tuple[Any, ...]) -> Tensor:
    """The shape of the first tensor, in plain order."""
    first: Tensor = args[0]
    return first.new_empty(first.shape)


def first_itself(args: tuple[Any, ...]) -> Tensor:
    """In place."""
    result: Tensor = args[0]
    return result


def reduction(args: tuple[Any, ...]) -> Tensor | None:
    """Over named axes: (input, axes, keepdim)."""
    image: Tensor
    image, axes, keep = args[0], args[1], len(args) > 2 and args[2]
    if not isinstance(axes, Sequence) or not axes or len(args) > 3:
        return None
    gone = {axis % image.dim() for axis in axes}
    sides = enumerate(image.shape)
    return image.new_empty([1 if at in gone else n for at, n in sides if keep or at not in gone])


def resize(args: tuple[Any, ...]) -> Tensor | None:
    """Interpolation of an N x C x H x W tensor to the size in the second argument."""
    image: Tensor
    image, size = args[:2]
    if image.dim() != 4 or not image.is_contiguous() or len(size) != 2 or min(size) < 1:
        return None
    return image.new_empty((*image.shape[:2], *size))


def pixel_shuffle(args: tuple[Any, ...]) -> Tensor | None:
    """From N x C r r x H x W to N x C x H r x W r."""
    image: Tensor
    image, factor = args
    if image.dim() != 4 or image.shape[1] % factor**2:
        return None
    batch, channels, height, width = image.shape
    return image.new_empty((batch, channels // factor**2, height * factor, width * factor))


def max_pool(args: tuple[Any, ...]) -> tuple[Tensor, Tensor] | None:
    """Without dilation and ceil mode: values and indices."""
    image, kernel = args[0], _each(args[1], 2)
    if image.dim() != 4 or not image.is_contiguous() or len(args) > 4:
        return None
    steps = _each(args[2], 2) if len(args) > 2 and args[2] else kernel
    padding = _each(args[3], 2) if len(args) > 3 else [0, 0]
    around = zip(image.shape[2:], kernel, padding, steps, strict=True)
    sides = [(n + 2 * pad - k) // step + 1 for n, k, pad, step in around]
    if min(sides) < 1:
        return None
    shape = (*image.shape[:2], *sides)
    return image.new_empty(shape), image.new_empty(shape, dtype=torch.int64)


def concatenation(args: tuple[Any, ...]) -> Tensor | None:
    """Of tensors that agree in all axes but one."""
    tensors, axis = args[0], args[1] if len(args) > 1 else 0
    plain = all(t.is_meta and t.dtype == tensors[0].dtype and t.is_contiguous() for t in tensors)
    ranks = {t.dim() for t in tensors}
    if not plain or len(ranks) != 1 or 0 in ranks:
        return None
    axis %= tensors[0].dim()
    shapes = [list(t.shape) for t in tensors]
    total = sum(shape[axis] for shape in shapes)
    for shape in shapes:
        shape[axis] = total
    return tensors[0].new_empty(shapes[0]) if all(s == shapes[0] for s in shapes) else None


def product(args: tuple[Any, ...]) -> Tensor | None:
    """Of two matrices, or of two stacks of them."""
    left, right = args[:2]
    fits = left.shape[:-2] == right.shape[:-2] and left.shape[-1] == right.shape[-2]
    return left.new_empty((*left.shape[:-1], right.shape[-1])) if fits else None


def added_product(args: tuple[Any, ...]) -> Tensor | None:
    """Of two matrices, with a bias of one row."""
    bias, left, right = args[:3]
    out = product((left, right))
    return out if out is not None and prod(bias.shape) == right.shape[-1] else None


def _each(size: Sequence[int], axes: int) -> list[int]:
    return list(size) * axes if len(size) == 1 else list(size)


def _dense(tensor: Tensor) -> bool:
    """Whether the elements fill their memory without gap or overlap, in whatever order of axes."""
    expected = 1
    for stride, side in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if side != 1 and stride != expected:
            return False
        expected *= side
    return True


def _broadcast(shapes: list[tuple[int, ...]]) -> tuple[int, ...] | None:
    """torch.broadcast_shapes, which loads sympy, does the same."""
    sides = []
    for column in zip_longest(*(reversed(shape) for shape in shapes), fillvalue=1):
        larger = {side for side in column if side != 1}
        if len(larger) > 1:
            return None
        sides.append(larger.pop() if larger else 1)
    return tuple(reversed(sides))


_aten = torch.ops.aten
_RULES: dict[Any, Rule] = {
    _aten.convolution.default: convolution,
    _aten._convolution.default: convolution,  # noqa: SLF001
    _aten.mean.dim: reduction,
    _aten.sum.dim_IntList: reduction,
    _aten.upsample_bilinear2d.default: resize,
    _aten.upsample_bicubic2d.default: resize,
    _aten.upsample_nearest2d.default: resize,
    _aten.pixel_shuffle.default: pixel_shuffle,
    _aten.max_pool2d_with_indices.default: max_pool,
    _aten.cat.default: concatenation,
    _aten.mm.default: product,
    _aten.bmm.default: product,
    _aten.addmm.default: added_product,
    _aten._softmax.default: contiguous_like_first,  # noqa: SLF001
    _aten._prelu_kernel.default: like_first,  # noqa: SLF001
    **dict.fromkeys(
        (
            *(_aten.add.Tensor, _aten.sub.Tensor, _aten.mul.Tensor, _aten.div.Tensor),
            *(_aten.add.Scalar, _aten.sub.Scalar, _aten.mul.Scalar, _aten.div.Scalar),
            *(_aten.pow.Tensor_Scalar, _aten.rsub.Scalar, _aten.clamp.default),
            *(_aten.hardtanh.default, _aten.elu.default, _aten.leaky_relu.default),
        ),
        elementwise,
    ),
    **dict.fromkeys(
        (
            *(_aten.relu.default, _aten.gelu.default, _aten.silu.default, _aten.sigmoid.default),
            *(_aten.tanh.default, _aten.sqrt.default, _aten.hardsigmoid.default),
        ),
        like_first,
    ),
    **dict.fromkeys(
        (
            *(_aten.leaky_relu_.default, _aten.relu_.default, _aten.elu_.default),
            *(_aten.silu_.default, _aten.hardtanh_.default, _aten.sigmoid_.default),
        ),
        first_itself,
    ),
}


def answer(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What an operator returns on the meta device; None where torch has to tell."""
    rule = _RULES.get(func)
    return rule(args) if rule is not None and not kwargs and _plain(args) else None


class FastMeta(LightDispatchMode):  # type: ignore[no-untyped-call]
    """While entered, answers for the meta device what it can; the rest goes on to torch."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Answer or run one operator."""
        # a tracer waits for this very operator, to record the parts of it: it has to run
        recorded = torch._C._get_tracing_state() is not None  # noqa: SLF001
        out = None if recorded else answer(func, args, kwargs or {})
        return func(*args, **(kwargs or {})) if out is None else out


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
