"""Build a network from a captured graph: the strict reader, where none of the entry's code is.

What does not depend on the image is computed once, here. The tensors that are left, and meet the
image, are what the network knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, fx, nn

from harness.worker.count.model_copies import StandsForParameters, describe
from harness.worker.graph import allowed
from harness.worker.graph.contents import known_numbers
from harness.worker.graph.layers import layer
from harness.worker.graph.network_file import (
    BYTES_CAP,
    DTYPES,
    FORMATS,
    BadGraph,
    CapturedNetwork,
    Graph,
    Node,
    Size,
    decode,
    numbers,
)

_IMAGE = -1  # what may share memory with the image
SAMPLE = (96, 112)
"""LR height and width that any graph of every size takes: windows of 8 fit, and strided pools leave
something."""


def read(path: Path) -> tuple[CapturedNetwork, tuple[Tensor, ...]]:
    """The document and the tensors of a file; BadGraph where it is no captured network."""
    try:
        with safe_open(path, framework="pt") as file:
            names, metadata = sorted(file.keys()), file.metadata() or {}
            if names != [f"{number:05d}" for number in range(len(names))]:
                raise BadGraph("its tensors are not numbered one by one")
            if metadata.keys() != {"graph"}:
                raise BadGraph("it has no document")
            if path.stat().st_size > BYTES_CAP:
                raise BadGraph(f"it is larger than {BYTES_CAP:,} bytes")
            network = decode(metadata["graph"])
            # copies, which torch aligns: kernels that load whole vectors sum in another order else
            tensors = tuple(file.get_tensor(name).clone() for name in names)
    except SafetensorError as error:
        raise BadGraph(f"it is no safetensors file: {error}") from None
    return network, tensors


def rebuild(
    network: CapturedNetwork,
    tensors: tuple[Tensor, ...],
    *,
    device: str = "cpu",
    deployed: bool = True,
) -> nn.Module:
    """The network as a module in evaluation mode, on its device; BadGraph for one that is none.

    It takes and returns what the captured module did, and stands for as many parameters, used or
    not. `deployed=False` asks for the network before its entry's `deploy`.
    """
    deployed = deployed or not network.before
    graphs = network.graphs if deployed else network.before
    known = {at: tensor.to(device) for at, tensor in enumerate(tensors)}
    for at in set(network.parameters) & known.keys():
        known[at] = nn.Parameter(known[at], requires_grad=False)
    try:
        built = {graph.size: _Builder(graph, known, device).module() for graph in graphs}
    except BadGraph:
        raise
    except Exception as error:  # noqa: BLE001 - an operator's own, of any kind
        raise BadGraph(f"a part of it can't be computed: {describe(error)}") from None
    used = {at for graph in graphs for at in _used(graph)}
    sources = {graph.size: _teller(graph, known, device, used - _used(graph)) for graph in graphs}
    elements = sum(known[at].numel() for at in used & set(network.parameters))
    return Network(built, sources, max(elements, network.params if deployed else 0)).eval()


def _teller(
    graph: Graph, tensors: Mapping[int, Tensor], device: str, elsewhere: AbstractSet[int]
) -> Callable[[], Mapping[str, int]]:
    """What tells the sources of a graph: by building it again, which only a count asks for.

    Tensors that are used `elsewhere`, by graphs of other sizes alone, are known as well.
    """

    def told() -> Mapping[str, int]:
        builder = _Builder(graph, tensors, device, telling=True)
        builder.module()
        return {**builder.sources, **known_numbers([tensors[at] for at in elsewhere])}

    return told


def _used(graph: Graph) -> set[int]:
    """The numbers of the tensors that a graph's nodes are given."""
    given = [[node.args, list(node.kwargs.values())] for node in graph.nodes]
    return set(numbers(given, "tensor"))


