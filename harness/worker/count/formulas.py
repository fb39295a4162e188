"""Multiply-adds of the operators that multiply matrices, from the shapes of their tensors.

One multiply-add counts as 1. Biases and the scaling inside an attention are left out, as all the
literature's counters do.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from torch import Tensor

Formula = Callable[[tuple[Any, ...], Tensor], int]


def convolution(args: tuple[Any, ...], out: Tensor) -> int:
    """Of `aten::convolution`, any number of dimensions, grouped or transposed.

    A convolution uses its kernel once per output pixel, a transposed one once per input pixel.
    """
    image, weight, transposed = args[0], args[1], args[6]
    spatial = (image if transposed else out).shape[2:]
    return int(image.shape[0] * prod(weight.shape) * prod(spatial))


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
