"""What a captured graph may call: pure ATen operators, and integer arithmetic on sizes.

Pure: the result depends on the arguments alone. Nothing here reads a file, keeps a state, draws a
random number, shows memory that nothing was written to, or is a custom operator. Operators that
write to their first argument are pure as well where that is a value of the same forward, which
`rebuild` checks. Left out are operators that don't check their bounds (`_reshape_alias`), leave
memory unwritten for arguments that they don't know (`grid_sampler`), or end the process
(`_upsample_bilinear2d_aa`).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import torch

LARGEST = 2**53
"""The largest size or index: beyond it nothing is one, and a product of products never ends."""


def _overloads(text: str) -> frozenset[str]:
    """`name` is the overload `default`, `name:a,b` are `a` and `b`."""
    names = set()
    for item in text.split():
        name, _, overloads = item.partition(":")
        names |= {f"aten.{name}.{overload or 'default'}" for overload in overloads.split(",")}
    return frozenset(names)


_ARITHMETIC = _overloads(
    "add:Tensor,Scalar sub:Tensor,Scalar rsub:Tensor,Scalar mul:Tensor,Scalar "
    "div:Tensor,Scalar,Tensor_mode,Scalar_mode pow:Tensor_Scalar,Tensor_Tensor,Scalar "
    "true_divide:Tensor,Scalar floor_divide:,Scalar remainder:Tensor,Scalar,Scalar_Tensor "
    "fmod:Tensor,Scalar neg abs sign sqrt rsqrt square reciprocal exp exp2 expm1 log log2 log10 "
    "log1p sin cos tan asin acos atan atan2 sinh cosh floor ceil round:,decimals trunc frac erf "
    "erfc clamp:,Tensor clip clamp_min:,Tensor clamp_max:,Tensor maximum minimum addcmul addcdiv "
    "lerp:Tensor,Scalar where:self,ScalarOther,ScalarSelf,Scalar eq:Tensor,Scalar ne:Tensor,Scalar "
    "lt:Tensor,Scalar le:Tensor,Scalar gt:Tensor,Scalar ge:Tensor,Scalar logical_and logical_or "
    "logical_not logical_xor bitwise_and:Tensor,Scalar bitwise_or:Tensor,Scalar "
    "bitwise_xor:Tensor,Scalar bitwise_not bitwise_left_shift:Tensor,Tensor_Scalar "
    "bitwise_right_shift:Tensor,Tensor_Scalar __lshift__:Scalar,Tensor __rshift__:Scalar,Tensor "
    "__and__:Tensor,Scalar __or__:Tensor,Scalar __xor__:Tensor,Scalar masked_fill:Scalar,Tensor "
    "isnan isinf isfinite nan_to_num polar real imag view_as_real view_as_complex complex angle"
)
_ACTIVATIONS = _overloads(
    "relu leaky_relu elu celu selu gelu silu mish hardswish hardsigmoid hardtanh relu6 prelu "
    "sigmoid log_sigmoid tanh softplus threshold softmax:int _softmax log_softmax:int glu "
    "hardshrink softshrink"
)
_LAYERS = _overloads(
    "conv1d conv2d:,padding conv3d conv_transpose1d conv_transpose2d:input conv_transpose3d:input "
    "convolution linear matmul mm bmm baddbmm addmm addbmm einsum dot mv outer "
    "scaled_dot_product_attention batch_norm layer_norm group_norm instance_norm rms_norm "
    "native_layer_norm native_group_norm _weight_norm avg_pool1d avg_pool2d max_pool1d max_pool2d "
    "max_pool2d_with_indices adaptive_avg_pool1d adaptive_avg_pool2d adaptive_max_pool2d "
    "pixel_shuffle pixel_unshuffle channel_shuffle upsample_nearest1d:,vec upsample_nearest2d:,vec "
    "_upsample_nearest_exact2d:,vec upsample_bilinear2d:,vec upsample_bicubic2d:,vec "
    "im2col col2im pad reflection_pad1d reflection_pad2d replication_pad1d "
    "replication_pad2d constant_pad_nd embedding linalg_vector_norm "
    "dropout feature_dropout cumsum cumprod fft_fft2 fft_ifft2 fft_rfft2 fft_irfft2 fft_rfft "
    "fft_irfft fft_fft fft_ifft fft_rfftn fft_irfftn fft_fftshift fft_ifftshift roll rot90 flip"
)
_REDUCTIONS = _overloads(
    "sum:,dim_IntList mean:,dim amax amin max:,dim,other min:,dim,other argmax argmin "
    "var:,dim,correction std:,dim,correction var_mean:correction,dim,default "
    "prod:,dim_int norm:Scalar,ScalarOpt_dim all:,dim any:,dim logsumexp aminmax topk sort "
    "sort:stable argsort"
)
VIEWS = _overloads(
    "view:,dtype reshape expand expand_as permute transpose:int t slice:Tensor select:int "
    "squeeze:,dim,dims unsqueeze unfold flatten:using_ints unflatten:int chunk split:Tensor,sizes "
    "split_with_sizes tensor_split:sections,indices unbind:int narrow movedim:intlist,int "
    "swapaxes diagonal contiguous to:dtype,device,dtype_layout,other type_as alias detach "
    "numpy_T mT view_as reshape_as real imag view_as_real view_as_complex swapdims "
    "broadcast_to conj resolve_conj moveaxis:int hsplit:int "
    "lift_fresh ravel matrix_H adjoint meshgrid:,indexing dropout feature_dropout "
    "einsum pixel_shuffle pixel_unshuffle channel_shuffle pad constant_pad_nd rot90 "
    "tensor_split:sections"
)
"""Operators whose result may share memory with an argument."""

_COMPUTED = _overloads("view:dtype einsum pad constant_pad_nd rot90")
MOVES = (VIEWS - _COMPUTED) | _overloads(
    "clone lift_fresh_copy _to_copy cat stack concat hstack vstack repeat tile gather index:Tensor "
    "index_select take_along_dim roll flip repeat_interleave:self_int"
)
"""Operators whose result holds the elements that it was given, and no others."""

JOINS = _overloads("cat stack concat hstack vstack block_diag")
"""Moves whose order may be knowledge: what they make is known by its own elements."""

LOOKUPS = _overloads("gather index:Tensor index_select take_along_dim embedding")
"""Operators that may take values of a table by what comes of the image."""

SHAPED = _overloads("zeros_like ones_like full_like new_zeros new_ones new_full")
"""Operators that take the shape and the type of their first argument, and none of its values."""

_MADE = SHAPED | _overloads(
    "zeros ones full arange:,start,"
    "start_step linspace eye scalar_tensor tril triu clone lift_fresh_copy _to_copy cat "
    "stack concat hstack vstack repeat repeat_interleave:self_int tile "
    "gather index:Tensor index_select take_along_dim scatter:src,value one_hot "
    "index_put slice_scatter select_scatter copy masked_scatter block_diag "
    "bucketize:Tensor searchsorted:Tensor scatter_add index_add"
)
_WRITES = _overloads(
    "relu_ leaky_relu_ elu_ silu_ mish_ hardswish_ hardsigmoid_ hardtanh_ relu6_ sigmoid_ tanh_ "
    "add_:Tensor,Scalar sub_:Tensor,Scalar mul_:Tensor,Scalar div_:Tensor,Scalar clamp_:,Tensor "
    "clamp_min_ clamp_max_ copy_ fill_:Scalar,Tensor zero_ exp_ sqrt_ neg_ square_ abs_ round_ "
    "floor_ pow_:Scalar,Tensor masked_fill_:Scalar,Tensor index_put_ addcmul_ addcdiv_ "
    "celu_ selu_ gelu_ log_ rsqrt_ reciprocal_ threshold_ dropout_"
)
TENSORS = _ARITHMETIC | _ACTIVATIONS | _LAYERS | _REDUCTIONS | VIEWS | _MADE | _WRITES
"""Names of the ATen operators that a graph may call, as `aten.NAME.OVERLOAD`."""

MULTIPLIED = _overloads(
    "conv1d conv2d:,padding conv3d conv_transpose1d conv_transpose2d:input conv_transpose3d:input "
    "convolution linear matmul mm bmm baddbmm addmm addbmm einsum dot mv "
    "scaled_dot_product_attention"
)
"""Operators that the dispatch counter has a formula for, or takes apart to such."""

FREE = (
    MOVES
    | (_MADE - _overloads("index_add scatter_add index_put masked_scatter"))
    | _overloads(
        "relu elu celu selu gelu silu mish hardswish hardsigmoid hardtanh relu6 leaky_relu sigmoid "
        "log_sigmoid tanh softplus threshold hardshrink "
        "softshrink relu_ leaky_relu_ elu_ silu_ mish_ hardswish_ hardsigmoid_ hardtanh_ relu6_ "
        "sigmoid_ tanh_ celu_ selu_ gelu_ threshold_ dropout_ neg abs sign ceil floor trunc "
        "round:,decimals neg_ abs_ round_ floor_ clamp clip clamp_min clamp_max clamp_ clamp_min_ "
        "clamp_max_ eq:Tensor,Scalar ne:Tensor,Scalar lt:Tensor,Scalar le:Tensor,Scalar "
        "gt:Tensor,Scalar ge:Tensor,Scalar logical_and logical_or logical_not logical_xor isnan "
        "isinf isfinite nan_to_num copy_ fill_:Scalar,Tensor zero_ "
        "amax amin max:,dim min:,dim argmax argmin all:,dim any:,dim aminmax topk sort "
        "sort:stable argsort max_pool1d max_pool2d max_pool2d_with_indices "
        "adaptive_max_pool2d upsample_nearest1d:,vec "
        "upsample_nearest2d:,vec _upsample_nearest_exact2d:,vec "
        "im2col reflection_pad1d reflection_pad2d "
        "replication_pad1d replication_pad2d pad constant_pad_nd rot90"
    )
)
"""Operators that multiply nothing by what a network knows; all others count as arithmetic."""

OFF = {  # operators that are pure with this argument alone, by its name
    "aten.dropout.default": ("train", False),
    "aten.dropout_.default": ("train", False),
    "aten.feature_dropout.default": ("train", False),
    "aten.batch_norm.default": ("training", False),
    "aten.instance_norm.default": ("running_mean", None),
    "aten.scaled_dot_product_attention.default": ("dropout_p", 0.0),
    "aten.avg_pool2d.default": ("divisor_override", None),
}


def _bounded(name: str, of: Callable[..., Any]) -> Callable[..., Any]:
    """`of` on numbers; OverflowError for a result that is no size."""

    def bounded(*numbers: Any) -> Any:
        if not all(type(number) in (int, float, bool) for number in numbers):
            raise TypeError(f"{name} of sizes takes numbers")
        result = of(*numbers)
        if not -LARGEST <= result <= LARGEST:
            raise OverflowError("a size of the graph is too large")
        return result

    bounded.__name__ = name
    return bounded


def _rounded(number: float) -> int:
    """To no digits: those of a huge number of them would never be done."""
    return round(number)


NUMBERS: dict[str, Callable[..., Any]] = {
    name: _bounded(name, of)
    for name, of in {
        **{
            name: getattr(operator, name)
            for name in (
                *("add", "sub", "mul", "floordiv", "truediv", "mod", "neg", "eq", "ne"),
                *("lt", "le", "gt", "ge"),
            )
        },
        "max": max,
        "min": min,
        "float": float,
        "trunc": math.trunc,
        "floor": math.floor,
        "ceil": math.ceil,
        "round": _rounded,
    }.items()
}
"""Arithmetic on sizes, by the names that a document gives it."""


@cache
def resolve(name: str) -> Any:
    """The operator of an allowed name; KeyError for any other, and for one this torch lacks."""
    if name in NUMBERS:
        return NUMBERS[name]
    if name == "getitem":
        return operator.getitem
    if name not in TENSORS and name != "aten.sym_size.int":
        raise KeyError(name)
    _, base, overload = name.split(".")
    try:
        return getattr(getattr(torch.ops.aten, base), overload)
    except AttributeError:
        raise KeyError(name) from None


def writes(name: str) -> bool:
    """Whether an operator writes to its first argument."""
    return name in _WRITES


def bound(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call of an ATen operator by their names, with the operator's defaults."""
    schema = resolve(name)._schema.arguments  # noqa: SLF001 - torch has no other way to ask
    values = {argument.name: argument.default_value for argument in schema}
    return values | dict(zip(values, args, strict=False)) | dict(kwargs)
