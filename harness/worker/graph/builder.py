"""One graph of a document on its way to a module.

What does not depend on the image is computed once, here. The tensors that are left, and meet the
image, are what the network knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from harness.worker.count.dispatch import DispatchCounter
from harness.worker.count.fast_meta import FastMeta
from harness.worker.graph import allowed
from harness.worker.graph.contents import known_numbers
from harness.worker.graph.followed import tensors_in
from harness.worker.graph.layers import layer
from harness.worker.graph.network_file import (
    BYTES_CAP,
    DTYPES,
    FORMATS,
    BadGraph,
    Graph,
    Node,
    numbers,
)
from harness.worker.graph.node_checks import check_weight_norm, checked, written
from harness.worker.graph.operator_cost import cost, parts

SAMPLE = (96, 112)
"""LR height and width that any graph of every size takes: windows of 8 fit, and strided pools leave
something."""


WORK_CAP = 10**10  # products and sums that are computed once, of a graph
PARTS_CAP = 2**18  # that tensors of a graph are cut into


@dataclass(frozen=True)
class _Folded:
    """The value of a node that does not depend on the image; `learned` if parameters are in it.

    `sources` are what it knows, with their elements: what was only moved knows no more than before.
    """

    value: Any
    learned: bool
    sources: Mapping[str, int]


class Builder:
    """One graph on its way to a module."""

    def __init__(
        self,
        graph: Graph,
        tensors: Mapping[int, Tensor],
        device: str,
        channels: int,
        *,
        telling: bool = False,
    ) -> None:
        self._graph = graph
        self._channels = channels
        self._tensors = tensors
        self._device = device
        self._telling = telling  # what the image meets, which takes longer than to build
        self._calls = [
            (number, node, checked(node, number, tensors))
            for number, node in enumerate(graph.nodes, start=1)
        ]
        self._written = written(graph.nodes)
        self._folded: dict[int, _Folded] = {}
        self._bytes = 0  # of folded tensors
        self._work = 0  # multiply-adds to fold them
        self._parts = 0  # that tensors are cut into
        self._told: dict[int, Mapping[str, int]] = {}  # of each tensor
        self.sources: dict[str, int] = {}  # numbers in what the image meets, by its content
        self._same: dict[str, int] = {}  # the number of each folded node, by what it says
        self._root = nn.Module()
        self._attributes: dict[tuple[str, int], str] = {}  # by the kind and number of a value
        self._fx = fx.Graph()
        self._image = self._fx.placeholder("image")
        self._made: dict[int, fx.Node] = {0: self._image}

    @torch.no_grad()
    def module(self) -> nn.Module:
        """The whole graph, without the nodes that nothing needs."""
        for number, node, function in self._calls:
            if not self._fold(number, node, function):
                self._made[number] = self._place(number, node, function)
        self._fx.output(self._value({"node": self._graph.output}))
        self._fx.eliminate_dead_code(self._stays)
        built = fx.GraphModule(self._root, self._fx)
        shape = (1, self._channels, *(self._graph.size or SAMPLE))
        _run_without_values(_ByCalls(built, self._cut), shape)
        return built

    def _fold(self, number: int, node: Node, function: Callable[..., Any]) -> bool:
        """Compute a node that depends on tensors and numbers alone; False where it does not."""
        given = [node.args, list(node.kwargs.values())]
        sources = set(numbers(given, "node"))
        if number in self._written or not sources <= self._folded.keys():
            return False
        call = repr((node.op, *self._arguments(node, self._first)))
        if call in self._same:  # what is computed twice is known once: shared weights are
            self._folded[number] = self._folded[self._same[call]]
            return True
        self._same[call] = number
        arguments, named = self._arguments(node, self._constant)
        if node.op == "aten._weight_norm.default":
            check_weight_norm(*arguments, **named)
        self._refuse_large(number, node, function)
        value = function(*arguments, **named)
        tensors = (self._tensors[at] for at in numbers(given, "tensor"))
        learned = any(isinstance(tensor, nn.Parameter) for tensor in tensors)
        learned = learned or any(self._folded[at].learned for at in sources)
        if learned and isinstance(value, Tensor) and value.is_floating_point():
            value = nn.Parameter(value, requires_grad=False)
        self._folded[number] = _Folded(value, learned, self._sources(node, value))
        return True

    def _sources(self, node: Node, value: Any) -> Mapping[str, int]:
        """What is known in the value of a node: if it was only moved, no more than before."""
        if not self._telling:
            return {}
        made = known_numbers(value)
        joined = node.op in allowed.JOINS
        if joined or node.op not in (*allowed.MOVES, "getitem"):
            return made
        moved = self._met([node.args, list(node.kwargs.values())])
        return min(made, moved, key=_total)

    def _known_tensor(self, at: int) -> Mapping[str, int]:
        if not self._telling:
            return {}
        if at not in self._told:
            self._told[at] = known_numbers(self._tensors[at])
        return self._told[at]

    def _refuse_large(self, number: int, node: Node, function: Callable[..., Any]) -> None:
        """Refuse to compute what would not fit, or would not end, by its shape alone."""
        arguments, named = self._arguments(node, self._shaped)
        given: dict[str, Any] = {}
        if node.op.startswith("aten."):
            given = allowed.bound(node.op, arguments, named)
            self._cut(node.op, given)
            if given.get("device", 0) is None:  # what would make a tensor with memory
                named["device"] = torch.device("meta")
        with DispatchCounter() as counter:
            made = function(*arguments, **named)
        tensors = tensors_in(made)
        self._bytes += sum(tensor.nbytes for tensor in tensors)
        if self._bytes > BYTES_CAP:
            raise BadGraph(f"node {number} makes more than {BYTES_CAP:,} bytes of tensors")
        self._work += counter.tally.macs
        if given:
            self._work += cost(node.op, given, tensors_in([*given.values()]), tensors)
        if self._work > WORK_CAP:
            raise BadGraph(f"node {number} takes more than {WORK_CAP:,} products and sums")

    def _cut(self, op: str, given: Mapping[str, Any]) -> None:
        """Refuse a call that would cut tensors into more parts than there may be."""
        self._parts += parts(op, given)
        if self._parts > PARTS_CAP:
            raise BadGraph(f"tensors are cut into more than {PARTS_CAP:,} parts")

    def _shaped(self, value: Any) -> Any:
        """A value with tensors that have shapes and no memory."""
        return _as_python(value, lambda kind, at: _on_meta(self._known(kind, at)))

    def _place(self, number: int, node: Node, function: Callable[..., Any]) -> fx.Node:
        if node.op == "aten._weight_norm.default":  # which does not check its bounds
            raise BadGraph(f"node {number} norms weights that depend on the image")
        if node.op.startswith("aten.index") and any(
            at not in self._folded for at in numbers(node.args[1:2], "node")
        ):  # the image would choose how much is computed
            raise BadGraph(f"node {number} has indices that depend on the image or its size")
        built = layer(node, self._tensor_of)
        self._note(node)
        if built is not None:
            name = f"layer{number}"
            self._root.add_module(name, built)
            return self._fx.call_module(name, (self._value(node.args[0]),))
        arguments, named = self._arguments(node, self._value)
        return self._fx.call_function(function, arguments, named)

    def _note(self, node: Node) -> None:
        """What a node knows that stays in the graph.

        A batch norm is a factor and an offset for each channel, which its weights and its
        statistics make together.
        """
        if node.op == "aten.batch_norm.default":
            _, *four = allowed.bound(node.op, node.args, node.kwargs).values()
            halves = (self._met(four[:2]), self._met(four[2:4]))
            self.sources.update(halves[_total(halves[1]) > _total(halves[0])])
        else:
            self.sources.update(self._met([node.args, list(node.kwargs.values())]))

    def _met(self, values: Any) -> dict[str, int]:
        known: dict[str, int] = {}
        for at in numbers(values, "tensor"):
            known.update(self._known_tensor(at))
        for at in numbers(values, "node"):
            if at in self._folded:
                known.update(self._folded[at].sources)
        return known

    def _arguments(
        self, node: Node, of: Callable[[Any], Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return tuple(map(of, node.args)), {name: of(value) for name, value in node.kwargs.items()}

    def _tensor_of(self, value: Any) -> Tensor | None:
        """The tensor that a value stands for, where it does not depend on the image."""
        if not isinstance(value, Mapping):
            return None
        if "tensor" in value:
            return self._tensors[value["tensor"]]
        folded = self._folded.get(value.get("node", 0))
        return folded.value if folded and isinstance(folded.value, Tensor) else None

    def _value(self, value: Any) -> Any:
        """A value as an argument in the graph that is built."""
        return _as_python(value, self._reference)

    def _constant(self, value: Any) -> Any:
        return _as_python(value, self._known)

    def _first(self, value: Any) -> Any:
        """A value with the first of all nodes that are the same in the place of each."""
        return _as_python(
            value,
            lambda kind, at: (kind, id(self._folded[at]) if kind == "node" else at),
        )

    def _known(self, kind: str, number: Any) -> Any:
        if kind == "device":
            return torch.device(self._device)
        return self._tensors[number] if kind == "tensor" else self._folded[number].value

    def _reference(self, kind: str, number: Any) -> Any:
        if kind == "node" and number in self._made:
            return self._made[number]
        if kind == "device":  # the image's: the graph then runs wherever that is
            return self._fx.call_function(getattr, (self._image, "device"))
        tensor = self._tensor_of({kind: number})
        if tensor is not None:
            return self._attribute((kind, number), tensor)
        value = self._known(kind, number)
        if isinstance(value, list | tuple):
            raise BadGraph("a list of tensors that does not depend on the image is used whole")
        return value

    def _stays(self, node: fx.Node) -> bool:
        """Whether a node is needed even if nothing uses its result."""
        if node.op == "call_module":
            return bool(getattr(self._root.get_submodule(str(node.target)), "inplace", False))
        return node.op in ("placeholder", "output") or allowed.writes(str(node.target))

    def _attribute(self, key: tuple[str, int], tensor: Tensor) -> fx.Node:
        if key not in self._attributes:
            name = f"tensor{len(self._attributes)}"
            if isinstance(tensor, nn.Parameter):
                self._root.register_parameter(name, tensor)
            else:
                self._root.register_buffer(name, tensor)
            self._attributes[key] = name
        return self._fx.get_attr(self._attributes[key])


def _total(known: Mapping[str, int]) -> int:
    return sum(known.values())


class _Calls(fx.Interpreter):
    def __init__(self, graph: fx.GraphModule, look: Callable[..., None]) -> None:
        super().__init__(graph)
        self._look = look

    def call_function(self, target: Any, args: Any, kwargs: Any) -> Any:
        name = str(target)
        if name.startswith("aten."):
            self._look(name, allowed.bound(name, args, kwargs))
        return super().call_function(target, args, kwargs)


class _ByCalls(nn.Module):
    """A graph whose calls are shown to `look` before they run."""

    def __init__(self, graph: fx.GraphModule, look: Callable[..., None]) -> None:
        super().__init__()
        self.graph = graph
        self._look = look

    def forward(self, image: Tensor) -> Any:
        return _Calls(self.graph, self._look).run(image)


def _run_without_values(graph: nn.Module, shape: tuple[int, ...]) -> None:
    """Refuse a graph that can't tell its shapes without values, or that changes its tensors."""
    own = {**dict(graph.named_parameters()), **dict(graph.named_buffers())}
    empty = {name: torch.empty_like(tensor, device="meta") for name, tensor in own.items()}
    like = next(graph.parameters(), torch.zeros(()))
    image = torch.empty(shape, device="meta", dtype=like.dtype)
    versions = {name: tensor._version for name, tensor in empty.items()}  # noqa: SLF001
    with FastMeta():  # torch's own answers load sympy, for 0.3 s
        output = torch.func.functional_call(graph, empty, (image,))
    if not isinstance(output, Tensor):
        raise BadGraph("its output is no tensor")
    if any(tensor._version != versions[name] for name, tensor in empty.items()):  # noqa: SLF001
        raise BadGraph("a forward writes to a tensor of the network")


def _on_meta(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(map(_on_meta, value))
    if isinstance(value, torch.device):
        return torch.device("meta")
    return value.detach().to("meta") if isinstance(value, Tensor) else value


def _as_python(value: Any, of: Callable[[str, Any], Any]) -> Any:
    """A value of the document as Python has it; nodes, tensors and the device by `of`."""
    if isinstance(value, tuple | list):
        return [_as_python(item, of) for item in value]
    if not isinstance(value, Mapping):
        return value
    ((kind, content),) = value.items()
    if kind in _PLAIN:
        return _PLAIN[kind](content)
    return of(kind, content)


_PLAIN: dict[str, Callable[[str], Any]] = {
    "float": float,
    "dtype": DTYPES.__getitem__,
    "format": FORMATS.__getitem__,
    "text": str,
}
