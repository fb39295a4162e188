"""What a captured network knows and computes, however it is spelled.

Operators that work element by element cost nothing in any convention, and a number in the code is
no parameter. In a graph both are in the open: each number that meets the image is known, and each
product or sum with one is a multiply-add. What has the same value for different images is a
constant, though it was computed from the image.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Any

import torch
from torch import nn

from harness.worker.count.dispatch import DispatchCounter
from harness.worker.count.fast_meta import FastMeta
from harness.worker.count.model_copies import on_meta
from harness.worker.count.weight_trace import TraceRecorder
from harness.worker.graph.network_file import Size
from harness.worker.graph.observed import constants
from harness.worker.graph.rebuild import Network
from harness.worker.graph.walked import Walked

_SEEN = 256  # pixels a side
_TRIED = 3  # sizes of graphs that may have the same calls
_LEAST_POOLED = 8  # feature maps are reduced by this side at most, where no other graph tells them


def effective_parameters(
    model: nn.Module, height: int, width: int, sizes: Iterable[Size] = ()
) -> dict[str, Any] | None:
    """The fields of `core.model_counts.EffectiveParameters`; None for what is no captured network.

    `height` and `width` are those of the counted image, `sizes` those that the network is given for
    the images that are timed.
    """
    if not isinstance(model, Network):
        return None
    size = (height, width)
    seen = _observed(model, size)
    image = torch.empty(1, model.channels, *seen, dtype=_dtype(model))
    empty: Any = on_meta(model, image).model
    steady = _of_any_size(empty, size)
    known = constants(model.graph_at(seen), image, steady)
    walk, _ = _walked(empty, size, {name: it.equal for name, it in known.items()})
    met = [known[name] for name in walk.met & steady]
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


def _observed(model: Network, size: Size) -> Size:
    """The size of images that really run: an enlarged one costs minutes, and shows no more."""
    return (min(size[0], _SEEN), min(size[1], _SEEN)) if model.any_size else size


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
    empty: Network, size: Size, known: Mapping[str, bool] | None = None
) -> tuple[Walked, dict[str, Any]]:
    graph = empty.graph_at(size)
    image = torch.empty(1, empty.channels, *size, device="meta", dtype=_dtype(empty))
    walk, reads = Walked(graph, known or {}), TraceRecorder(graph, image)
    with torch.no_grad(), ExitStack() as stack:
        for watcher in (FastMeta(), reads, DispatchCounter()):
            stack.enter_context(watcher)
        output = walk.run(image)
    return walk, reads.report(output)


def _dtype(model: nn.Module) -> torch.dtype:
    floating = (it.dtype for it in model.parameters() if it.is_floating_point())
    return next(floating, torch.float32)


def _total(known: Iterable[Mapping[str, int]]) -> int:
    return sum({name: many for it in known for name, many in it.items()}.values())
