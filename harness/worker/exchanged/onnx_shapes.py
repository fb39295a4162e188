"""What an ONNX network costs that onnxruntime runs: its shapes, and torch's layers of those.

Counters see a module of torch that stands for it. A quantised network is counted as the one that
it approximates, in floating point; any other call that torch has not is a convolution of the same
multiply-adds, or costs none. What costs something that is not known is refused, so that no count
leaves it out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor, nn

from harness.worker.exchanged.onnx_file import Array, BadOnnx, OnnxGraph, OnnxNode
from harness.worker.exchanged.onnx_network import OnnxNetwork
from harness.worker.exchanged.onnx_operators import OPERATORS
from harness.worker.exchanged.sizes import numbers

# of quantised operators the one in floating point, and which inputs that has
_IN_FLOATS = {
    "ConvInteger": ("Conv", (0, 1)),
    "DequantizeLinear": ("Identity", (0,)),
    "MatMulInteger": ("MatMul", (0, 1)),
    "QLinearConv": ("Conv", (0, 3, 8)),
    "QLinearMatMul": ("MatMul", (0, 3)),
    "QuantizeLinear": ("Identity", (0,)),
}
_CONVOLUTIONS = ("Conv", "ConvTranspose")
_COSTLY = ("Einsum", "Gemm", "MatMul")
# of which no convention of the field counts anything, beside what torch has
_FREE = (
    "Acos Acosh Asin Asinh Atan Atanh Cosh Sinh Tan IsInf IsNaN Xor Shrink Swish ThresholdedRelu "
    "Hardmax LogSoftmax ArgMax ArgMin TopK CumSum Trilu OneHot GatherElements GatherND "
    "ScatterElements ScatterND GridSample ReverseSequence GroupNormalization RMSNormalization "
    "MeanVarianceNormalization LpNormalization LRN CenterCropPad Col2Im LpPool GlobalLpPool "
    "DynamicQuantizeLinear MaxUnpool ReduceL1 ReduceLogSum ReduceLogSumExp ReduceSumSquare"
)


class OnnxShapes(OnnxNetwork):
    """N x C x H x W in, a tensor of the size of the network's output, whose values mean nothing."""

    def __init__(self, graph: OnnxGraph) -> None:
        super().__init__(_in_floats(graph))

    def made(
        self, node: OnnxNode, known: Mapping[str, Array], parameters: Mapping[str, nn.Parameter]
    ) -> nn.Module | None:
        """Its layer; None too where only onnxruntime has it."""
        try:
            return super().made(node, known, parameters)
        except BadOnnx:
            return None

    def results(self, node: OnnxNode, given: list[Any]) -> tuple[Any, ...]:
        """What the call gives, or tensors of the sizes of that."""
        try:
            return super().results(node, given)
        except BadOnnx:
            return _stood_in(node, given, self.graph.opset)


def _in_floats(graph: OnnxGraph) -> OnnxGraph:
    """The graph without quantisation; its weights keep their sizes."""
    learned, constants = dict(graph.learned), dict(graph.constants)
    nodes = []
    for node in graph.nodes:
        kind, places = _IN_FLOATS.get(node.kind, ("", ()))
        if not kind:
            nodes.append(node)
            continue
        names = tuple(node.inputs[it] for it in places if it < len(node.inputs))
        for held in (learned, constants):
            held.update({it: held[it].astype(np.float32) for it in names if it in held})
            if kind == "Identity" and names[0] in held:
                held[node.outputs[0]] = held[names[0]]
        if kind == "Identity" and (names[0] in learned or names[0] in constants):
            continue
        said = node.attributes if kind == "Conv" else {}
        nodes.append(dataclasses.replace(node, kind=kind, inputs=names, attributes=said))
    return dataclasses.replace(graph, nodes=tuple(nodes), learned=learned, constants=constants)


def _stood_in(node: OnnxNode, given: Sequence[Any], opset: int) -> tuple[Tensor, ...]:
    """Tensors of the sizes that the call gives, made of what it takes. BadOnnx: none is known."""
    free = {*OPERATORS, *_FREE.split(), *_CONVOLUTIONS} - {*_COSTLY}
    if node.kind not in free:
        raise BadOnnx(f"{node} costs multiply-adds that no shape tells")
    shapes = _shapes(node, given, opset)
    if node.kind in _CONVOLUTIONS:
        return (_convolved(node, given, shapes[0]),)
    taken = [it for it in given if isinstance(it, Tensor)]
    if not taken:
        raise BadOnnx(f"{node} takes no tensor")
    kind = next((it.dtype for it in taken if it.is_floating_point()), torch.float32)
    mixed = torch.stack([_any_value(it).to(kind) for it in taken]).sum()
    return tuple(mixed.expand(shape) for shape in shapes)


def _any_value(tensor: Tensor) -> Tensor:
    return tensor[(0,) * tensor.dim()]


def _convolved(node: OnnxNode, given: Sequence[Any], shape: Sequence[int]) -> Tensor:
    """A convolution of as many multiply-adds: one for each output, or each input, and weight."""
    image, weight = given[:2]
    groups = int(node.attributes.get("group", 1))
    if not isinstance(image, Tensor) or not isinstance(weight, Tensor) or image.dim() != 4:
        raise BadOnnx(f"{node} is no convolution of two dimensions")
    if node.kind == "ConvTranspose":
        return _any_value(F.conv_transpose2d(image, weight, groups=groups)).expand(shape)
    sides = (size + kernel - 1 for size, kernel in zip(shape[2:], weight.shape[2:], strict=True))
    return F.conv2d(_any_value(image).expand(*image.shape[:2], *sides), weight, groups=groups)


def _shapes(node: OnnxNode, given: Sequence[Any], opset: int) -> list[list[int]]:
    """Of a call's outputs, by the standard's own rules."""
    import onnx
    from onnx import helper, numpy_helper

    kinds, held = [], []
    for name, value in zip(node.inputs, given, strict=True):
        if isinstance(value, Tensor):
            kind = helper.np_dtype_to_tensor_dtype(torch.empty(0, dtype=value.dtype).numpy().dtype)
            sides = [int(it) for it in value.shape]  # tensors, where TorchScript traces
            kinds.append(helper.make_tensor_value_info(name, kind, sides))
        elif value is not None:
            computed = value.dtype == object  # sizes
            plain = np.array(numbers(value)).reshape(value.shape) if computed else value
            held.append(numpy_helper.from_array(plain, name))
    said = {
        name: numpy_helper.from_array(it) if isinstance(it, np.ndarray) else it
        for name, it in node.attributes.items()
    }
    outputs = [onnx.ValueInfoProto(name=it) for it in node.outputs if it]
    call = helper.make_node(node.kind, list(node.inputs), list(node.outputs), **said)
    graph = helper.make_graph([call], "call", kinds, outputs, held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    try:
        found = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    except Exception as error:  # noqa: BLE001 - whatever a stranger's call makes it raise
        raise BadOnnx(f"{node} has no shape: {error!s:.120}") from None
    shapes = [[it.dim_value for it in out.type.tensor_type.shape.dim] for out in found.graph.output]
    if any(min(shape, default=1) < 1 for shape in shapes):
        raise BadOnnx(f"{node} gives a size that its inputs' sizes don't tell")
    return shapes
