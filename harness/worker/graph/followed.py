"""A forward of a graph, call by call, in which each tensor is known by its storage."""

from __future__ import annotations

from typing import Any

from torch import Tensor, fx, nn
from torch.multiprocessing.reductions import StorageWeakRef

from harness.worker.count.weight_trace import storage_key


class Followed(fx.Interpreter):
    """Views of a tensor, and what was written to it, are the tensor."""

    def __init__(self, graph: nn.Module) -> None:
        super().__init__(graph)
        self._kept: dict[int, StorageWeakRef] = {}  # without data, but the key is not given away

    def keys(self, *values: Any) -> set[int]:
        """Those of the tensors in values."""
        return {self._key(tensor) for tensor in tensors_in(values)}

    def given_to(self, node: fx.Node) -> list[Any]:
        """What the calls returned that a node takes the results of."""
        return [self.env.get(it) for it in node.all_input_nodes]

    def _key(self, tensor: Tensor) -> int:
        key = storage_key(tensor)
        if key not in self._kept:
            storage = tensor.untyped_storage()
            self._kept[key] = StorageWeakRef(storage)  # type: ignore[no-untyped-call]
        return key


def tensors_in(value: Any) -> list[Tensor]:
    """Those with elements, in lists of lists as well."""
    if isinstance(value, list | tuple):
        return [tensor for item in value for tensor in tensors_in(item)]
    return [value] if isinstance(value, Tensor) and value.numel() else []