class Network(StandsForParameters):
    """A network of one graph, or of one for each of some LR heights and widths."""

    def __init__(
        self,
        graphs: Mapping[Size | None, nn.Module],
        sources: Mapping[Size | None, Callable[[], Mapping[str, int]]],
        params: int,
    ) -> None:
        super().__init__()
        self.params = params
        self._sources = dict(sources)
        self._names = {size: f"at_{size[0]}x{size[1]}" if size else "graph" for size in graphs}
        for size, graph in graphs.items():
            self.add_module(self._names[size], graph)

    def forward(self, image: Tensor) -> Any:
        """Run the graph of the image's size; ValueError if there is none."""
        # numbers: a tracer hands sizes over as tensors
        return self.graph_at((int(image.shape[-2]), int(image.shape[-1])))(image)

    def graph_at(self, size: Size) -> nn.Module:
        """The graph of an LR height and width; ValueError if there is none."""
        name = self._names.get(None) or self._names.get(size)
        if name is None:
            raise ValueError(f"the network was captured for other sizes than {size[0]}x{size[1]}")
        graph: nn.Module = getattr(self, name)
        return graph

    @property
    def any_size(self) -> bool:
        """Whether one graph serves every size."""
        return None in self._names

    @property
    def sizes(self) -> list[Size]:
        """LR heights and widths with a graph of their own."""
        return [size for size in self._names if size is not None]

    def sources_at(self, size: Size) -> Mapping[str, int]:
        """What the image meets at a size: names of contents, and how many numbers each is."""
        return self._sources[None if None in self._sources else size]()


@dataclass(frozen=True)
class _Folded:
    """The value of a node that does not depend on the image; `learned` if parameters are in it.

    `sources` are what it knows, with their elements: what was only moved knows no more than before.
    """

    value: Any
    learned: bool
    sources: Mapping[str, int]


class _Builder:
    """One graph on its way to a module."""

    def __init__(
        self, graph: Graph, tensors: Mapping[int, Tensor], device: str, *, telling: bool = False
    ) -> None:
        self._graph = graph
        self._tensors = tensors
        self._device = device
        self._telling = telling  # what the image meets, which takes longer than to build
        self._calls = [
            (number, node, _checked(node, number, tensors))
            for number, node in enumerate(graph.nodes, start=1)
        ]
        self._written = written(graph.nodes)
        self._folded: dict[int, _Folded] = {}
        self._bytes = 0  # of folded tensors
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
        _run_without_values(built, self._graph.size or SAMPLE)
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
            _check_weight_norm(*arguments, **named)
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
        """Refuse to compute what would not fit, by its shape alone."""
        arguments, named = self._arguments(node, self._shaped)
        with torch.device("meta"):  # where a call names none
            made = function(*arguments, **named)
        parts = made if isinstance(made, list | tuple) else (made,)
        self._bytes += sum(part.nbytes for part in parts if isinstance(part, Tensor))
        if self._bytes > BYTES_CAP:
            raise BadGraph(f"node {number} makes more than {BYTES_CAP:,} bytes of tensors")

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


def _check_weight_norm(v: Tensor, g: Tensor, dim: int = 0) -> None:
    """Refuse a norm of another shape than the weight has: the kernel reads and writes beyond."""
    shape = [size if axis == dim else 1 for axis, size in enumerate(v.shape)]
    if list(g.shape) != shape or g.dtype != v.dtype or not v.is_floating_point() or not v.numel():
        raise BadGraph("weights are normed by a factor of another shape")


def _run_without_values(graph: nn.Module, size: Size) -> None:
    """Refuse a graph that can't tell its shapes without values, or that changes its tensors."""
    own = {**dict(graph.named_parameters()), **dict(graph.named_buffers())}
    empty = {name: torch.empty_like(tensor, device="meta") for name, tensor in own.items()}
    like = next(graph.parameters(), torch.zeros(()))
    image = torch.empty(1, 3, *size, device="meta", dtype=like.dtype)
    versions = {name: tensor._version for name, tensor in empty.items()}  # noqa: SLF001
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


def _checked(node: Node, number: int, tensors: Mapping[int, Tensor]) -> Callable[..., Any]:
    """The function of a node, if a graph may call it like that."""
    try:
        function: Callable[..., Any] = allowed.resolve(node.op)
    except KeyError:
        raise BadGraph(f"node {number} calls {node.op:.80}, which no graph may") from None
    if any(at not in tensors for at in numbers([node.args, list(node.kwargs.values())], "tensor")):
        raise BadGraph(f"node {number} uses a tensor that is not there")
    if node.op.startswith("aten."):
        _check_arguments(node, number)
    if node.op in allowed.OFF:
        name, value = allowed.OFF[node.op]
        if allowed.bound(node.op, node.args, node.kwargs).get(name) != value:
            raise BadGraph(f"node {number} calls {node.op} with {name} other than {value}")
    return function


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
