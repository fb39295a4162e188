"""Small models that cost more, or hold more, than a counter sees: one for every way to hide it.

Each is a 3x3 convolution of 3 to 3 channels and something more in `body`. `SOURCES` are some of
them as whole entries.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class Wrapped(nn.Module):
    """A convolution and whatever a subclass puts into `body`."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        return self.body(self.conv(image))

    def body(self, image: Tensor) -> Tensor:
        return image


@contextmanager
def custom_operators() -> Iterator[None]:
    """`esr_fake::conv(image, weight)` and `esr_fake::closed(image)`, opaque to every counter."""
    library = torch.library.Library("esr_fake", "DEF")
    library.define("conv(Tensor image, Tensor weight) -> Tensor")
    library.impl("conv", lambda image, weight: F.conv2d(image, weight, padding=1), "CPU")
    library.impl("conv", lambda image, _: torch.empty_like(image), "Meta")
    library.define("closed(Tensor image) -> Tensor")
    library.impl("closed", lambda image: image * 1.0, "CPU")
    library.impl("closed", torch.empty_like, "Meta")
    try:
        yield
    finally:
        library._destroy()


class CustomOperator(Wrapped):
    """A second convolution inside a custom operator, as one entry of 2026 had twelve of."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3, 3, 3, 3))

    def body(self, image: Tensor) -> Tensor:
        hidden: Tensor = torch.ops.esr_fake.conv(image, self.weight)
        return hidden


class ClosedOperator(Wrapped):
    """A custom operator that has its weights from somewhere else."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3, 3, 3, 3))

    def body(self, image: Tensor) -> Tensor:
        hidden: Tensor = torch.ops.esr_fake.closed(image)
        return hidden


class Buffered(Wrapped):
    """A convolution module whose weights are a buffer: every counter of multiply-adds sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Conv2d(3, 3, 3, padding=1, bias=False)
        del self.inner.weight
        self.inner.register_buffer("weight", torch.ones(3, 3, 3, 3))

    def body(self, image: Tensor) -> Tensor:
        hidden: Tensor = self.inner(image)
        return hidden


class Attributed(Buffered):
    """The same with the weights in a plain attribute."""

    def __init__(self) -> None:
        super().__init__()
        del self.inner.weight
        self.inner.weight = torch.ones(3, 3, 3, 3)


class Listed(Wrapped):
    """A whole layer in a list, where PyTorch doesn't find its parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = [nn.Conv2d(3, 3, 3, padding=1, bias=False)]

    def body(self, image: Tensor) -> Tensor:
        hidden: Tensor = self.layers[0](image)
        return hidden


class Packed(Wrapped):
    """Weights of eight bits in a buffer, and one scale that is a parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.register_buffer("packed", torch.ones(3, 3, 3, 3, dtype=torch.int8))

    def body(self, image: Tensor) -> Tensor:
        return F.conv2d(image, self.packed.float() * self.scale, padding=1)


class InCode(Wrapped):
    """Weights that are numbers in the code."""

    def body(self, image: Tensor) -> Tensor:
        weight = torch.tensor([[[[0.5] * 3] * 3] * 3] * 3, device=image.device)
        return F.conv2d(image, weight, padding=1)


class MadeInForward(Wrapped):
    """Weights made in forward out of nothing."""

    def body(self, image: Tensor) -> Tensor:
        return F.conv2d(image, image.new_ones(3, 3, 3, 3) / 9, padding=1)


class MadeOfParameters(Wrapped):
    """Weights made in forward of parameters: nothing is hidden, but hooks see no module."""

    def body(self, image: Tensor) -> Tensor:
        return F.conv2d(image, self.conv.weight * 2, padding=1)


class OutsideOfTorch(Wrapped):
    """Work done by another library than PyTorch."""

    def body(self, image: Tensor) -> Tensor:
        return torch.from_numpy(image.numpy() * 2)


class OutsideAndAdded(OutsideOfTorch):
    """The same, and the image added so that the output comes of it."""

    def body(self, image: Tensor) -> Tensor:
        return super().body(image) + image


class Extension(Wrapped):
    """A function of a compiled extension: PyTorch sees memory asked for, and no operator."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3, 3, 3, 3))

    def body(self, image: Tensor) -> Tensor:
        out = torch.empty_like(image)
        out.numpy()[:] = image.numpy() * self.weight.detach().numpy().mean()
        return out + image


