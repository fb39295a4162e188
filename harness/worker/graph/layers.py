"""Nodes that are built as layers of torch.nn, which is what the counters of modules look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from harness.worker.graph import allowed
from harness.worker.graph.network_file import Node

TensorOf = Callable[[Any], Tensor | None]
Arguments = dict[str, Any]


def layer(node: Node, tensor_of: TensorOf) -> nn.Module | None:
    """The layer that does what `node` does; None where a function does it.

    Convolutions and linear layers with weights that do not depend on the image always are layers,
    others only where the entry called a layer. `tensor_of` gives the tensor that a value stands
    for, None for one that depends on the image.
    """
    build = _BUILT.get(node.op) or (_NAMED.get((node.op, node.layer)) if node.layer else None)
    if build is None:
        return None
    try:
        return build(allowed.bound(node.op, node.args, node.kwargs), tensor_of)
    except _NoLayer:
        return None


class _NoLayer(Exception):
    """The node is none after all."""


def _weights(arguments: Arguments, tensor_of: TensorOf, *names: str) -> list[Tensor | None]:
    """Tensors by name, None for one that is not given; _NoLayer if one depends on the image."""
    found = []
    for name in names:
        tensor = tensor_of(arguments[name])
        if tensor is None and arguments[name] is not None:
            raise _NoLayer
        found.append(tensor)
    return found


def _pair(value: Any) -> tuple[int, int]:
    """One number for height and width, or both; _NoLayer for a size that is computed."""
    pair = tuple(value) if isinstance(value, list | tuple) else (value, value)
    pair = pair * 2 if len(pair) == 1 else pair
    if len(pair) != 2 or not all(type(number) is int for number in pair):
        raise _NoLayer
    return pair


def _with(module: nn.Module, **tensors: Tensor | None) -> nn.Module:
    """A layer made on the meta device, with its tensors."""
    for name, tensor in tensors.items():
        if tensor is None or isinstance(tensor, nn.Parameter) or name.startswith("running"):
            setattr(module, name, tensor)
        else:  # a weight that was no parameter of the entry is none here
            delattr(module, name)
            module.register_buffer(name, tensor)
    return module.eval()


def _is_word(value: Any) -> bool:
    return isinstance(value, Mapping) and "text" in value


_PAIRS = ("stride", "dilation", "output_padding")


def _conv(arguments: Arguments, tensor_of: TensorOf) -> nn.Module:
    weight, bias = _weights(arguments, tensor_of, "weight", "bias")
    groups = arguments["groups"]
    if weight is None or weight.dim() != 4 or type(groups) is not int or groups < 1:
        raise _NoLayer
    transposed = "output_padding" in arguments
    ins, outs = (weight.shape[0], weight.shape[1] * groups)
    if not transposed:
        ins, outs = (weight.shape[1] * groups, weight.shape[0])
    if ins < 1 or outs < 1 or ins % groups or outs % groups:
        raise _NoLayer
    named: dict[str, Any] = {name: _pair(arguments[name]) for name in _PAIRS if name in arguments}
    padding = arguments["padding"]
    named["padding"] = padding["text"] if _is_word(padding) else _pair(padding)
    kind = nn.ConvTranspose2d if transposed else nn.Conv2d
    size = (weight.shape[2], weight.shape[3])
    module = kind(ins, outs, size, groups=groups, bias=bias is not None, device="meta", **named)
    return _with(module, weight=weight, bias=bias)


def _linear(arguments: Arguments, tensor_of: TensorOf) -> nn.Module:
    weight, bias = _weights(arguments, tensor_of, "weight", "bias")
    if weight is None or weight.dim() != 2:
        raise _NoLayer
    outs, ins = weight.shape
    module = nn.Linear(ins, outs, bias=bias is not None, device="meta")
    return _with(module, weight=weight, bias=bias)


def _batch_norm(arguments: Arguments, tensor_of: TensorOf) -> nn.Module:
    names = ("weight", "bias", "running_mean", "running_var")
    weight, bias, mean, variance = _weights(arguments, tensor_of, *names)
    if mean is None or variance is None or (weight is None) != (bias is None):
        raise _NoLayer
    module = nn.BatchNorm2d(
        mean.numel(), eps=_number(arguments["eps"]), affine=weight is not None, device="meta"
    )
    return _with(module, weight=weight, bias=bias, running_mean=mean, running_var=variance)


def _prelu(arguments: Arguments, tensor_of: TensorOf) -> nn.Module:
    (weight,) = _weights(arguments, tensor_of, "weight")
    if weight is None:
        raise _NoLayer
    return _with(nn.PReLU(weight.numel(), device="meta"), weight=weight)


def _number(value: Any) -> float:
    if type(value) not in (int, float):
        raise _NoLayer
    return float(value)


def _leaky(inplace: bool) -> Callable[[Arguments, TensorOf], nn.Module]:
    return lambda arguments, _: nn.LeakyReLU(_number(arguments["negative_slope"]), inplace=inplace)


def _elu(arguments: Arguments, _: TensorOf) -> nn.Module:
    if (arguments["scale"], arguments["input_scale"]) != (1, 1):
        raise _NoLayer
    return nn.ELU(_number(arguments["alpha"]))


def _relu6(inplace: bool) -> Callable[[Arguments, TensorOf], nn.Module]:
    def build(arguments: Arguments, _: TensorOf) -> nn.Module:
        if (arguments.get("min_val", 0), arguments.get("max_val", 6)) != (0, 6):
            raise _NoLayer
        return nn.ReLU6(inplace=inplace)

    return build


_BUILT: dict[str, Callable[[Arguments, TensorOf], nn.Module]] = {
    "aten.conv2d.default": _conv,
    "aten.conv2d.padding": _conv,
    "aten.conv_transpose2d.input": _conv,
    "aten.linear.default": _linear,
}
_NAMED: dict[tuple[str, str], Callable[[Arguments, TensorOf], nn.Module]] = {
    ("aten.relu.default", "ReLU"): lambda *_: nn.ReLU(),
    ("aten.relu_.default", "ReLU"): lambda *_: nn.ReLU(inplace=True),
    ("aten.leaky_relu.default", "LeakyReLU"): _leaky(inplace=False),
    ("aten.leaky_relu_.default", "LeakyReLU"): _leaky(inplace=True),
    ("aten.elu.default", "ELU"): _elu,
    ("aten.prelu.default", "PReLU"): _prelu,
    **{
        (f"aten.{name}{write}.default", "ReLU6"): _relu6(inplace=bool(write))
        for name in ("hardtanh", "relu6")
        for write in ("", "_")
    },
    ("aten.batch_norm.default", "BatchNorm2d"): _batch_norm,
}
