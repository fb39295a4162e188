"""What a captured network knows and computes, however it is spelled.

Operators that work element by element cost nothing in any convention, and a number in the code is
no parameter. In a graph both are in the open: each number that meets the image is known, and each
product or sum with one is a multiply-add. What has the same value for different images is a
constant, though it was computed from the image.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.multiprocessing.reductions import StorageWeakRef

from harness.worker.count.dispatch import DispatchCounter
from harness.worker.count.fast_meta import FastMeta
from harness.worker.count.model_copies import on_meta, photograph
from harness.worker.count.weight_trace import TraceRecorder, storage_key
from harness.worker.graph import allowed
from harness.worker.graph.contents import known_numbers
from harness.worker.graph.network_file import Size
from harness.worker.graph.rebuild import Network

_EPS = 1e-5  # of norms, unless they say otherwise
_SLOPES = ("negative_slope", "alpha")  # of activations
_PLAIN = (-1, 0, 1)  # numbers that every code has
_TYPES = ("number", "float", "Tensor")  # of arguments that are no size
_VALUED = {*_TYPES, *(f"Optional[{name}]" for name in _TYPES)}
_SAME, _EQUAL = 0.05, 1e-6
"""Relative change of a value from one image to another, below which it is a constant: of what can
be weights by its shape, and of anything."""
_SAMPLES = 4096  # of a value
_TRIED = 3  # sizes of graphs that may have the same calls
_LEAST_POOLED = 8  # feature maps are reduced by this side at most, where no other graph tells them


def effective_parameters(
    model: nn.Module, height: int, width: int, sizes: Iterable[Size] = ()
) -> dict[str, Any] | None:
    """The fields of `core.model_counts.EffectiveParameters`; None for what is no captured network.

    `height` and `width` are those of an LR image, `sizes` those that the network is given for the
    images that are timed.
    """
    if not isinstance(model, Network):
        return None
    size = (height, width)
    image = photograph(model, height=height, width=width, data_range=1.0)
    empty: Any = on_meta(model, image).model
    steady = _of_any_size(empty, size)
    constants = _constants(model.graph_at(size), image, steady)
    walk, _ = _walked(empty, size, constants.keys())
    met = [constants[name] for name in walk.met & steady]
    # what the builder of the graph could not see: that more is made of what it saw
    more = _total(it.contents for it in met) - _total(it.sources for it in met)
    others = () if model.any_size else sizes  # a graph of its own may know more
    costs = [_cost(empty, it) for it in (size, *sizes)]
    return {
        "elements": _total(model.sources_at(it) for it in (size, *others)) + max(more, 0),
        "numbers": max(numbers for numbers, _ in costs),
        "elementwise_macs": walk.products,
        "sizes": tuple(cost for _, cost in costs),
    }


def _of_any_size(empty: Network, size: Size) -> set[str]:
    """Results whose shapes do not follow the image's, so that they can be weights."""
    walk, _ = _walked(empty, size)
    shapes, larger = walk.shapes, (2 * size[0], 2 * size[1])
    elsewhere = [larger] if empty.any_size else [it for it in empty.sizes if _differs(it, size)]
    for it in elsewhere[:_TRIED]:
        other, _ = _walked(empty, it)
        if other.shapes.keys() == shapes.keys():
            return {name for name in shapes if other.shapes[name] == shapes[name]}
    few = size[0] * size[1] // _LEAST_POOLED**2
    return {name for name in shapes if sum(map(math.prod, shapes[name])) < few}


def _differs(one: Size, other: Size) -> bool:
    return one[0] != other[0] and one[1] != other[1]


def _cost(empty: Network, size: Size) -> tuple[int, dict[str, int]]:
    """Of a forward without values the numbers in its calls, and `core.model_counts.CostAtSize`."""
    walk, report = _walked(empty, size)
    return walk.numbers, {
        "height": size[0],
        "width": size[1],
        "weights": report["closed_form"],
        "products": report["image_products"],
        "arithmetic": walk.arithmetic,
    }


