"""What a captured network knows, however it is spelled: its effective parameters.

Operators that work element by element cost nothing in any convention, and a number in the code is
no parameter. In a graph both are in the open: each number that meets the image is known, and each
product or sum with one is a multiply-add.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, fx, nn

from harness.worker.graph.rebuild import Network

_LINEAR = tuple(
    f"aten.{name}"
    for name in ("add", "sub", "rsub", "mul", "div", "true_divide", "addcmul", "addcdiv", "lerp")
)
_SLOPES = ("negative_slope", "alpha")  # of activations
_PLAIN = (-1, 0, 1)  # numbers that every code has


def effective_parameters(model: nn.Module, height: int, width: int) -> dict[str, int] | None:
    """The fields of `core.model_counts.EffectiveParameters`; None for what is no captured network.

    `height` and `width` are those of an LR image.
    """
    if not isinstance(model, Network):
        return None
    size = (height, width)
    try:
        walk = _walked(copy.deepcopy(model.graph_at(size)).to("meta"), size, "meta")
    except Exception:  # noqa: BLE001 - an operator that needs values, or names a device
        walk = _walked(model.graph_at(size), size, "cpu")
    return {
        "elements": model.elements_at(size),
        "numbers": len(walk.numbers),
        "elementwise_macs": walk.products,
    }


def _walked(graph: nn.Module, size: tuple[int, int], device: str) -> _Walk:
    like = next(graph.parameters(), torch.zeros(()))
    walk = _Walk(graph)
    with torch.no_grad():
        walk.run(torch.zeros(1, 3, *size, device=device, dtype=like.dtype))
    return walk


class _Walk(fx.Interpreter):
    """A forward that looks at each call."""

    def __init__(self, graph: nn.Module) -> None:
        super().__init__(graph)
        self.numbers: set[float] = set()
        self.products = 0
        self._of_image: set[fx.Node] = set()

    def run_node(self, n: fx.Node) -> Any:
        """Run a call, and note what the image meets in it."""
        result = super().run_node(n)
        met = [it for it in n.all_input_nodes if it in self._of_image]
        if n.op == "placeholder" or (met and not isinstance(result, int | float | bool)):
            self._of_image.add(n)
        if n.op == "call_function":
            self._look(n, len(met), result)
        elif met and n.op == "call_module":
            layer = vars(self.fetch_attr(str(n.target)))
            self.numbers.update(layer[name] for name in _SLOPES if name in layer)
        return result

    def _look(self, node: fx.Node, met: int, result: Any) -> None:
        linear = met and str(node.target).removesuffix("_").startswith(_LINEAR)
        given = [it for it in _numbers((node.args, node.kwargs)) if it not in _PLAIN]
        if not linear:
            given = [it for it in given if isinstance(it, float)]
        self.numbers.update(given)
        constants = len(node.all_input_nodes) > met
        if linear and (given or constants) and isinstance(result, Tensor):
            self.products += result.numel()


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _numbers(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value
