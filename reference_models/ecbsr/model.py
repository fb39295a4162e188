"""ECBSR, with edge-oriented convolution blocks (Zhang, Zeng, Zhang, ACM MM 2021).

A block is trained as five convolutions in parallel, three of which are Sobel and Laplacian filters
behind a 1x1 convolution; `fuse` makes one 3x3 convolution of them. Parameter names are those of the
authors' code (xindongzhang/ECBSR).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

SOBEL_X = ((1.0, 0.0, -1.0), (2.0, 0.0, -2.0), (1.0, 0.0, -1.0))
SOBEL_Y = ((1.0, 2.0, 1.0), (0.0, 0.0, 0.0), (-1.0, -2.0, -1.0))
LAPLACIAN = ((0.0, 1.0, 0.0), (1.0, -4.0, 1.0), (0.0, 1.0, 0.0))
Filter = tuple[tuple[float, float, float], ...]


class ECBSR(nn.Module):
    """Blocks in a row, the input added to each of their channels, pixel shuffle.

    Input: N x 1 x H x W, luma of the LR image in [0, 255], any H and W.
    Output: N x 1 x scale*H x scale*W in the same range, not clamped.

    Args:
        blocks: number of blocks between the first and the last one (M in the paper's names).
        channels: features between the blocks (C).
        scale: side of the output over side of the input.
    """

    def __init__(self, *, blocks: int = 16, channels: int = 64, scale: int = 4) -> None:
        super().__init__()
        self.backbone = nn.Sequential(
            EdgeBlock(1, channels),
            *(EdgeBlock(channels, channels) for _ in range(blocks)),
            EdgeBlock(channels, scale**2, activated=False),
        )
        self.upsampler = nn.PixelShuffle(scale)

    def forward(self, luma: Tensor) -> Tensor:
        """Map N x 1 x H x W to N x 1 x scale*H x scale*W."""
        hr: Tensor = self.upsampler(self.backbone(luma) + luma)
        return hr


class EdgeBlock(nn.Module):
    """The sum of a 3x3 convolution and four of a 1x1 and a 3x3 one, and PReLU."""

    def __init__(self, in_channels: int, out_channels: int, *, activated: bool = True) -> None:
        super().__init__()
        self.conv3x3 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.conv1x1_3x3 = LearntBranch(in_channels, 2 * out_channels, out_channels)
        self.conv1x1_sbx = EdgeBranch(in_channels, out_channels, SOBEL_X)
        self.conv1x1_sby = EdgeBranch(in_channels, out_channels, SOBEL_Y)
        self.conv1x1_lpl = EdgeBranch(in_channels, out_channels, LAPLACIAN)
        self.act = nn.PReLU(out_channels) if activated else nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        """Map N x in_channels x H x W to N x out_channels x H x W."""
        total = self.conv3x3(features)
        for branch in self.branches():
            total = total + branch(features)
        out: Tensor = self.act(total)
        return out

    def branches(self) -> tuple[Branch, ...]:
        """All but the plain 3x3 convolution."""
        return self.conv1x1_3x3, self.conv1x1_sbx, self.conv1x1_sby, self.conv1x1_lpl


class Branch(nn.Module):
    """A 1x1 convolution (`k0`, `b0`), then a 3x3 one.

    The image is padded before both, so that at borders the 3x3 one sees the bias of the 1x1 one:
    only then are both together one 3x3 convolution of a padded image.
    """

    k0: nn.Parameter
    b0: nn.Parameter

    def __init__(self, in_channels: int, mid_channels: int) -> None:
        super().__init__()
        first = nn.Conv2d(in_channels, mid_channels, 1)
        self.k0, self.b0 = first.weight, nn.Parameter(torch.zeros(mid_channels))

    def forward(self, features: Tensor) -> Tensor:
        """Map N x in_channels x H x W to N x out_channels x H x W."""
        first = conv2d(pad(features, (1, 1, 1, 1)), self.k0, self.b0)
        kernel, bias = self.second()
        return conv2d(first, kernel, bias)

    def second(self) -> tuple[Tensor, Tensor]:
        """The 3x3 kernel, out_channels x mid_channels x 3 x 3, and its bias."""
        raise NotImplementedError

    def fused(self) -> tuple[Tensor, Tensor]:
        """Kernel and bias of the one 3x3 convolution that both are."""
        kernel, bias = self.second()
        together = torch.einsum("omhw,mi->oihw", kernel, self.k0[:, :, 0, 0])
        return together, bias + kernel.sum(dim=(2, 3)) @ self.b0


class LearntBranch(Branch):
    """A branch whose 3x3 convolution is learnt."""

    def __init__(self, in_channels: int, mid_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, mid_channels)
        learnt = nn.Conv2d(mid_channels, out_channels, 3)
        self.k1, self.b1 = learnt.weight, nn.Parameter(torch.zeros(out_channels))

    def second(self) -> tuple[Tensor, Tensor]:
        """The learnt kernel."""
        return self.k1, self.b1


class EdgeBranch(Branch):
    """A branch whose 3x3 convolution is a filter of edges, scaled for each channel."""

    mask: Tensor

    def __init__(self, in_channels: int, out_channels: int, edges: Filter) -> None:
        super().__init__(in_channels, out_channels)
        self.scale = nn.Parameter(torch.randn(out_channels, 1, 1, 1) * 1e-3)
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.register_buffer("mask", torch.tensor(edges).repeat(out_channels, 1, 1, 1))

    def second(self) -> tuple[Tensor, Tensor]:
        """The filter, which sees one channel, among all channels."""
        filters = self.scale * self.mask
        own = torch.eye(len(filters), dtype=filters.dtype, device=filters.device)
        return own[..., None, None] * filters, self.bias


class FusedBlock(nn.Module):
    """A 3x3 convolution and the block's activation."""

    def __init__(self, block: EdgeBlock) -> None:
        super().__init__()
        plain = block.conv3x3
        self.conv3x3 = nn.Conv2d(plain.in_channels, plain.out_channels, 3, padding=1)
        branches = [it.fused() for it in block.branches()]
        with torch.no_grad():
            self.conv3x3.weight.copy_(sum((it for it, _ in branches), plain.weight))
            self.conv3x3.bias.copy_(sum((it for _, it in branches), plain.bias))
        self.act = block.act

    def forward(self, features: Tensor) -> Tensor:
        """Map N x in_channels x H x W to N x out_channels x H x W."""
        out: Tensor = self.act(self.conv3x3(features))
        return out


def fuse(model: ECBSR) -> ECBSR:
    """The same network with one convolution a block, which is the one to measure."""
    model.backbone = nn.Sequential(*(FusedBlock(block) for block in model.backbone))
    return model
