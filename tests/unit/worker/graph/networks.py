"""Small networks that a capture meets, and the way from a module to the rebuilt one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.wire.messages import Load
from harness.worker.graph import rebuild
from harness.worker.graph.capture import Tensors, capture
from harness.worker.graph.network_file import CapturedNetwork, encode

LOAD = Load("", "model:Net", "{}", 2, 1.0, "cpu", 1, 0)


class Plain(nn.Module):
    """3 -> 12 channels by 3x3, a leaky activation in place, pixel shuffle: any size."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 12, 3, padding=1)
        self.act = nn.LeakyReLU(0.1, inplace=True)

    def forward(self, image: Tensor) -> Tensor:
        return functional.pixel_shuffle(self.act(self.conv(image)), 2)


class Windowed(Plain):
    """Pads to a multiple of 8 where it has to: no graph serves every size."""

    def forward(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        more = (0, -width % 8, 0, -height % 8)
        if any(more):
            image = functional.pad(image, more, mode="replicate")
        return super().forward(image)[..., : height * 2, : width * 2]


class Routed(Plain):
    """Another branch for bright images: no graph at all."""

    def forward(self, image: Tensor) -> Tensor:
        return super().forward(image if image.mean() > 0.5 else image * 2)


def kept(model: nn.Module, path: Path, **declared: Any) -> Path:
    """The file of a module's network, captured for 20x24 LR pixels where sizes are not free."""
    tensors = Tensors()
    load = Load(**{**vars(LOAD), **declared})
    graphs = capture(model.eval(), load, [(20, 24)], tensors)
    params = sum(parameter.numel() for parameter in model.parameters())
    network = CapturedNetwork(graphs, tuple(sorted(tensors.parameters)), params)
    path.write_bytes(encode(network, tensors.all))
    return path


def rebuilt(model: nn.Module, folder: Path) -> nn.Module:
    """The module that stands for `model` after its capture."""
    return rebuild.rebuild(*rebuild.read(kept(model, folder / "network.safetensors")))


def image(height: int = 16, width: int = 24, seed: int = 0) -> Tensor:
    """A drawn image, 1 x 3 x height x width."""
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))
