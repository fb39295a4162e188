"""Operators of ONNX by functions of torch, each as the standard has it in all of its versions.

What torch has in no such form raises NotImplementedError with what it is.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor

from harness.worker.exchanged.sizes import numbers, whole

_FAR = 2**31  # the standard has larger numbers for the end of a slice
_ARANGE_CAP = 2**24
_SELU = (1.67326319217681884765625, 1.05070102214813232421875)  # alpha and gamma of the standard
_DTYPES = {
    1: torch.float32,
    2: torch.uint8,
    3: torch.int8,
    5: torch.int16,
    6: torch.int32,
    7: torch.int64,
    9: torch.bool,
    10: torch.float16,
    11: torch.float64,
    16: torch.bfloat16,
}


@dataclass(frozen=True)
class Called:
    """How an operator is called: its attributes, and a tensor whose precision constants take."""

    attributes: Mapping[str, Any]
    opset: int
    like: Tensor | None
    outputs: int = 1

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute."""
        return self.attributes.get(name, default)

    def tensor(self, value: Any) -> Any:
        """A constant as a number, or as a tensor if it is more than one."""
        if isinstance(value, Tensor) or value is None:
            return value
        array = np.asarray(value)
        if array.size == 1:
            return array.reshape(-1).tolist()[0]
        plain = torch.tensor(array.tolist())
        if self.like is not None and plain.is_floating_point():
            plain = plain.to(self.like.dtype)
        return plain if self.like is None else plain.to(self.like.device)

    def axes(self, given: Sequence[Any]) -> list[int] | None:
        """Axes that newer versions have as an input and older ones as an attribute."""
        if given and given[0] is not None:
            return [int(it) for it in numbers(given[0])]
        told = self.get("axes")
        return None if told is None else list(told)


Operator = Callable[..., Any]


def _each(of: Callable[..., Any]) -> Operator:
    """An operator that works element by element."""

    def call(call: Called, *given: Any) -> Any:
        values = [call.tensor(it) for it in given]
        if not any(isinstance(it, Tensor) for it in values):
            values[0] = torch.as_tensor(values[0])
        return of(*values)

    return call


def _divided(one: Any, other: Any) -> Any:
    floating = any(
        it.is_floating_point() if isinstance(it, Tensor) else isinstance(it, float)
        for it in (one, other)
    )
    return one / other if floating else torch.div(one, other, rounding_mode="trunc")


def _folded(of: Callable[[Any, Any], Any]) -> Operator:
    """An operator of any number of inputs by one of two."""

    def call(call: Called, *given: Any) -> Any:
        values = [torch.as_tensor(call.tensor(it)) for it in given]
        return functools.reduce(of, values)

    return call


def _clip(call: Called, image: Tensor, *given: Any) -> Tensor:
    low, high = ((*given, None, None)[place] for place in (0, 1))
    if call.opset < 11:
        low, high = call.get("min"), call.get("max")
    if low is None and high is None:
        return image
    return torch.clamp(image, call.tensor(low), call.tensor(high))


def _reshape(call: Called, value: Any, shape: Any) -> Tensor:
    tensor = torch.as_tensor(call.tensor(value))
    sides = whole(shape)
    if call.get("allowzero", 0) and any(type(it) is int and it == 0 for it in sides):
        raise NotImplementedError("it makes a tensor without elements")
    return tensor.reshape(
        [
            tensor.shape[place] if type(it) is int and it == 0 else it
            for place, it in enumerate(sides)
        ]
    )


def _expand(call: Called, value: Any, shape: Any) -> Tensor:
    tensor, sides = torch.as_tensor(call.tensor(value)), whole(shape)
    own = [1] * (len(sides) - tensor.dim()) + list(tensor.shape)
    wanted = [
        mine if type(it) is int and it == 1 else it
        for mine, it in zip(own[-len(sides) :], sides, strict=True)
    ]
    return tensor.expand(wanted)


def _concat(call: Called, *given: Any) -> Tensor:
    return torch.cat([torch.as_tensor(call.tensor(it)) for it in given], dim=call.get("axis"))


