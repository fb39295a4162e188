"""A network of an ONNX file as a module of torch: layers where torch has one, functions else.

It is captured, counted and timed as every other entry is. Sizes stay open, whatever the file says
of its input, unless the network computes with fixed ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from harness.worker.exchanged.onnx_checks import check, refuse_untranslated
from harness.worker.exchanged.onnx_file import Array, BadOnnx, OnnxGraph, OnnxNode, read_onnx
from harness.worker.exchanged.onnx_layers import LAYERS, layer
from harness.worker.exchanged.onnx_operators import OPERATORS, Called
from harness.worker.exchanged.onnx_uses import calls_of_tensors, takes_number
from harness.worker.exchanged.sizes import computed, sizes

# what torch, numpy and Python raise where a call is none that they have
_FAULTS = (NotImplementedError, TypeError, LookupError, ValueError, AttributeError, ArithmeticError)


class OnnxNetwork(nn.Module):
    """Calls the operators of a file one after the other; N x C x H x W in, one tensor out."""

    def __init__(self, graph: OnnxGraph) -> None:
        super().__init__()
        check(graph)
        self.graph = graph
        self._constants: dict[str, Any] = {}  # numbers
        self._held: dict[str, str] = {}  # names of the module's tensors by those in the file
        self._of_tensors = calls_of_tensors(graph)
        self.layers = nn.ModuleDict()
        known = {**graph.learned, **graph.constants}
        parameters = {
            name: _parameter(array)
            for name, array in graph.learned.items()
            if array.dtype.kind == "f"
        }
        for node in graph.nodes:
            made = self.made(node, known, parameters)
            if made is not None:
                self.layers[str(node.number)] = made
        self._keep(known, parameters)
        self._last = {name: node.number for node in graph.nodes for name in node.inputs}
        self._last[graph.output] = graph.nodes[-1].number + 1

    def made(
        self, node: OnnxNode, known: Mapping[str, Array], parameters: Mapping[str, nn.Parameter]
    ) -> nn.Module | None:
        """The layer that a call is, None where a function does it; BadOnnx where neither does."""
        refuse_untranslated(node, {*OPERATORS, *LAYERS})
        try:
            found = layer(node, known, parameters)
        except (*_FAULTS, RuntimeError) as error:
            raise BadOnnx(f"{node} can't be translated: {error!s:.200}") from None
        if found is None and node.kind not in OPERATORS:
            raise BadOnnx(f"{node} can't be translated to an operator of torch")
        return found

    def _keep(self, known: Mapping[str, Array], parameters: Mapping[str, nn.Parameter]) -> None:
        """Keep what a call takes as a tensor as one, and what it takes as numbers as them."""
        tensors, plain = self._uses()
        for number, (name, array) in enumerate(known.items()):
            if name in tensors and (name in parameters or array.size > 1):
                own = self._held[name] = f"tensor_{number}"
                if name in self.graph.learned:
                    self.register_parameter(own, parameters.get(name, _parameter(array)))
                else:
                    self.register_buffer(own, torch.from_numpy(array.copy()))
            if name in plain or (name in tensors and name not in self._held):
                self._constants[name] = array

    def _uses(self) -> tuple[set[str], set[str]]:
        """The names that calls take as tensors, and those that they take as numbers."""
        tensors: set[str] = set()
        plain: set[str] = set()
        for node in self.graph.nodes:
            for place, name in enumerate(self._taken(node)):
                (tensors if self._is_tensor(node, place) else plain).add(name)
        return tensors, plain

    def _taken(self, node: OnnxNode) -> tuple[str, ...]:
        """What is handed to a node: a layer has its weights."""
        return node.inputs[:1] if str(node.number) in self.layers else node.inputs

    def _is_tensor(self, node: OnnxNode, place: int) -> bool:
        return node.number in self._of_tensors and not takes_number(node, place)

    def forward(self, image: Tensor) -> Tensor:
        """The output of the network."""
        values: dict[str, Any] = {self.graph.image: image, **self._constants}
        for node in self.graph.nodes:
            given = [
                self._value(values, node, place, name)
                for place, name in enumerate(self._taken(node))
            ]
            for name in node.inputs:
                if name in values and self._last[name] == node.number:
                    del values[name]
            results = self.results(node, given)
            values.update(zip(node.outputs, results, strict=False))
            del given, results
        output: Tensor = values[self.graph.output]
        return output

    def _value(self, values: Mapping[str, Any], node: OnnxNode, place: int, name: str) -> Any:
        if name in self._held and self._is_tensor(node, place):
            return getattr(self, self._held[name])
        if name and name not in values:
            raise BadOnnx(f"{node} takes {name!r:.40}, an output that can't be translated")
        return values[name] if name else None

    def results(self, node: OnnxNode, given: list[Any]) -> tuple[Any, ...]:
        """What a call gives; BadOnnx where torch has no such call."""
        try:
            return self._called(node, given)
        except _FAULTS as error:
            raise BadOnnx(f"{node} can't be translated: {error!s:.200}") from None

    def _called(self, node: OnnxNode, given: list[Any]) -> tuple[Any, ...]:
        if str(node.number) in self.layers:
            return (self.layers[str(node.number)](given[0]),)
        if node.kind == "Shape":
            shape = given[0].shape if isinstance(given[0], Tensor) else np.shape(given[0])
            # where TorchScript traces, as fvcore lets it, sides are tensors
            sides = [int(it) if isinstance(it, Tensor) else it for it in shape]
            return (sizes(sides[node.attributes.get("start", 0) : node.attributes.get("end")]),)
        known = computed(node.kind, given, node.attributes)
        if known is not None:
            return (known,)
        like = next((it for it in given if isinstance(it, Tensor) and it.is_floating_point()), None)
        call = Called(node.attributes, self.graph.opset, like, len(node.outputs))
        found = OPERATORS[node.kind](call, *given)
        return found if isinstance(found, tuple) else (found,)


def _parameter(array: Array) -> nn.Parameter:
    return nn.Parameter(torch.from_numpy(array.copy()), requires_grad=False)


def onnx_network(path: Path) -> OnnxNetwork:
    """The module of a file; BadOnnx says why there is none."""
    graph = read_onnx(path)
    try:
        return OnnxNetwork(graph)
    except BadOnnx as error:
        raise BadOnnx(f"{path.name}: {error}") from None
