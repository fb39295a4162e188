"""Adaptive maximum pooling to a share of the image's size, for torch.export with free sizes.

torch's own operator takes plain numbers, so that a size that is free becomes the one of the sample.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

POOLED = "esr.adaptive_max_pool2d.default"
"""What stands for it in an exported program: of features, a height and a width."""
_POOL = nn.functional.adaptive_max_pool2d


@torch.library.custom_op("esr::adaptive_max_pool2d", mutates_args=())
def _pooled(features: Tensor, height: int, width: int) -> Tensor:
    return _POOL(features, (height, width))


@_pooled.register_fake
def _shape(features: Tensor, height: int, width: int) -> Tensor:
    return features.new_empty((*features.shape[:-2], height, width))


class FreePooling(TorchFunctionMode):
    """Within it, pooling to a size that is free is an operator of ours."""

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call `func`, or what stands for it."""
        if func is _POOL and len(args) == 2 and any(isinstance(it, torch.SymInt) for it in args[1]):
            return _pooled(args[0], *args[1])
        return func(*args, **(kwargs or {}))
