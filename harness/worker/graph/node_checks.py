"""What a node of a document may call, with which arguments, and what it may write to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import Tensor

from harness.worker.graph import allowed
from harness.worker.graph.network_file import BadGraph, Node, numbers

_IMAGE = -1  # what may share memory with the image


def checked(node: Node, number: int, tensors: Mapping[int, Tensor]) -> Callable[..., Any]:
    """The function of a node, if a graph may call it like that."""
    try:
        function: Callable[..., Any] = allowed.resolve(node.op)
    except KeyError:
        raise BadGraph(f"node {number} calls {node.op:.80}, which no graph may") from None
    if any(at not in tensors for at in numbers([node.args, list(node.kwargs.values())], "tensor")):
        raise BadGraph(f"node {number} uses a tensor that is not there")
    if node.op.startswith("aten."):
        _check_arguments(node, number)
    if node.op == "getitem" and not _of_results(*node.args):
        raise BadGraph(f"node {number} takes one of a list that is no operator's, or by a size")
    if node.op in allowed.OFF:
        name, value = allowed.OFF[node.op]
        if allowed.bound(node.op, node.args, node.kwargs).get(name) != value:
            raise BadGraph(f"node {number} calls {node.op} with {name} other than {value}")
    return function


def _of_results(of: Any = None, at: Any = None, *more: Any) -> bool:
    """Whether one of an operator's results is taken, the same one at every size of an image."""
    return isinstance(of, Mapping) and of.keys() == {"node"} and type(at) is int and not more


def _check_arguments(node: Node, number: int) -> None:
    """Refuse arguments that the operator does not have, or that it does not check itself."""
    given = allowed.bound(node.op, node.args, node.kwargs)
    schema = allowed.resolve(node.op)._schema.arguments  # noqa: SLF001 - see `allowed.bound`
    if len(node.args) > len(schema) or given.keys() != {it.name for it in schema}:
        raise BadGraph(f"node {number} calls {node.op} with arguments that it does not have")
    for argument in schema:
        value, kind = given[argument.name], _SPELLED.get(argument.name)
        spelled = isinstance(value, Mapping) and value.keys() == {kind}
        if kind and not spelled and value not in (None, argument.default_value):
            raise BadGraph(f"node {number} calls {node.op} with a {argument.name} of its own")
    if node.op == "aten.pad.default" and given["mode"] == {"text": "circular"}:
        sides = given["pad"]
        if not isinstance(sides, tuple) or any(type(it) is not int or it < 0 for it in sides):
            raise BadGraph(f"node {number} pads in circles by less than nothing, or by a size")


_SPELLED = {"device": "device", "dtype": "dtype", "memory_format": "format"}
"""How a document spells arguments of these names."""


def check_weight_norm(v: Tensor, g: Tensor, dim: int = 0) -> None:
    """Refuse a norm of another shape than the weight has: the kernel reads and writes beyond."""
    shape = [size if axis == dim else 1 for axis, size in enumerate(v.shape)]
    if list(g.shape) != shape or g.dtype != v.dtype or not v.is_floating_point() or not v.numel():
        raise BadGraph("weights are normed by a factor of another shape")


def written(nodes: tuple[Node, ...]) -> set[int]:
    """Nodes whose memory a later node writes to; BadGraph if that is the image's or a tensor's."""
    owners: dict[int, frozenset[int]] = {0: frozenset({_IMAGE})}
    touched: set[int] = set()
    for number, node in enumerate(nodes, start=1):
        given = [node.args, list(node.kwargs.values())]
        if allowed.writes(node.op):
            owners[number] = frozenset().union(*_owners(node.args[:1], owners))
            if owners[number] & {_IMAGE} or not owners[number]:
                raise BadGraph(f"node {number} writes to the image or to a tensor of the network")
            touched |= owners[number]
        elif node.op in allowed.VIEWS or node.op == "getitem":
            owners[number] = frozenset().union(*_owners(given, owners)) or frozenset({number})
        else:
            owners[number] = frozenset({number})
    return {number for number, of in owners.items() if of & touched}


def _owners(given: Any, owners: Mapping[int, frozenset[int]]) -> Iterator[frozenset[int]]:
    yield from (owners[at] for at in numbers(given, "node"))
    yield from (frozenset({_IMAGE}) for _ in numbers(given, "tensor"))
