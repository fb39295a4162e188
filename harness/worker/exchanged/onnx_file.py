"""Read a stranger's ONNX file: what can be no network of one image is refused before it is built.

The file is a protobuf message of anybody's. It is read in a confined worker, whole sizes are looked
at before a tensor is made, and no other file is opened for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.worker.state_dict import BadWeights

Array = npt.NDArray[Any]
BYTES_CAP = 1_000_000_000  # of all tensors
_NODES_CAP = 20_000
_OPSETS = (7, 26)
_DOMAINS = ("", "ai.onnx")
_FLOATS = (1, 10, 11)  # float, half and double
_NODE_TEXT = 40


class BadOnnx(BadWeights):
    """The file is no network that can be measured; the message says why."""


@dataclass(frozen=True)
class OnnxNode:
    """One call: `kind` of the standard's operators, by the names of values."""

    number: int
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]

    def __str__(self) -> str:
        return f"node {self.number}, {self.kind:.{_NODE_TEXT}},"


@dataclass(frozen=True)
class OnnxGraph:
    """A network of one image: its calls in order, and its tensors.

    `learned` are the tensors that the file keeps as weights, `constants` those of its code.
    """

    opset: int
    image: str
    output: str
    nodes: tuple[OnnxNode, ...]
    learned: Mapping[str, Array]
    constants: Mapping[str, Array]


def read_onnx(path: Path) -> OnnxGraph:
    """The network of a file. BadOnnx says what stands in the way; ImportError: no `onnx` here."""
    import onnx
    from google.protobuf.message import DecodeError

    if path.stat().st_size > BYTES_CAP:
        raise BadOnnx(f"{path.name} is larger than {BYTES_CAP:,} bytes")
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except DecodeError:
        raise BadOnnx(f"{path.name} is no ONNX file, or was cut off before its end") from None
    if fault := next(_faults(model), ""):
        raise BadOnnx(f"{path.name} {fault}")
    graph = model.graph
    learned = {it.name: _array(it, path.name) for it in graph.initializer}
    (image,) = (it.name for it in graph.input if it.name not in learned)
    nodes, constants = [], {}
    for number, node in enumerate(graph.node):
        told = {it.name: _attribute(it, path.name) for it in node.attribute}
        if node.op_type == "Constant":
            constants[next(filter(None, node.output))] = _constant(told, path.name)
            continue
        places = tuple(node.input), tuple(node.output)
        nodes.append(OnnxNode(number, node.op_type, *places, told))
    opset = next(it.version for it in model.opset_import if it.domain in _DOMAINS)
    return OnnxGraph(opset, image, graph.output[0].name, tuple(nodes), learned, constants)


def _faults(model: Any) -> Iterator[str]:
    """What is wrong with the whole, to go on after the file's name."""
    graph = model.graph
    held = {it.name for it in graph.initializer}
    inputs = [it for it in graph.input if it.name not in held]
    yield from _faults_of_operators(model)
    if len(inputs) != 1 or len(graph.output) != 1:
        found = f"{len(inputs)} inputs and {len(graph.output)} outputs"
        yield f"has {found}: a network of one image and one output is taken"
    elif not graph.node:
        yield "holds no operator"
    else:
        yield from _faults_of_image(inputs[0].type)
    yield from _faults_of_tensors(graph)


def _faults_of_operators(model: Any) -> Iterator[str]:
    least, most = _OPSETS
    versions = [it.version for it in model.opset_import if it.domain in _DOMAINS]
    if len(versions) != 1 or not least <= versions[0] <= most:
        yield f"is of opset {versions}: {least} to {most} of the standard's are known"
    if len(model.functions):
        yield "defines functions of its own, which can't be translated"
    if len(model.graph.node) > _NODES_CAP:
        yield f"has more than {_NODES_CAP:,} operators"
    for number, node in enumerate(model.graph.node):
        if not any(node.output):
            yield f"has an operator without an output (node {number})"
        if node.domain not in _DOMAINS:
            name = f"{node.domain:.{_NODE_TEXT}}.{node.op_type:.{_NODE_TEXT}}"
            yield f"calls {name} (node {number}): operators of the standard alone are taken"
        if any(it.HasField("g") or len(it.graphs) for it in node.attribute):
            name = f"{node.op_type:.{_NODE_TEXT}}"
            yield f"holds another graph (node {number}, {name}), whose cost depends on the image"


def _faults_of_image(kind: Any) -> Iterator[str]:
    tensor = kind.tensor_type
    if not kind.HasField("tensor_type") or tensor.elem_type not in _FLOATS:
        yield "takes an image that is no tensor of floating-point numbers"
    elif tensor.HasField("shape") and len(tensor.shape.dim) != 4:
        yield f"takes a tensor of {len(tensor.shape.dim)} dimensions, an image has four: N, C, H, W"


def _faults_of_tensors(graph: Any) -> Iterator[str]:
    """What is wrong with tensors, before any of them is made."""
    held = [it for node in graph.node for it in node.attribute]
    if len(graph.sparse_initializer) or any(
        it.HasField("sparse_tensor") or len(it.sparse_tensors) for it in held
    ):
        yield "has sparse tensors, which are not taken"
    total = 0
    own = [it.t for it in held if it.HasField("t")]
    for tensor in (*graph.initializer, *own, *(one for it in held for one in it.tensors)):
        name = f"tensor {tensor.name!r:.{_NODE_TEXT}}"
        if tensor.data_location or len(tensor.external_data):
            place = next((it.value for it in tensor.external_data if it.key == "location"), "")
            yield f"keeps {name} in another file ({place!r:.80}): save it with all data in one"
        size = _bytes(tensor)
        total += size
        if total > BYTES_CAP:
            yield f"has more than {BYTES_CAP:,} bytes of tensors ({name} has {size:,})"
        if len(tensor.raw_data) not in (0, size):
            yield f"has {len(tensor.raw_data):,} bytes of {name}, {size:,} by its shape"


def _bytes(tensor: Any) -> int:
    """Of a tensor by its shape; a negative side is as bad as a huge one."""
    from onnx import helper

    if min(tensor.dims, default=0) < 0:
        return BYTES_CAP + 1
    try:
        kind = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type))
    except (KeyError, ValueError, TypeError):
        return BYTES_CAP + 1
    return int(math.prod(tensor.dims) * kind.itemsize)


def _array(tensor: Any, file: str) -> Array:
    from onnx import numpy_helper

    try:
        found: Array = numpy_helper.to_array(tensor)
    except Exception as error:  # noqa: BLE001 - whatever a stranger's tensor makes its reader raise
        text = (
            f"{file} has a tensor {tensor.name!r:.{_NODE_TEXT}} that can't be read: {error!s:.80}"
        )
        raise BadOnnx(text) from None
    if found.dtype.kind not in "fiub":
        raise BadOnnx(f"{file} has a tensor {tensor.name!r:.{_NODE_TEXT}} that holds no numbers")
    return np.array(found, order="C")


def _attribute(attribute: Any, file: str) -> Any:
    """A value of Python."""
    from onnx import helper

    if attribute.HasField("t"):
        return _array(attribute.t, file)
    value = helper.get_attribute_value(attribute)
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _constant(told: Mapping[str, Any], file: str) -> Array:
    value = next(iter(told.values()), None)
    if not isinstance(value, np.ndarray | int | float | list):
        raise BadOnnx(f"{file} has a constant that holds no numbers")
    kind = {"value_float": np.float32, "value_floats": np.float32}
    return np.asarray(value, dtype=kind.get(next(iter(told))))
