"""What torch.export does not follow, in words that it does.

It makes a number of a size that features are pooled to, so that a size that is free would become
the one of the sample. And it takes what it reads of a tensor's `.data` for a constant.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

POOLED = "esr.adaptive_max_pool2d.default"
"""What stands for pooling in an exported program: of features, a height and a width."""
_POOL = nn.functional.adaptive_max_pool2d
_READ, _WRITE = Tensor.data.__get__, Tensor.data.__set__  # type: ignore[attr-defined]


@torch.library.custom_op("esr::adaptive_max_pool2d", mutates_args=())
def _pooled(features: Tensor, height: int, width: int) -> Tensor:
    return _POOL(features, (height, width))


@_pooled.register_fake
def _shape(features: Tensor, height: int, width: int) -> Tensor:
    return features.new_empty((*features.shape[:-2], height, width))


class ExportMode(TorchFunctionMode):
    """Within it, a forward calls what can be followed."""

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call `func`, or what stands for it."""
        if func is _POOL and len(args) == 2:
            sides = args[1] if isinstance(args[1], tuple | list) else (args[1], args[1])
            if None not in sides and any(isinstance(it, torch.SymInt) for it in sides):
                return _pooled(args[0], *sides)
        if func == _READ:
            return args[0].detach()
        if func == _WRITE:  # fused weights, in each forward: the first one wrote the same
            return None
        return func(*args, **(kwargs or {}))
