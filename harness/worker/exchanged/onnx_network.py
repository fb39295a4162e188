"""A network of an ONNX file as a module of torch: layers where torch has one, functions else.

It is captured, counted and timed as every other entry is. Sizes stay open, whatever the file says
of its input, unless the network computes with fixed ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from harness.worker.exchanged.onnx_file import BadOnnx, OnnxGraph, OnnxNode, read_onnx
from harness.worker.exchanged.onnx_layers import layer
from harness.worker.exchanged.onnx_operators import OPERATORS, Called
from harness.worker.exchanged.sizes import SIZES_CAP, computed, sizes

# inputs that are sizes or plain numbers of a call, by their place
_NUMBERS = {
    "Reshape": (1,),
    "Resize": (1, 2, 3),
    "Upsample": (1,),
    "Slice": (1, 2, 3, 4),
    "Pad": (1, 2, 3),
    "Clip": (1, 2),
    "Unsqueeze": (1,),
    "Squeeze": (1,),
    "Expand": (1,),
    "Tile": (1,),
    "Split": (1,),
    "Gather": (1,),
    "ConstantOfShape": (0,),
    **{f"Reduce{kind}": (1,) for kind in ("Mean", "Sum", "Max", "Min", "L2", "Prod")},
}


class OnnxNetwork(nn.Module):
    """Calls the operators of a file one after the other; N x C x H x W in, one tensor out."""

    def __init__(self, graph: OnnxGraph) -> None:
        super().__init__()
        self._graph = graph
        self._constants: dict[str, Any] = {}  # numbers
        self._held: dict[str, str] = {}  # names of the module's tensors by those in the file
        self.layers = nn.ModuleDict()
        known = {**graph.learned, **graph.constants}
        parameters = {
            name: nn.Parameter(torch.from_numpy(array.copy()), requires_grad=False)
            for name, array in graph.learned.items()
            if array.dtype.kind == "f"
        }
        used: Counter[str] = Counter()
        for node in graph.nodes:
            made = layer(node, known, parameters)
            if made is not None:
                self.layers[str(node.number)] = made
                continue
            if node.kind not in OPERATORS:
                raise BadOnnx(f"{node} can't be translated to an operator of torch")
            numeric = _NUMBERS.get(node.kind, ())
            used.update(it for place, it in enumerate(node.inputs) if place not in numeric)
        for number, name in enumerate(known):
            self._keep(name, f"tensor_{number}", known[name], parameters, used[name])
        self._last = {name: node.number for node in graph.nodes for name in node.inputs}

    def _keep(
        self, name: str, own: str, array: Any, parameters: Mapping[str, nn.Parameter], used: int
    ) -> None:
        """Keep what a call takes as a tensor as one, and anything else as numbers."""
        if used and name in parameters:
            self._held[name] = own
            self.register_parameter(own, parameters[name])
        elif used and array.size > (SIZES_CAP if array.dtype.kind in "iub" else 1):
            self._held[name] = own
            self.register_buffer(own, torch.from_numpy(array.copy()))
        else:
            self._constants[name] = array

    def forward(self, image: Tensor) -> Tensor:
        """The output of the network."""
        values: dict[str, Any] = {self._graph.image: image, **self._constants}
        values |= {name: getattr(self, own) for name, own in self._held.items()}
        for node in self._graph.nodes:
            given = [values[name] if name else None for name in node.inputs]
            for name in node.inputs:
                if name in values and self._last[name] == node.number and name not in self._held:
                    del values[name]
            results = self._called(node, given)
            values.update(zip(node.outputs, results, strict=False))
            del given, results
        output: Tensor = values[self._graph.output]
        return output

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
        call = Called(node.attributes, self._graph.opset, like, len(node.outputs))
        try:
            found = OPERATORS[node.kind](call, *given)
        except (NotImplementedError, TypeError, KeyError) as error:
            raise BadOnnx(f"{node} can't be translated: {error!s:.200}") from None
        return found if isinstance(found, tuple) else (found,)


def onnx_network(path: Path) -> OnnxNetwork:
    """The module of a file; BadOnnx says why there is none."""
    graph = read_onnx(path)
    try:
        return OnnxNetwork(graph)
    except BadOnnx as error:
        raise BadOnnx(f"{path.name}: {error}") from None