class LargeImagesOnly(Wrapped):
    """A second convolution for images of more than 256 pixels a side."""

    def __init__(self) -> None:
        super().__init__()
        self.spare = nn.Conv2d(3, 3, 3, padding=1)

    def body(self, image: Tensor) -> Tensor:
        larger: Tensor = self.spare(image) if image.shape[-1] > 256 else image
        return larger


class CheapWhereCounted(Wrapped):
    """A second convolution, left out for square images."""

    def body(self, image: Tensor) -> Tensor:
        more: Tensor = image if image.shape[-1] == image.shape[-2] else self.conv(image)
        return more


class Attention(Wrapped):
    """Products of tokens with tokens; `fused` in one operator, on the CPU by reading a value."""

    def __init__(self, *, fused: bool = True, reading: bool = False) -> None:
        super().__init__()
        self.fused, self.reading = fused, reading

    def body(self, image: Tensor) -> Tensor:
        tokens = image.flatten(2).transpose(1, 2)
        if self.reading:
            tokens = tokens * (1.0 if tokens.sum().item() < 1e9 else 2.0)
        if self.fused:
            return F.scaled_dot_product_attention(tokens, tokens, tokens)
        weights = torch.matmul(tokens, tokens.transpose(1, 2)).softmax(-1)
        return torch.bmm(weights, tokens)


class LinearOnFourAxes(Wrapped):
    """nn.Linear on N x H x W x C, which the official script misreads."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(3, 3)

    def body(self, image: Tensor) -> Tensor:
        mixed: Tensor = self.mix(image.permute(0, 2, 3, 1))
        return mixed


class ShrinksAtFirstForward(nn.Module):
    """Two convolutions that become one when it is first called."""

    def __init__(self) -> None:
        super().__init__()
        self.wide: nn.Module | None = nn.Conv2d(3, 12, 3, padding=1)
        self.narrow: nn.Module | None = nn.Conv2d(12, 3, 1)
        self.fused: nn.Module | None = None

    def forward(self, image: Tensor) -> Tensor:
        if self.fused is None:
            assert isinstance(self.wide, nn.Conv2d)
            assert isinstance(self.narrow, nn.Conv2d)
            self.fused = nn.Conv2d(3, 3, 3, padding=1).to(image.device)
            weight = F.conv2d(self.wide.weight.transpose(0, 1), self.narrow.weight)
            self.fused.weight = nn.Parameter(weight.transpose(0, 1))
            self.wide = self.narrow = None
        result: Tensor = self.fused(image)
        return result


_HEAD = """
import torch
import torch.nn.functional as F
from torch import nn


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 48, 3, padding=1)
        {init}

    def forward(self, image):
        image = F.pixel_shuffle({body}, 4)
        return image
"""

SOURCES = {
    "buffer": _HEAD.format(
        init='self.register_buffer("kernel", torch.ones(48, 48, 3, 3) / 432)',
        body="F.conv2d(self.conv(image), self.kernel, padding=1)",
    ),
    "large_images_only": _HEAD.format(
        init="self.more = nn.Conv2d(48, 48, 3, padding=1)",
        body="self.more(self.conv(image)) if image.shape[-1] > 256 else self.conv(image)",
    ),
    "custom_operator": _HEAD.format(
        init="self.kernel = nn.Parameter(torch.ones(48, 48, 3, 3) / 432)",
        body="torch.ops.entry.conv(self.conv(image), self.kernel)",
    )
    + """

library = torch.library.Library("entry", "DEF")
library.define("conv(Tensor image, Tensor weight) -> Tensor")
library.impl("conv", lambda image, weight: F.conv2d(image, weight, padding=1), "CPU")
library.impl("conv", lambda image, _: torch.empty_like(image), "Meta")
""",
    "honest": _HEAD.format(
        init="self.more = nn.Conv2d(48, 48, 3, padding=1)", body="self.more(self.conv(image))"
    ),
}

FUSING = """
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.wide = nn.Conv2d(3, 48, 3, padding=1)
        self.point = nn.Conv2d(3, 48, 1)
        self.shuffle = nn.PixelShuffle(4)

    def forward(self, image):
        return self.shuffle(self.wide(image) + self.point(image))


def fuse(model):
    conv = nn.Conv2d(3, 48, 3, padding=1)
    with torch.no_grad():
        conv.weight.copy_(model.wide.weight)
        conv.weight[:, :, 1:2, 1:2] += model.point.weight
        conv.bias.copy_(model.wide.bias + model.point.bias)
    return nn.Sequential(conv, nn.PixelShuffle(4))


def cheat(model):
    return nn.Sequential(model.point, nn.PixelShuffle(4))
"""
