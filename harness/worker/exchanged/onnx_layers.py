"""Operators of ONNX that are layers of torch.nn, which is what the counters of modules look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from harness.worker.exchanged.onnx_file import Array, BadOnnx, OnnxNode

Known = Mapping[str, Array]
Parameters = Mapping[str, nn.Parameter]


def layer(node: OnnxNode, known: Known, parameters: Parameters) -> nn.Module | None:
    """The layer that a node is, with the weights of the file; None where a function does it.

    BadOnnx where a convolution is none of torch's.
    """
    build = LAYERS.get(node.kind)
    return build(_Given(node, known, parameters)) if build else None


class _Given:
    """A node's attributes, and the tensors of the file that it is given."""

    def __init__(self, node: OnnxNode, known: Known, parameters: Parameters) -> None:
        self.node = node
        self.attributes = node.attributes
        self._known, self._parameters = known, parameters

    def tensor(self, place: int) -> Tensor | None:
        """An input that the file holds, as a parameter if it is a weight; None for any other."""
        name = self.node.inputs[place] if place < len(self.node.inputs) else ""
        if name in self._parameters:
            return self._parameters[name]
        return torch.from_numpy(self._known[name].copy()) if name in self._known else None

    def lacks(self, place: int) -> bool:
        """Whether an input is computed from the image."""
        given = place < len(self.node.inputs) and bool(self.node.inputs[place])
        return given and self.tensor(place) is None

    def refuse(self, why: str) -> BadOnnx:
        """The error that says it."""
        return BadOnnx(f"{self.node} {why}")


def _set(module: nn.Module, **tensors: Tensor | None) -> nn.Module:
    """A layer made on the meta device, with its tensors."""
    for name, tensor in tensors.items():
        if tensor is None or isinstance(tensor, nn.Parameter) or name.startswith("running"):
            setattr(module, name, tensor)
        else:
            delattr(module, name)
            module.register_buffer(name, tensor)
    return module.eval()


def _conv(given: _Given) -> nn.Module | None:
    if given.lacks(1) or given.lacks(2):
        return None
    weight, bias, said = given.tensor(1), given.tensor(2), given.attributes
    if weight is None or weight.dim() != 4 or not weight.is_floating_point():
        raise given.refuse("has no floating-point weights of two spatial dimensions")
    transposed, groups = given.node.kind == "ConvTranspose", int(said.get("group", 1))
    first, second = weight.shape[0], weight.shape[1] * groups
    ins, outs = (first, second) if transposed else (second, first)
    if groups < 1 or ins < 1 or outs < 1 or ins % groups or outs % groups:
        raise given.refuse(f"has weights of {tuple(weight.shape)} in {groups} groups")
    sides = {"kernel_size": tuple(weight.shape[2:]), "stride": tuple(said.get("strides", (1, 1)))}
    if list(said.get("kernel_shape", weight.shape[2:])) != list(weight.shape[2:]):
        raise given.refuse(f"has weights of {tuple(weight.shape)}, not of its kernel_shape")
    sides |= {"dilation": tuple(said.get("dilations", (1, 1)))}
    more: dict[str, Any] = {"groups": groups, "bias": bias is not None, "device": "meta"}
    if transposed:
        sides |= {"output_padding": tuple(said.get("output_padding", (0, 0)))}
    pads = _pads(given, sides)
    even = pads[:2] == pads[2:]
    kind: Any = nn.ConvTranspose2d if transposed else nn.Conv2d
    if transposed and not even:
        raise given.refuse(f"cuts its sides unevenly, by {pads}")
    made = kind(ins, outs, padding=tuple(pads[:2]) if even else 0, **sides, **more)
    made = _set(made, weight=weight, bias=bias)
    if even:
        return made
    return nn.Sequential(nn.ZeroPad2d((pads[1], pads[3], pads[0], pads[2])), made)


def _pads(given: _Given, sides: Mapping[str, tuple[int, ...]]) -> list[int]:
    """At the top, the left, the bottom and the right."""
    automatic = given.attributes.get("auto_pad", "NOTSET")
    if automatic in ("NOTSET", "VALID"):
        pads = list(given.attributes.get("pads", (0, 0, 0, 0)))
    elif sides["stride"] == (1, 1) and automatic in ("SAME_UPPER", "SAME_LOWER"):
        spans = zip(sides["kernel_size"], sides["dilation"], strict=True)
        full = [(size - 1) * step for size, step in spans]
        less = [side // 2 for side in full]
        more = [side - half for side, half in zip(full, less, strict=True)]
        pads = [*less, *more] if automatic == "SAME_UPPER" else [*more, *less]
    else:
        raise given.refuse(f"pads by itself ({automatic:.20})")
    if len(pads) != 4 or min(pads) < 0 or given.attributes.get("output_shape"):
        raise given.refuse("pads in a way that torch has not")
    return pads


def _linear(given: _Given) -> nn.Module | None:
    said, weight = given.attributes, given.tensor(1)
    matrix = given.node.kind == "MatMul"
    plain = matrix or (
        (said.get("alpha", 1.0), said.get("beta", 1.0), said.get("transA", 0)) == (1.0, 1.0, 0)
    )
    bias = None if matrix else given.tensor(2)
    if weight is None or weight.dim() != 2 or not plain or given.lacks(2):
        return None
    if bias is not None and bias.dim() != 1:
        return None
    turned = weight if said.get("transB", 0) else weight.t().contiguous()
    if isinstance(weight, nn.Parameter):
        turned = nn.Parameter(turned, requires_grad=False)
    outs, ins = turned.shape
    made = nn.Linear(ins, outs, bias=bias is not None, device="meta")
    return _set(made, weight=turned, bias=bias)


def _batch_norm(given: _Given) -> nn.Module | None:
    weight, bias, mean, variance = (given.tensor(place) for place in range(1, 5))
    if any(it is None for it in (weight, bias, mean, variance)) or mean is None:
        return None
    eps = float(given.attributes.get("epsilon", 1e-5))
    made = nn.BatchNorm2d(mean.numel(), eps=eps, device="meta")
    plain = (
        {"running_mean": mean.detach(), "running_var": variance.detach()}
        if variance is not None
        else {}
    )
    return _set(made, weight=weight, bias=bias, num_batches_tracked=None, **plain)


def _prelu(given: _Given) -> nn.Module | None:
    slope = given.tensor(1)
    if slope is None or slope.dim() > 4:
        return None
    if slope.numel() != 1 and (slope.dim() != 3 or slope.shape[1:] != (1, 1)):
        return None
    flat = slope.reshape(-1)
    if isinstance(slope, nn.Parameter):
        flat = nn.Parameter(flat, requires_grad=False)
    return _set(nn.PReLU(flat.numel(), device="meta"), weight=flat)


LAYERS: dict[str, Callable[[_Given], nn.Module | None]] = {
    "Conv": _conv,
    "ConvTranspose": _conv,
    "Gemm": _linear,
    "MatMul": _linear,
    "BatchNormalization": _batch_norm,
    "PRelu": _prelu,
    "Relu": lambda _: nn.ReLU(),
    "LeakyRelu": lambda given: nn.LeakyReLU(float(given.attributes.get("alpha", 0.01))),
    "Elu": lambda given: nn.ELU(float(given.attributes.get("alpha", 1.0))),
}