def _walked(
    empty: Network, size: Size, constants: Collection[str] = ()
) -> tuple[_Walk, dict[str, Any]]:
    graph = empty.graph_at(size)
    image = torch.empty(1, 3, *size, device="meta", dtype=_dtype(empty))
    walk, reads = _Walk(graph, constants), TraceRecorder(graph, image)
    with torch.no_grad(), ExitStack() as stack:
        for watcher in (FastMeta(), reads, DispatchCounter()):
            stack.enter_context(watcher)
        output = walk.run(image)
    return walk, reads.report(output)


def _dtype(model: nn.Module) -> torch.dtype:
    return next((it.dtype for it in model.parameters()), torch.float32)


@torch.no_grad()
def _constants(graph: nn.Module, image: Tensor, steady: Collection[str]) -> Mapping[str, _Known]:
    """Results of calls that two images have in common, and what is known in each.

    `steady` are those whose shapes are the same for all sizes.
    """
    one = _Observed(graph)
    one.run(image)
    tolerances = {name: _SAME if name in steady else _EQUAL for name in one.samples}
    other = _Observed(graph, one.samples, tolerances)
    # of two noises or two photographs statistics may be alike
    noise = torch.rand(image.shape, generator=torch.Generator().manual_seed(0))
    other.run(noise.to(image.dtype))
    return other.known


@dataclass(frozen=True)
class _Known:
    """The numbers in a value, and in the tensors of the network that it was computed from."""

    contents: Mapping[str, int]
    sources: Mapping[str, int]


class _Following(fx.Interpreter):
    """A forward in which a tensor is known by its storage: views and writes are the tensor."""

    def __init__(self, graph: nn.Module) -> None:
        super().__init__(graph)
        self._kept: dict[int, StorageWeakRef] = {}  # without data, but the key is not given away

    def _key(self, tensor: Tensor) -> int:
        key = storage_key(tensor)
        if key not in self._kept:
            storage = tensor.untyped_storage()
            self._kept[key] = StorageWeakRef(storage)  # type: ignore[no-untyped-call]
        return key

    def _keys(self, *values: Any) -> set[int]:
        return {self._key(tensor) for tensor in _tensors(values)}

    def _given(self, node: fx.Node) -> set[int]:
        return self._keys(*map(self.env.get, node.all_input_nodes))


