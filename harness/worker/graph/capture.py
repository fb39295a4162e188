"""Capture a module's forward as a graph, by torch.export; what leaves is data alone.

Sizes stay free where the network allows, else there is a graph for each size that is asked for. The
module is run with tensors that hold no values, so no graph depends on an image.
"""

from __future__ import annotations

import math
import operator
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import Tensor, nn
from torch._higher_order_ops import wrap  # torch 2.6 registers them no earlier than this
from torch.export import Dim, ExportedProgram, export
from torch.export.graph_signature import InputKind
from torch.fx import GraphModule
from torch.fx import Node as FxNode

from harness.wire.messages import Capture, Captured, Load
from harness.worker.count.device_choice import SPOT_SIZE
from harness.worker.count.model_copies import describe, parameter_count
from harness.worker.count.other_forwards import second_size
from harness.worker.graph import allowed
from harness.worker.graph.builder import SAMPLE
from harness.worker.graph.export_mode import POOLED, ExportMode
from harness.worker.graph.network_file import (
    BYTES_CAP,
    DTYPES,
    FORMATS,
    LAYERS,
    NODES_CAP,
    BadGraph,
    CapturedNetwork,
    Graph,
    Node,
    Size,
    encode,
)
from harness.worker.graph.rebuild import rebuild
from harness.worker.runner import PRECISIONS, shown_sizes

_DROPPED = (  # assertions on sizes of results; those on the image's own are guards (`_guards`)
    "aten._assert_scalar.default",
    "aten._assert_tensor_metadata.default",
    "aten.sym_constrain_range_for_size.default",
    "aten.sym_constrain_range.default",
)
# parts of a forward under a context manager
_WRAPPERS = (wrap.wrap_with_set_grad_enabled, wrap.wrap_with_autocast)
_NUMBERS = {
    **{getattr(operator, name): name for name in allowed.NUMBERS if hasattr(operator, name)},
    **{getattr(math, name): name for name in ("trunc", "floor", "ceil")},
    torch.sym_max: "max",
    torch.sym_min: "min",
    torch.sym_float: "float",
    torch.sym_int: "trunc",
    round: "round",
}
FREE_S = 60.0
"""Processor time for a graph of every size. Most take 1 to 10 s; where windows are cut and strides
divide what was padded, the arithmetic on sizes may not end."""
_AGAIN_S = 1.0
_FREE = {2: Dim.DYNAMIC, 3: Dim.DYNAMIC}
_NAMES = {
    **{dtype: {"dtype": name} for name, dtype in DTYPES.items()},
    **{layout: {"format": name} for name, layout in FORMATS.items()},
}


class NotCaptured(Exception):
    """The network is no graph; the message says why, in one line."""


class Tensors:
    """The tensors of all graphs of a file, each once."""

    def __init__(self) -> None:
        self.all: list[Tensor] = []
        self.parameters: set[int] = set()
        self._known: dict[tuple[Any, ...], int] = {}

    def number(self, tensor: Tensor) -> int:
        """The number of a tensor; it is added if it is new."""
        plain = tensor.detach()
        key = (plain.data_ptr(), plain.dtype, tuple(plain.shape), plain.stride())
        if key not in self._known:
            self._known[key] = len(self.all)
            self.all.append(plain)
        number = self._known[key]
        if isinstance(tensor, nn.Parameter):
            self.parameters.add(number)
        return number


def captured(
    model: nn.Module, declared: Load, before: nn.Module | None, request: Capture
) -> tuple[Captured, bytes]:
    """The answer to a request, and the file of the network; NotCaptured says why there is none.

    `before` is the module of an entry with `deploy` as it was before that.
    """
    tensors = Tensors()
    counted = {request.count, *(second_size(*request.count, meta=it) for it in (True, False))}
    sizes = shown_sizes(declared, request.sizes) | counted | {(SPOT_SIZE, SPOT_SIZE)}
    graphs = capture(model, declared, sorted(sizes), tensors)
    fused = () if before is None else capture(before, declared, sorted(counted), tensors)
    if sum(tensor.nbytes for tensor in tensors.all) > BYTES_CAP:
        raise NotCaptured(f"it has more than {BYTES_CAP:,} bytes of tensors")
    if sum(len(graph.nodes) for graph in (*graphs, *fused)) > NODES_CAP:
        raise NotCaptured(f"its graphs of {len(graphs)} sizes have more than {NODES_CAP:,} nodes")
    network = CapturedNetwork(
        graphs, tuple(sorted(tensors.parameters)), parameter_count(model), fused
    )
    own = 0 if graphs[0].size is None else len(graphs)
    return Captured(graphs=own), encode(network, tensors.all)


