"""Multiply-adds of the operators that multiply matrices, from the shapes of their tensors, and
what weights cost at the least, from their elements and the positions that they are used at.

One multiply-add counts as 1. Biases and the scaling inside an attention are left out, as all the
literature's counters do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

from torch import Tensor

Formula = Callable[[tuple[Any, ...], Tensor], int]
_BYTES = 4  # of a number that one product takes


def convolution(args: tuple[Any, ...], out: Tensor) -> int:
    """Of `aten::convolution`, any number of dimensions, grouped or transposed.

    A convolution uses its kernel once per output pixel, a transposed one once per input pixel.
    """
    image, weight, transposed = args[0], args[1], args[6]
    spatial = (image if transposed else out).shape[2:]
    return int(image.shape[0] * prod(weight.shape) * prod(spatial))


def reals(tensor: Tensor) -> int:
    """As how many products of real numbers one with a value of this type counts.

    One of 64 bits has room for two of 32, whose weights and images fit beside each other.
    """
    parts = 2 if tensor.is_complex() else 1
    return parts**2 * (2 if tensor.element_size() // parts > _BYTES else 1)


def attention(args: tuple[Any, ...], _out: Tensor) -> int:
    """Of a fused scaled dot product attention: query by key, then weights by value."""
    query, key, value = args[:3]
    return int(prod(query.shape[:-1]) * key.shape[-2] * (query.shape[-1] + value.shape[-1]))


def _product(left: int) -> Formula:
    """Of a product whose left factor is the argument at `left`, its last axis the summed one."""

    def formula(args: tuple[Any, ...], out: Tensor) -> int:
        return int(prod(out.shape) * args[left].shape[-1])

    return formula


def _summed_product(args: tuple[Any, ...], _out: Tensor) -> int:
    """Of `addbmm`, which adds the products of the whole batch up."""
    _, left, right = args[:3]
    return int(prod(left.shape) * right.shape[-1])


FORMULAS: dict[str, Formula] = {
    "convolution": convolution,
    "mm": _product(0),
    "bmm": _product(0),
    "mv": _product(0),
    "dot": _product(0),
    "vdot": _product(0),
    "addmm": _product(1),
    "baddbmm": _product(1),
    "addmv": _product(1),
    "addbmm": _summed_product,
    "_int_mm": _product(0),
    "_scaled_mm": _product(0),
    "_addmm_activation": _product(1),
    "_scaled_dot_product_flash_attention_for_cpu": attention,
    "_scaled_dot_product_flash_attention": attention,
    "_scaled_dot_product_efficient_attention": attention,
    "_scaled_dot_product_cudnn_attention": attention,
    "_scaled_dot_product_fused_attention_overrideable": attention,
}
"""By the name of the `aten` operator."""
Total = Literal["closed_form", "image_products", "weight_products"]
_FACTORS = {  # where the two factors of a product stand
    **dict.fromkeys(("mm", "bmm", "mv", "dot", "vdot", "_int_mm", "_scaled_mm"), (0, 1)),
    **dict.fromkeys(("addmm", "baddbmm", "addmv", "addbmm", "_addmm_activation"), (1, 2)),
}
_MATRICES = ("mm", "bmm", "addmm", "baddbmm", "_int_mm", "_scaled_mm", "_addmm_activation")


@dataclass(frozen=True)
class Meeting:
    """One operator: its multiply-adds, where they belong, and the weights among its factors."""

    total: Total
    macs: int
    weights: tuple[Tensor, ...] = ()


def formula_of(name: str) -> Formula | None:
    """The formula of an operator, `namespace::name`, in place or not."""
    namespace, _, operator = name.partition("::")
    return FORMULAS.get(operator.rstrip("_")) if namespace == "aten" else None


def known(name: str, args: tuple[Any, ...], out: Tensor, images: Collection[int]) -> Meeting:
    """An operator that has a formula; `images` are the ids of arguments that come of the image.

    A weight's cost is not taken from the formula: it is the weight's elements times positions.
    """
    operator = name.partition("::")[2].rstrip("_")
    factors = _factors(operator, args)
    weights = tuple(factor for factor in factors if id(factor) not in images)
    if not weights or len(weights) == len(factors):
        formula = FORMULAS[operator]
        return Meeting("weight_products" if weights else "image_products", formula(args, out))
    if operator == "convolution" and weights[0] is args[1]:
        return Meeting("closed_form", _convolved(args, out), weights)
    if operator in _MATRICES and len(weights) == 1:
        image = next(factor for factor in factors if factor is not weights[0])
        used_at = image.shape[-2] if weights[0] is factors[1] else image.shape[-1]
        return Meeting("closed_form", prod(weights[0].shape) * used_at, weights)
    return Meeting("closed_form", FORMULAS[operator](args, out), weights)


def opaque(given: tuple[Tensor, ...], outs: tuple[Tensor, ...], images: Collection[int]) -> Meeting:
    """An operator that nothing is known of, as if its weights were used at every position.

    Positions are those of its largest image or of its largest output, whichever are fewer: a
    convolution uses its kernel for each of its output, a transposed one for each of its image.
    """
    pictures = [tensor for tensor in given if id(tensor) in images]
    weights = kernels(given, images, channels=max(map(_channels, (*pictures, *outs))))
    used_at = min(max(map(_positions, pictures)), max(map(_positions, outs)))
    return Meeting("closed_form", used_at * sum(prod(it.shape) for it in weights), weights)


def kernels(
    given: tuple[Tensor, ...], images: Collection[int], *, channels: int
) -> tuple[Tensor, ...]:
    """What an operator was given beside images and is more than a scale and an offset a channel."""
    return tuple(it for it in given if id(it) not in images and it.numel() > 2 * channels)


def _factors(operator: str, args: tuple[Any, ...]) -> tuple[Tensor, ...]:
    if operator == "convolution":
        return args[0], args[1]
    if operator in _FACTORS:
        left, right = _FACTORS[operator]
        return args[left], args[right]
    return tuple(args[:3])  # attention: query, key, value


def _convolved(args: tuple[Any, ...], out: Tensor) -> int:
    image, weight, transposed = args[0], args[1], args[6]
    used_at = image if transposed else out
    return int(image.shape[0] * prod(used_at.shape[2:]) * prod(weight.shape))


def _positions(image: Tensor) -> int:
    """Of N x C x H x W, N x T x C or N x C."""
    if image.dim() >= 4:
        return int(image.shape[0] * prod(image.shape[2:]))
    return int(prod(image.shape[:-1]))


def _channels(image: Tensor) -> int:
    if image.dim() >= 4:
        return int(image.shape[1])
    return int(image.shape[-1]) if image.dim() else 1