class _Observed(_Following):
    """A forward that samples what derives from tensors of the network.

    `known` are the results that are as `before`, in another forward, within their `tolerances`.
    """

    def __init__(
        self,
        graph: nn.Module,
        before: Mapping[str, Tensor] | None = None,
        tolerances: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(graph)
        self.samples: dict[str, Tensor] = {}
        self.known: dict[str, _Known] = {}
        self._before = before or {}
        self._tolerances = tolerances or {}
        self._stored: set[int] = set()  # storages that tensors of the network have a part in
        self._of: dict[int, _Known] = {}  # what is known in a storage

    def run_node(self, n: fx.Node) -> Any:
        """Run a call, and look at its result."""
        given = self._given(n)
        result = super().run_node(n)
        made = self._keys(result)
        own = [result] if n.op == "get_attr" else []
        if n.op == "call_module":
            own = [*self.fetch_attr(str(n.target)).parameters()]
        if made and (own or given & self._stored):  # not a size
            self._stored |= made
            known = [self._of[key] for key in given if key in self._of]
            if own:
                held = known_numbers(own)
                known.append(_Known(held, held))
            found = known[0] if n.op == "get_attr" else self._compared(n, known, result)
            for key in made:
                self._of.pop(key, None)
                if found is not None:
                    self._of[key] = found
        return result

    def _compared(self, node: fx.Node, known: list[_Known], result: Any) -> _Known | None:
        """What is known in a result; nothing if it is another one than before."""
        sample, before = _sample(result), self._before.get(node.name)
        self.samples[node.name] = sample
        if before is None or (sample - before).norm() > self._tolerances[node.name] * before.norm():
            return None
        contents = known_numbers([it for it in _tensors(result) if (it != it.flatten()[0]).any()])
        if str(node.target) in allowed.MOVES:
            contents = {name: many for it in known for name, many in it.contents.items()}
        sources = {name: many for it in known for name, many in it.sources.items()}
        found = self.known[node.name] = _Known(contents, sources)
        return found


def _sample(result: Any) -> Tensor:
    """Some values of a result, from all over it."""
    parts = []
    for tensor in _tensors(result):
        plain = (torch.view_as_real(tensor) if tensor.is_complex() else tensor).reshape(-1)
        parts.append(plain[:: -(-plain.numel() // _SAMPLES)].double().cpu())
    return torch.cat(parts).nan_to_num()


class _Walk(_Following):
    """A forward that looks at each call; `constants` are results that no image changes."""

    def __init__(self, graph: nn.Module, constants: Collection[str] = ()) -> None:
        super().__init__(graph)
        self.numbers = 0  # in calls
        self.met: set[str] = set()  # the constants among them that the image meets
        self.products = 0  # with what the network knows
        self.shapes: dict[str, tuple[torch.Size, ...]] = {}
        self.arithmetic = 0  # all that is done element by element
        self._constants = constants
        self._constant_at: dict[int, str] = {}  # by storage
        self._of_image: set[int] = set()

    def run_node(self, n: fx.Node) -> Any:
        """Run a call, and note what the image meets in it."""
        given = self._given(n)
        sizes = [tensor.numel() for tensor in _tensors([*map(self.env.get, n.all_input_nodes)])]
        result = super().run_node(n)
        made = self._keys(result)
        self.shapes[n.name] = tuple(it.shape for it in _tensors(result))
        met = n.op == "placeholder" or bool(given & self._of_image)
        if n.name in self._constants:
            self._constant_at.update(dict.fromkeys(made, n.name))
            self._of_image -= made
        elif met and str(n.target) not in allowed.SHAPED:
            self.met.update(self._constant_at[key] for key in given if key in self._constant_at)
            self._of_image |= made
        if n.op == "call_function":
            sizes += [tensor.numel() * _area(n) for tensor in _tensors(result)]
            self._look(n, met, bool(given - self._of_image), max(sizes) if made else 0)
        elif met and n.op == "call_module":
            layer = self.fetch_attr(str(n.target))
            self.numbers += sum(name in vars(layer) for name in _SLOPES)
            self.numbers += vars(layer).get("eps", _EPS) != _EPS
            if isinstance(layer, nn.PReLU | nn.BatchNorm2d):
                self.arithmetic += max(sizes)
        return result

    def _first(self, node: fx.Node) -> set[int]:
        """The storage of a call's first argument."""
        first = node.args[0] if node.args else None
        return self._keys(self.env.get(first)) if isinstance(first, fx.Node) else set()

    def _scalars(self, name: str, node: fx.Node) -> Iterator[float]:
        """Numbers in a call that are no sizes, and that not every code has."""
        given = allowed.bound(name, node.args, node.kwargs)
        for argument in allowed.resolve(name)._schema.arguments:  # noqa: SLF001 - see `bound`
            value = given[argument.name]
            if str(argument.type) not in _VALUED or argument.name.startswith("scales"):
                continue
            if isinstance(value, fx.Node):  # arithmetic on sizes can make any number
                value = self.env.get(value)
            if isinstance(value, int | float) and value not in (*_PLAIN, argument.default_value):
                yield value

    def _look(self, node: fx.Node, met: bool, constants: bool, largest: int) -> None:
        name = str(node.target)
        if not name.startswith("aten."):
            return
        scalars = sum(1 for _ in self._scalars(name, node))
        self.numbers += scalars
        if not met or not largest or name in allowed.MULTIPLIED:
            return
        table = name in allowed.LOOKUPS and not self._first(node) & self._of_image
        if name not in allowed.FREE or table:
            self.arithmetic += largest
            self.products += largest * bool(constants or scalars)
        elif scalars and name not in allowed.MOVES:
            self.products += largest


def _area(node: fx.Node) -> int:
    """How many values a pooling adds up for one; 1 for other calls."""
    name = str(node.target)
    if not name.startswith("aten.avg_pool"):
        return 1
    return math.prod(allowed.bound(name, node.args, node.kwargs)["kernel_size"])


def _total(known: Iterable[Mapping[str, int]]) -> int:
    return sum({name: many for it in known for name, many in it.items()}.values())


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, list | tuple):
        return [tensor for item in value for tensor in _tensors(item)]
    return [value] if isinstance(value, Tensor) and value.numel() else []