def _slice(call: Called, value: Tensor, *given: Any) -> Tensor:
    told: list[Any] = [None if it is None else whole(it) for it in given]
    told += [call.get(name) for name in ("starts", "ends", "axes")][len(told) :]
    starts, ends, axes = told[:3]
    steps = told[3] if len(told) > 3 and told[3] is not None else [1] * len(starts)
    for axis, start, end, step in zip(axes or range(len(starts)), starts, ends, steps, strict=True):
        if type(step) is not int or step < 1:
            raise NotImplementedError("it goes backwards")
        far = type(end) is int and end >= _FAR
        value = value[
            (slice(None),) * (axis % value.dim()) + (slice(start, None if far else end, step),)
        ]
    return value


def _split(call: Called, value: Tensor, *given: Any) -> tuple[Tensor, ...]:
    axis, told = call.get("axis", 0), call.get("split")
    if given and given[0] is not None:
        told = whole(given[0])
    if told is None:
        told = -(-value.shape[axis] // call.outputs)
    return torch.split(value, told if isinstance(told, int) else list(told), dim=axis)


def _gather(call: Called, value: Tensor, index: Any) -> Tensor:
    axis = call.get("axis", 0)
    if not isinstance(index, np.ndarray):
        raise NotImplementedError("it looks for what the image says")
    places, side = index.astype(np.int64), value.shape[axis]
    if type(side) is int and places.size and not -side <= places.min() <= places.max() < side:
        raise NotImplementedError(f"it looks for a place that none of {side} is")
    if places.ndim == 0:
        return value.select(axis, int(places))
    if (places < 0).any():
        places = places % side
    flat = torch.from_numpy(places.reshape(-1)).to(value.device)
    found = value.index_select(axis, flat)
    axis %= value.dim()
    return found.reshape([*value.shape[:axis], *places.shape, *value.shape[axis + 1 :]])


def _squeeze(call: Called, value: Tensor, *given: Any) -> Tensor:
    axes = call.axes(given)
    return value.squeeze() if axes is None else value.squeeze(axes)


def _unsqueeze(call: Called, value: Any, *given: Any) -> Tensor:
    tensor, axes = torch.as_tensor(call.tensor(value)), call.axes(given) or []
    for axis in sorted(it % (tensor.dim() + len(axes)) for it in axes):
        tensor = tensor.unsqueeze(axis)
    return tensor


def _filled(call: Called, shape: Any) -> Tensor:
    value = np.asarray(call.get("value", np.zeros(1, np.float32))).reshape(-1)
    kind = call.like.dtype if call.like is not None and value.dtype.kind == "f" else None
    return torch.full(whole(shape), value.tolist()[0], dtype=kind)


def _pad(call: Called, image: Tensor, *given: Any) -> Tensor:
    mode = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}
    told = whole(given[0]) if given else list(call.get("pads", ()))
    value = call.tensor(given[1]) if len(given) > 1 else call.get("value", 0.0)
    dims = image.dim()
    axes = whole(given[2]) if len(given) > 2 and given[2] is not None else range(dims)
    begins, ends = [0] * dims, [0] * dims
    for axis, begin, end in zip(axes, told[: len(told) // 2], told[len(told) // 2 :], strict=True):
        begins[axis], ends[axis] = begin, end
    kind = mode[call.get("mode", "constant")]
    moved = 2 if kind != "constant" else 0
    if any(type(it) is not int or it for it in (*begins[:moved], *ends[:moved])):
        raise NotImplementedError(f"it pads along channels ({kind})")
    sides = [it for axis in reversed(range(moved, dims)) for it in (begins[axis], ends[axis])]
    if kind == "constant":
        return F.pad(image, sides, value=float(value or 0.0))
    return F.pad(image, sides, mode=kind)


def _resize(call: Called, image: Tensor, *given: Any) -> Tensor:
    places = (None, *given) if call.opset < 11 else given  # no region of interest before
    _, scales, target = (*places, None, None, None)[:3]
    told = call.get("scales") if call.opset < 9 else scales
    where = call.get(
        "coordinate_transformation_mode", "half_pixel" if call.opset > 10 else "asymmetric"
    )
    options = _interpolation(call, where)
    own = list(image.shape)
    if target is not None and np.asarray(target).size:
        sides = _along(call, own, whole(target))
        factors = [_factor(one, other) for one, other in zip(sides[:2], own[:2], strict=True)]
        if _unequal(call, options):
            factors += [new / old for new, old in zip(sides[2:], own[2:], strict=True)]
        options |= {"size": sides[2:]}
    else:
        some = [float(it) for it in (told if isinstance(told, list) else numbers(told))]
        factors = _along(call, [1.0] * image.dim(), some)
        options |= {"scale_factor": tuple(factors[2:])}
    if factors[:2] != [1.0, 1.0] or image.dim() != 4:
        raise NotImplementedError("it enlarges other than height and width")
    if _unequal(call, options) and any(it % 1 for it in factors[2:]):
        raise NotImplementedError("torch takes the other of two pixels that are as near")
    return F.interpolate(image, **options)


def _unequal(call: Called, options: Mapping[str, Any]) -> bool:
    """Whether torch takes the other of two pixels that are as near, if there are such."""
    return options["mode"] == "nearest-exact" and _rounds(call) != "round_prefer_ceil"


def _factor(new: Any, old: Any) -> float:
    """Of one axis; a side that is left open is not looked at."""
    both = type(new) is int and type(old) is int
    return new / old if both else 1.0


def _along(call: Called, whole_of: list[Any], given: Sequence[Any]) -> list[Any]:
    """Sides or factors of all axes, of those that are given for some."""
    axes = call.get("axes") or range(len(whole_of))
    found = list(whole_of)
    for axis, number in zip(axes, given, strict=True):
        found[axis] = number
    return found


def _rounds(call: Called) -> str:
    told: str = call.get("nearest_mode", "round_prefer_floor" if call.opset > 10 else "floor")
    return told


def _interpolation(call: Called, where: str) -> dict[str, Any]:
    """How torch says the same; NotImplementedError where it has no such interpolation."""
    mode, smooth = call.get("mode", "nearest"), bool(call.get("antialias", 0))
    rounds, outside = _rounds(call), bool(call.get("exclude_outside", 0))
    if mode == "nearest" and not smooth and (where, rounds) == ("asymmetric", "floor"):
        return {"mode": "nearest"}
    nearest = mode == "nearest" and not smooth and where == "half_pixel"
    if nearest and rounds in ("round_prefer_floor", "round_prefer_ceil"):
        return {"mode": "nearest-exact"}
    cubic = mode == "cubic" and call.get("cubic_coeff_a", -0.75) == (-0.5 if smooth else -0.75)
    # above size 1 `half_pixel` and `pytorch_half_pixel` are the same
    known = {"half_pixel": False, "pytorch_half_pixel": False, "align_corners": True}
    # where torch smooths, it leaves out what is outside the image, and takes its edge elsewhere
    if (mode == "linear" or cubic) and where in known and outside == smooth:
        kind = "bicubic" if cubic else "bilinear"
        if not (smooth and known[where]):
            return {"mode": kind, "align_corners": known[where], "antialias": smooth}
    told = f"{mode:.20}, {where:.30}, {rounds:.30}"
    if smooth or outside:
        told += f", antialias {smooth:d}, exclude_outside {outside:d}"
    raise NotImplementedError(f"torch has no interpolation {told}")


def _to_space(call: Called, image: Tensor) -> Tensor:
    size = call.get("blocksize")
    if call.get("mode", "DCR") == "CRD":
        return F.pixel_shuffle(image, size)
    batch, channels, height, width = image.shape
    parts = image.reshape(batch, size, size, channels // size**2, height, width)
    moved = parts.permute(0, 3, 4, 1, 5, 2)
    return moved.reshape(batch, channels // size**2, height * size, width * size)


def _to_depth(call: Called, image: Tensor) -> Tensor:
    size = call.get("blocksize")
    batch, channels, height, width = image.shape
    parts = image.reshape(batch, channels, height // size, size, width // size, size)
    moved = parts.permute(0, 3, 5, 1, 2, 4)
    return moved.reshape(batch, channels * size**2, height // size, width // size)


def _pool(of: Callable[..., Tensor]) -> Operator:
    maximum = of is F.max_pool2d  # now: ptflops puts another function there while it counts

    def call(call: Called, image: Tensor) -> Tensor:
        kernel, pads = call.get("kernel_shape"), call.get("pads", [0, 0, 0, 0])
        plain = call.get("auto_pad", "NOTSET") in ("NOTSET", "VALID") and call.outputs == 1
        if len(kernel) != 2 or pads[:2] != pads[2:] or not plain:
            raise NotImplementedError("it pads unevenly, or has other than two dimensions")
        stride = call.get("strides", [1, 1])
        options: dict[str, Any] = {"padding": pads[:2], "ceil_mode": bool(call.get("ceil_mode", 0))}
        if maximum:
            options["dilation"] = call.get("dilations", [1, 1])
        else:
            options["count_include_pad"] = bool(call.get("count_include_pad", 0))
        return of(image, kernel, stride, **options)

    return call


def _reduced(of: Callable[..., Tensor]) -> Operator:
    def call(call: Called, value: Tensor, *given: Any) -> Tensor:
        axes = call.axes(given)
        if not axes and call.get("noop_with_empty_axes", 0):
            raise NotImplementedError("it reduces along no axis")
        if not axes:
            axes = list(range(value.dim()))
        return of(value, axes, keepdim=bool(call.get("keepdims", 1)))

    return call


def _softmax(call: Called, value: Tensor) -> Tensor:
    axis = call.get("axis", 1 if call.opset < 13 else -1)
    if call.opset < 13 and axis % value.dim() != value.dim() - 1:
        raise NotImplementedError("it goes over several dimensions")
    return value.softmax(axis)


def _layer_norm(call: Called, value: Tensor, weight: Any, bias: Any = None) -> Tensor:
    axis = call.get("axis", -1) % value.dim()
    shape = list(value.shape[axis:])
    return F.layer_norm(
        value, shape, call.tensor(weight), call.tensor(bias), call.get("epsilon", 1e-5)
    )


def _instance_norm(call: Called, value: Tensor, weight: Any, bias: Any) -> Tensor:
    return F.instance_norm(
        value, weight=call.tensor(weight), bias=call.tensor(bias), eps=call.get("epsilon", 1e-5)
    )


def _gemm(call: Called, one: Tensor, other: Tensor, added: Any = None) -> Tensor:
    left = one.t() if call.get("transA", 0) else one
    right = other.t() if call.get("transB", 0) else other
    product: Tensor = call.get("alpha", 1.0) * (left @ right)
    return product if added is None else product + call.get("beta", 1.0) * call.tensor(added)


def _conv(call: Called, image: Tensor, weight: Tensor, bias: Any = None) -> Tensor:
    """A convolution with weights that are computed."""
    pads = call.get("pads", [0, 0, 0, 0])
    if list(call.get("kernel_shape", weight.shape[2:])) != list(weight.shape[2:]):
        raise NotImplementedError(f"its weights are of {tuple(weight.shape)}")
    if weight.dim() != 4 or pads[:2] != pads[2:] or call.get("auto_pad", "NOTSET") != "NOTSET":
        raise NotImplementedError("it pads unevenly, or has other than two dimensions")
    more = {"stride": call.get("strides", [1, 1]), "dilation": call.get("dilations", [1, 1])}
    return F.conv2d(
        image, weight, call.tensor(bias), padding=pads[:2], groups=call.get("group", 1), **more
    )


def _cast(call: Called, value: Any) -> Tensor:
    kind = _DTYPES[call.get("to")]
    tensor = torch.as_tensor(call.tensor(value))
    if kind.is_floating_point and call.like is not None:  # in the precision that is declared
        return tensor.to(call.like.dtype)
    return tensor.to(kind)


def _dropout(_: Called, value: Tensor, __: Any = None, training: Any = None) -> Tensor:
    if training is not None and any(numbers(training)):
        raise NotImplementedError("it is as in training")
    return value


def _selu(call: Called, value: Tensor) -> Tensor:
    alpha, gamma = call.get("alpha"), call.get("gamma")
    if alpha is None and gamma is None:
        return F.selu(value)
    alpha, gamma = alpha or _SELU[0], gamma or _SELU[1]
    scaled: Tensor = gamma * F.elu(value, alpha)
    return scaled


def _range(_: Called, *given: Any) -> Tensor:
    start, end, step = (numbers(it)[0] for it in given)
    if (end - start) / step > _ARANGE_CAP:
        raise NotImplementedError(f"it counts to more than {_ARANGE_CAP:,} numbers")
    return torch.arange(start, end, step)


def _remainder(call: Called, one: Any, other: Any) -> Tensor:
    of = torch.fmod if call.get("fmod", 0) else torch.remainder
    return of(torch.as_tensor(call.tensor(one)), call.tensor(other))


def _where(call: Called, so: Any, one: Any, other: Any) -> Tensor:
    return torch.where(torch.as_tensor(call.tensor(so)), call.tensor(one), call.tensor(other))


def _gelu(call: Called, value: Tensor) -> Tensor:
    return F.gelu(value, approximate=call.get("approximate", "none"))


_ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "Add": torch.add,
    "Sub": torch.sub,
    "Mul": torch.mul,
    "Div": _divided,
    "Pow": torch.pow,
    "Sqrt": torch.sqrt,
    "Exp": torch.exp,
    "Log": torch.log,
    "Abs": torch.abs,
    "Neg": torch.neg,
    "Floor": torch.floor,
    "Ceil": torch.ceil,
    "Round": torch.round,
    "Sign": torch.sign,
    "Erf": torch.erf,
    "Sin": torch.sin,
    "Cos": torch.cos,
    "Reciprocal": torch.reciprocal,
    "Tanh": torch.tanh,
    "Sigmoid": torch.sigmoid,
    "Softplus": F.softplus,
    "Softsign": F.softsign,
    "HardSwish": F.hardswish,
    "Mish": F.mish,
    "Equal": torch.eq,
    "Greater": torch.gt,
    "GreaterOrEqual": torch.ge,
    "Less": torch.lt,
    "LessOrEqual": torch.le,
    "Not": torch.logical_not,
    "And": torch.logical_and,
    "Or": torch.logical_or,
    "MatMul": torch.matmul,
    "PRelu": lambda value, slope: torch.where(value >= 0, value, value * slope),
}

OPERATORS: dict[str, Operator] = {
    **{name: _each(of) for name, of in _ELEMENTWISE.items()},
    "Min": _folded(torch.minimum),
    "Max": _folded(torch.maximum),
    "Sum": _folded(torch.add),
    "Identity": lambda _, value: value,
    "Mod": _remainder,
    "Dropout": _dropout,
    "Selu": _selu,
    "Celu": lambda call, value: F.celu(value, call.get("alpha", 1.0)),
    "HardSigmoid": lambda call, value: torch.clamp(
        call.get("alpha", 0.2) * value + call.get("beta", 0.5), 0.0, 1.0
    ),
    "Gelu": _gelu,
    "Clip": _clip,
    "Where": _where,
    "Cast": _cast,
    "Reshape": _reshape,
    "Flatten": lambda call, value: value.reshape(math.prod(value.shape[: call.get("axis", 1)]), -1),
    "Transpose": lambda call, value: value.permute(
        call.get("perm", list(reversed(range(value.dim()))))
    ),
    "Expand": _expand,
    "Tile": lambda _, value, times: value.repeat(whole(times)),
    "Concat": _concat,
    "Slice": _slice,
    "Split": _split,
    "Gather": _gather,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "ConstantOfShape": _filled,
    "Range": _range,
    "Pad": _pad,
    "Resize": _resize,
    "Upsample": _resize,
    "DepthToSpace": _to_space,
    "SpaceToDepth": _to_depth,
    "MaxPool": _pool(F.max_pool2d),
    "AveragePool": _pool(F.avg_pool2d),
    "GlobalAveragePool": lambda _, value: F.adaptive_avg_pool2d(value, 1),
    "GlobalMaxPool": lambda _, value: F.adaptive_max_pool2d(value, 1),
    "ReduceMean": _reduced(torch.mean),
    "ReduceSum": _reduced(torch.sum),
    "ReduceMax": _reduced(torch.amax),
    "ReduceMin": _reduced(torch.amin),
    "ReduceL2": _reduced(
        lambda value, axes, keepdim: torch.linalg.vector_norm(value, 2, axes, keepdim)
    ),
    "ReduceProd": _reduced(torch.prod),
    "Softmax": _softmax,
    "LayerNormalization": _layer_norm,
    "InstanceNormalization": _instance_norm,
    "Gemm": _gemm,
    "Conv": _conv,
    "Einsum": lambda call, *given: torch.einsum(call.get("equation"), *given),
    "Shape": lambda *_: None,  # see the network
}
"""Each takes how it is called and its inputs, and gives its output, or a tuple of them."""
