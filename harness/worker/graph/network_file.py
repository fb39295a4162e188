"""A captured network as a document: what is called, on what, in order, and the tensors it needs.

One safetensors file holds all. Its tensors are named by number; the JSON document stands in the
file's metadata. Nothing in it can run: operators are names (`allowed`), and all else is numbers.

A value of the document's argument lists is a JSON number, boolean, null or a list of values, or

    {"node": 3}       the result of the third node, the image being node 0
    {"tensor": 2}     the tensor of that number
    {"float": "inf"}  a number that JSON lacks: inf, -inf, nan
    {"dtype": "float32"}, {"format": "channels_last"}, {"text": "mode of an operator"}
    {"device": true}  the device that the graph runs on
"""

from __future__ import annotations

import json
import keyword
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from harness.worker.graph.allowed import LARGEST

FORMAT = 1
NODES_CAP = 400_000
"""Of all graphs together. At 339x510 LR pixels public entries have 350 to 5,700 in each, and there
may be a hundred sizes; what reads them takes a minute for as many as this."""
BYTES_CAP = 2 * 2**30  # of tensors
DOCUMENT_CAP = 64 * 2**20
_DEPTH = 4  # of lists in lists
_TEXT_CAP = 100

Size = tuple[int, int]
DTYPES = {
    name: getattr(torch, name)
    for name in (
        *("float32", "float16", "bfloat16", "float64", "complex64", "bool", "uint8", "int8"),
        *("int16", "int32", "int64"),
    )
}
FORMATS = {
    name: getattr(torch, name) for name in ("contiguous_format", "channels_last", "preserve_format")
}
LAYERS = ("ReLU", "LeakyReLU", "PReLU", "ELU", "ReLU6", "BatchNorm2d")
"""Classes of torch.nn as which a node is counted if the entry called it by one; the convention of
NTIRE 2022 counts the module and not the function."""


class BadGraph(Exception):
    """A document that is no captured graph; the message says what is wrong with it."""


@dataclass(frozen=True)
class Node:
    """One call. `layer` is the class of torch.nn that made it, where a convention asks."""

    op: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    layer: str = ""


@dataclass(frozen=True)
class Graph:
    """The calls for one LR height and width, or for every one if `size` is None, in order."""

    size: Size | None
    nodes: tuple[Node, ...]
    output: int  # number of the node whose result is the SR image


@dataclass(frozen=True)
class CapturedNetwork:
    """What a file holds. `params` are as many as the entry's module has, used or not.

    `before` are the graphs of an entry with `deploy` as it was before that.
    """

    graphs: tuple[Graph, ...]
    parameters: tuple[int, ...]  # numbers of tensors that were parameters of the module
    params: int
    before: tuple[Graph, ...] = ()


def encode(network: CapturedNetwork, tensors: list[Tensor]) -> bytes:
    """The file of a network."""
    text = json.dumps({"format": FORMAT, **asdict(network)}, separators=(",", ":"), sort_keys=True)
    # copies: safetensors refuses tensors that share memory
    plain = (tensor.cpu().clone(memory_format=torch.contiguous_format) for tensor in tensors)
    return save({f"{at:05d}": tensor for at, tensor in enumerate(plain)}, metadata={"graph": text})


def decode(text: str) -> CapturedNetwork:
    """Read a document strictly; BadGraph where it is none."""
    if len(text) > DOCUMENT_CAP:
        raise BadGraph(f"the document is longer than {DOCUMENT_CAP:,} characters")
    try:
        document = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise BadGraph(f"the document is no JSON: {error}") from None
    fields = _fields(document, "the document", "format graphs parameters params before")
    if fields["format"] != FORMAT:
        raise BadGraph(f"the document is of format {fields['format']!r:.20}, not {FORMAT}")
    graphs, before = _graphs(fields["graphs"]), _graphs(fields["before"])
    if not graphs:
        raise BadGraph("the document has no graph")
    if sum(len(graph.nodes) for graph in (*graphs, *before)) > NODES_CAP:
        raise BadGraph(f"the document has more than {NODES_CAP:,} nodes")
    return CapturedNetwork(
        graphs,
        tuple(_number(item) for item in _list(fields["parameters"])),
        _number(fields["params"]),
        before,
    )


def numbers(value: Any, kind: str) -> Iterator[int]:
    """The numbers of all nodes or tensors (`kind`) in a value."""
    if isinstance(value, Mapping):
        if kind in value:
            yield value[kind]
    elif isinstance(value, list | tuple):
        for item in value:
            yield from numbers(item, kind)


def _graphs(value: Any) -> tuple[Graph, ...]:
    return tuple(map(_graph, _list(value)))


def _graph(value: Any) -> Graph:
    fields = _fields(value, "a graph", "size nodes output")
    size = fields["size"]
    if size is not None:
        size = tuple(map(_number, _list(size)))
        if len(size) != 2 or 0 in size:
            raise BadGraph("a graph's size is not a height and a width")
    nodes = tuple(_node(node, at) for at, node in enumerate(_list(fields["nodes"]), start=1))
    output = _number(fields["output"])
    if not 0 < output <= len(nodes):
        raise BadGraph(f"the output is node {output}, which does not exist")
    return Graph(size, nodes, output)


def _node(value: Any, number: int) -> Node:
    fields = _fields(value, f"node {number}", "op args kwargs layer")
    arguments = fields["kwargs"]
    if not isinstance(arguments, dict) or not all(
        name.isidentifier() and not keyword.iskeyword(name) for name in arguments
    ):
        raise BadGraph(f"node {number} has keyword arguments that are none")
    layer = fields["layer"]
    if layer not in ("", *LAYERS):
        raise BadGraph(f"node {number} is of layer {layer!r:.40}, which is none")
    node = Node(
        _typed(fields["op"], str),
        tuple(_value(item, 0) for item in _list(fields["args"])),
        {name: _value(item, 0) for name, item in arguments.items()},
        layer,
    )
    for used in numbers([node.args, list(node.kwargs.values())], "node"):
        if used >= number:
            raise BadGraph(f"node {number} uses node {used}, which does not come before it")
    return node


def _value(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if isinstance(value, int) and abs(value) > LARGEST:
            raise BadGraph("a number is too large")
        return value
    if isinstance(value, list) and depth < _DEPTH:
        return tuple(_value(item, depth + 1) for item in value)
    if isinstance(value, dict) and len(value) == 1:
        ((kind, content),) = value.items()
        if kind in _KINDS and _KINDS[kind](content):
            return value
    raise BadGraph(f"{json.dumps(value)[:40]} is no argument")


_KINDS: dict[str, Callable[[Any], bool]] = {
    "node": lambda content: type(content) is int and content >= 0,
    "tensor": lambda content: type(content) is int and content >= 0,
    "float": lambda content: content in ("inf", "-inf", "nan"),
    "dtype": lambda content: isinstance(content, str) and content in DTYPES,
    "format": lambda content: isinstance(content, str) and content in FORMATS,
    "text": lambda content: isinstance(content, str) and len(content) <= _TEXT_CAP,
    "device": lambda content: content is True,
}


def _fields(value: Any, what: str, names: str) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != set(names.split()):
        raise BadGraph(f"{what} does not have the fields {names}")
    return value


def _list(value: Any) -> list[Any]:
    return _typed(value, list)  # type: ignore[no-any-return]


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= LARGEST:
        raise BadGraph(f"{value!r:.40} is no number of something")
    return value


def _typed(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise BadGraph(f"{value!r:.40} is not a {kind.__name__}")
    return value


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no number")
