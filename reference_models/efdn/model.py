"""EFDN, the Edge-enhanced Feature Distillation Network (Wang, CVPRW 2022, arXiv 2204.08759).

An entry of NTIRE 2022, and the baseline of 2025. Its 3x3 convolutions were trained as edge-enhanced
blocks of several branches. The public checkpoints hold them fused, so that this is the network that
runs. Parameter names are those of these checkpoints.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d

RGB = 3
CELLS = 4


class EFDN(nn.Module):
    """Four distillation cells, fused with the second one's output, a long skip, pixel shuffle.

    Input: N x 3 x H x W, values in [0, 1], H and W >= 15 (what the attention's strided convolution
    and 7x7 pooling need). Output: N x 3 x scale*H x scale*W, clamped to [0, 1] as the author's is.

    Args:
        channels: features between the cells; half of them is distilled at each step.
        scale: side of the output over side of the input.
    """

    def __init__(self, *, channels: int = 48, scale: int = 4) -> None:
        super().__init__()
        self.head = nn.Conv2d(RGB, channels, 3, padding=1)
        self.cells = nn.ModuleList(DistillationCell(channels) for _ in range(CELLS))
        self.local_fuse = nn.ModuleList(
            nn.Conv2d(2 * channels, channels, 1) for _ in range(CELLS - 1)
        )
        self.tail = nn.Sequential(
            nn.Conv2d(channels, RGB * scale**2, 3, padding=1), nn.PixelShuffle(scale)
        )

    def forward(self, lr: Tensor) -> Tensor:
        """Map N x 3 x H x W to N x 3 x scale*H x scale*W."""
        shallow: Tensor = self.head(lr)
        first = self.cells[0](shallow)
        second = self.cells[1](first)
        fused: Tensor = self.local_fuse[0](torch.cat([first, second], dim=1))
        for cell, fuse in zip(self.cells[2:], self.local_fuse[1:], strict=True):
            fused = fuse(torch.cat([second, cell(fused)], dim=1))
        hr: Tensor = self.tail(fused + shallow)
        return hr.clamp(0, 1)


class DistillationCell(nn.Module):
    """A 1x1 and two 3x3 convolutions in a row, half of each map kept, fused, attention, skip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = ActivatedPointwise(channels)
        self.conv2 = FusedEdgeBlock(channels)
        self.conv3 = FusedEdgeBlock(channels)
        self.fuse = nn.Conv2d(2 * channels, channels, 1)
        self.att = SpatialAttention(channels)
        self.branch = nn.ModuleList(nn.Conv2d(channels, channels // 2, 1) for _ in range(4))

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape N x channels x H x W."""
        maps = [features]
        for refine in (self.conv1, self.conv2, self.conv3):
            maps.append(refine(maps[-1]))
        kept = [distil(part) for distil, part in zip(self.branch, maps, strict=True)]
        out: Tensor = self.att(self.fuse(torch.cat(kept, dim=1)))
        return out + features


class ActivatedPointwise(nn.Module):
    """A 1x1 convolution and PReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1x1 = nn.Conv2d(channels, channels, 1)
        self.act = nn.PReLU(channels)

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape."""
        out: Tensor = self.act(self.conv1x1(features))
        return out


class FusedEdgeBlock(nn.Module):
    """A 3x3 convolution, into which the branches of training went, and PReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.rep_conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.act = nn.PReLU(channels)

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape."""
        out: Tensor = self.act(self.rep_conv(features))
        return out


class SpatialAttention(nn.Module):
    """RFDN's enhanced spatial attention, with a quarter of the channels inside."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inside = channels // 4
        self.conv1 = nn.Conv2d(channels, inside, 1)
        self.conv_f = nn.Conv2d(inside, inside, 1)
        self.conv_max = nn.Conv2d(inside, inside, 3, padding=1)
        self.conv2 = nn.Conv2d(inside, inside, 3, stride=2)
        self.conv3 = nn.Conv2d(inside, inside, 3, padding=1)
        self.conv3_ = nn.Conv2d(inside, inside, 3, padding=1)
        self.conv4 = nn.Conv2d(inside, channels, 1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        """Gate N x channels x H x W by a map in (0, 1) of the same shape."""
        reduced: Tensor = self.conv1(features)
        pooled = max_pool2d(self.conv2(reduced), kernel_size=7, stride=3)
        coarse = self.conv3_(self.relu(self.conv3(self.relu(self.conv_max(pooled)))))
        spread = interpolate(coarse, size=features.shape[-2:], mode="bilinear", align_corners=False)
        gate: Tensor = self.conv4(spread + self.conv_f(reduced))
        return features * gate.sigmoid()