def capture(
    model: nn.Module, declared: Load, sizes: Sequence[Size], tensors: Tensors
) -> tuple[Graph, ...]:
    """The graph of `model`, or one for each LR height and width of `sizes`.

    NotCaptured if neither can be had.
    """
    model = getattr(model, "_orig_mod", model)  # as written, if torch.compile has wrapped it
    sample = _sample(declared, SAMPLE)
    with suppress(Exception), torch.no_grad():  # a network may fuse itself in its first forward
        model(sample)
    with suppress(Exception, _TooLong), _within(FREE_S):  # whatever it is: sizes may be needed
        program = _exported(model, sample, _FREE)
        serves = _guards(program)
        if all(serves(_sample(declared, size)) for size in sizes):
            return (_Translation(program, tensors, declared).read(None),)
    try:
        return tuple(
            _Translation(_exported(model, _sample(declared, size)), tensors, declared).read(size)
            for size in sizes
        )
    except NotCaptured:
        raise
    except BadGraph as error:
        raise NotCaptured(f"its graph is refused: {error}") from None
    except Exception as error:  # noqa: BLE001 - the entry's own, of any kind
        raise NotCaptured(describe(error)) from None


class _TooLong(BaseException):
    """No Exception, which the libraries that are interrupted might catch."""


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Raise _TooLong in the block once it has taken so many seconds of processor time."""

    def stop(*_: object) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGVTALRM, stop)
    # again and again: what is raised in the midst of a library may be swallowed there
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, _AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _sample(declared: Load, size: Size) -> Tensor:
    """An image as the runner gives it to the model: in its memory format, a tile being a part.

    What a graph does not need for the layout of its sample (`contiguous`, say) is not in it.
    """
    more = 1 if declared.tile else 0
    image = torch.zeros(
        (1, declared.channels, size[0] + more, size[1] + more),
        device=declared.device,
        dtype=PRECISIONS[declared.precision or "fp32"],
    )
    layout = torch.channels_last if declared.channels_last else torch.contiguous_format
    return image.contiguous(memory_format=layout)[..., : size[0], : size[1]]


def _exported(
    model: nn.Module, image: Tensor, free: dict[int, Any] | None = None
) -> ExportedProgram:
    shapes = None if free is None else (free,)
    with torch.no_grad(), ExportMode():
        return export(model, (image,), dynamic_shapes=shapes, strict=False)


def _guards(program: ExportedProgram) -> Callable[[Tensor], bool]:
    """Whether the program holds for an image's size: branches on a size become its guards."""
    module = getattr(program.module(), "_guards_fn", None)
    if module is None:  # as in torch 2.6
        return lambda image: _conditions_hold(program, image)

    def serves(image: Tensor) -> bool:
        try:
            return module(image) is None
        except AssertionError:
            return False

    return serves


def _conditions_hold(program: ExportedProgram, image: Tensor) -> bool:
    """The same by the conditions on sizes that torch noted while it exported."""
    (name,) = program.graph_signature.user_inputs
    traced = next(node.meta["val"] for node in program.graph.nodes if node.name == name)
    sizes = {}
    for free, size in zip(
        (*traced.stride(), *traced.shape), (*image.stride(), *image.shape), strict=True
    ):
        if isinstance(free, torch.SymInt):
            sizes[free.node.expr] = size
    fixed = (a == b for a, b in zip(traced.shape, image.shape, strict=True) if isinstance(a, int))
    conditions = (it.expr.subs(sizes) for it in traced.fake_mode.shape_env.guards)
    return all(fixed) and all(map(bool, conditions))


