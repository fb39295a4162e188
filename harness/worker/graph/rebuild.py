"""Build a network from a captured graph: the strict reader, where none of the entry's code is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from harness.worker.count.model_copies import StandsForParameters, describe
from harness.worker.graph.builder import Builder
from harness.worker.graph.contents import known_numbers
from harness.worker.graph.network_file import (
    BYTES_CAP,
    BadGraph,
    CapturedNetwork,
    Graph,
    Size,
    decode,
    numbers,
)


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
    channels: int = 3,
) -> nn.Module:
    """The network as a module in evaluation mode, on its device; BadGraph for one that is none.

    It takes images of so many `channels` and returns what the captured module did, and stands for
    as many parameters, used or not. `deployed=False` asks for the network before its entry's
    `deploy`.
    """
    deployed = deployed or not network.before
    graphs = network.graphs if deployed else network.before
    known = {at: tensor.to(device) for at, tensor in enumerate(tensors)}
    for at in set(network.parameters) & known.keys():
        known[at] = nn.Parameter(known[at], requires_grad=False)
    try:
        built = {graph.size: Builder(graph, known, device, channels).module() for graph in graphs}
    except BadGraph:
        raise
    except Exception as error:  # noqa: BLE001 - an operator's own, of any kind
        raise BadGraph(f"a part of it can't be computed: {describe(error)}") from None
    used = {at for graph in graphs for at in _used(graph)}
    sources = {
        graph.size: _teller(
            partial(Builder, graph, known, device, channels, telling=True),
            [known[at] for at in used - _used(graph)],
        )
        for graph in graphs
    }
    elements = sum(known[at].numel() for at in used & set(network.parameters))
    params = max(elements, network.params if deployed else 0)
    return Network(built, sources, params, channels).eval()


def _teller(
    begun: Callable[[], Builder], elsewhere: list[Tensor]
) -> Callable[[], Mapping[str, int]]:
    """What tells the sources of a graph: by building it again, which only a count asks for.

    Tensors that are used `elsewhere`, by graphs of other sizes alone, are known as well.
    """

    def told() -> Mapping[str, int]:
        builder = begun()
        builder.module()
        return {**builder.sources, **known_numbers(elsewhere)}

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
        channels: int,
    ) -> None:
        super().__init__()
        self.params = params
        self.channels = channels  # of its images
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