class _Translation:
    """One exported program, in the words of a document."""

    def __init__(self, program: ExportedProgram, tensors: Tensors, declared: Load) -> None:
        self._program = program
        self._tensors = tensors
        self._device, self._channels = declared.device, declared.channels
        self._values: dict[FxNode, Any] = {}  # how later nodes say each node
        self._nodes: list[Node] = []

    def read(self, size: Size | None) -> Graph:
        """The graph, of a size or of any; BadGraph where the strict reader would refuse it."""
        graph = self._graph(size)
        parameters = tuple(sorted(self._tensors.parameters))
        network = CapturedNetwork((graph,), parameters, 0)
        known = tuple(self._tensors.all)
        rebuild(network, known, device=self._device, channels=self._channels)
        return graph

    def _graph(self, size: Size | None) -> Graph:
        signature = self._program.graph_signature
        if len(signature.output_specs) != 1 or signature.output_specs[0].kind.name != "USER_OUTPUT":
            raise NotCaptured("its forward changes the module, or returns more than one tensor")
        (result,) = self._part(self._program.graph_module, map(self._input, signature.input_specs))
        if not isinstance(result, FxNode):
            raise NotCaptured("its forward does not return a tensor")
        return Graph(size, tuple(self._nodes), self._output(self._values[result]))

    def _part(self, module: GraphModule, inputs: Iterator[Any]) -> Any:
        """Translate the program, or a part that is a module of its own; what it returns."""
        for node in module.graph.nodes:
            if node.op == "placeholder":
                self._values[node] = next(inputs)
            elif node.op == "get_attr":
                self._values[node] = getattr(module, node.target)
            elif node.op == "output":
                return node.args[0]
            elif node.target in _WRAPPERS:
                inner, *given = self._unwrapped(node)
                results = self._part(self._values[inner], map(self._value, given))
                self._values[node] = [self._value(result) for result in results]
            else:
                self._call(node)
        raise NotCaptured("its forward returns nothing")

    def _unwrapped(self, node: FxNode) -> tuple[Any, ...]:
        """The module of a part that is run with other settings, and its arguments."""
        if node.target is not torch.ops.higher_order.wrap_with_autocast:
            return node.args[1:]
        kind, _, enabled, _, *rest = node.args
        if enabled and kind == self._device:
            raise NotCaptured("its forward switches autocast on")
        return tuple(rest)

    def _output(self, value: Any) -> int:
        if "node" not in value or not value["node"]:
            self._nodes.append(Node("aten.clone.default", (value,), {}))
            return len(self._nodes)
        return int(value["node"])

    def _input(self, spec: Any) -> Any:
        if spec.kind is InputKind.USER_INPUT:
            return {"node": 0}
        if spec.kind is InputKind.PARAMETER:
            return {"tensor": self._tensors.number(self._program.state_dict[spec.target])}
        if spec.kind is InputKind.BUFFER and spec.persistent:
            return {"tensor": self._tensors.number(self._program.state_dict[spec.target])}
        if spec.kind in (InputKind.BUFFER, InputKind.CONSTANT_TENSOR):
            return {"tensor": self._tensors.number(self._program.constants[spec.target])}
        raise NotCaptured(f"it needs a {spec.kind.name.lower()} that is no tensor")

    def _call(self, node: FxNode) -> None:
        name = _name(node.target)
        if name in _DROPPED:
            return
        if name == POOLED:
            features, *sides = map(self._value, node.args)
            self._nodes.append(Node("aten.adaptive_max_pool2d.default", (features, sides), {}))
            self._nodes.append(Node("getitem", ({"node": len(self._nodes)}, 0), {}))
            self._values[node] = {"node": len(self._nodes)}
            return
        if name == "getitem" and isinstance(results := self._value(node.args[0]), list):
            self._values[node] = results[self._value(node.args[1])]
            return
        try:
            allowed.resolve(name)
        except KeyError:
            raise NotCaptured(f"it calls {name}, which is no operator of a graph") from None
        arguments = tuple(self._value(argument) for argument in node.args)
        named = {
            key: self._value(value)
            for key, value in node.kwargs.items()
            if key not in ("layout", "pin_memory")
        }
        self._nodes.append(Node(name, arguments, named, _layer(node)))
        self._values[node] = {"node": len(self._nodes)}

    def _value(self, value: Any) -> Any:
        match value:
            case FxNode():
                return self._values[value]
            case list() | tuple():
                return [self._value(item) for item in value]
            case None | bool():
                return value
            case int():  # the end of a slice is the largest number that there is
                return max(-allowed.LARGEST, min(value, allowed.LARGEST))
        return _written_out(value)


def _written_out(value: Any) -> Any:
    """What JSON has no word for, as a document holds it."""
    match value:
        case float():
            return value if math.isfinite(value) else {"float": str(value)}
        case str():
            return {"text": value}
        case torch.device():
            return {"device": True}
    if value in _NAMES:
        return _NAMES[value]
    raise NotCaptured(f"it passes a {type(value).__name__} to an operator")


def _name(target: Any) -> str:
    if target in _NUMBERS:
        return _NUMBERS[target]
    if target is operator.getitem:
        return "getitem"
    return str(target)


def _layer(node: FxNode) -> str:
    """The class of torch.nn that called a node, if a convention counts it."""
    stack = node.meta.get("nn_module_stack")
    if not stack:
        return ""
    _, kind = list(stack.values())[-1]
    name = kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"
    *module, layer = name.split(".")
    return layer if module[:2] == ["torch", "nn"] and layer in LAYERS else ""
