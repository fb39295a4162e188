"""MAFFSRN, the Multi-Attentive Feature Fusion network (Muqeet et al., ECCVW 2020).

arXiv 2008.12912. Parameter names are those of the authors' code (AbdulMoqeet/MAFFSRN), but for
what weight normalisation adds: `weight_g` and `weight_v` there, which PyTorch still reads.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d
from torch.nn.utils.parametrizations import weight_norm

RGB = 3
REDUCTION = 4
NEGATIVE_SLOPE = 0.05
BLOCKS = 4


class MAFFSRN(nn.Module):
    """Feature fusion groups in a row, two kernels in the upsampler, over a bicubic enlargement.

    Input: N x 3 x H x W, values in [0, 1], H and W >= 13 (what the attention's strided convolution
    and 7x7 pooling need). Output: N x 3 x scale*H x scale*W in the same range, not clamped.

    Args:
        channels: features between the blocks.
        groups: number of feature fusion groups, of four blocks each.
        scale: side of the output over side of the input.
    """

    def __init__(self, *, channels: int = 32, groups: int = 4, scale: int = 4) -> None:
        super().__init__()
        self.scale = scale
        self.head = nn.Sequential(weight_norm(_conv(RGB, channels, 3)))
        self.body = nn.Sequential(*(FusionGroup(channels) for _ in range(groups)))
        self.tail = TwoKernelUpsampler(channels, scale)

    def forward(self, lr: Tensor) -> Tensor:
        """Map N x 3 x H x W to N x 3 x scale*H x scale*W."""
        detail: Tensor = self.tail(self.body(self.head(lr)))
        return detail + interpolate(lr, scale_factor=self.scale, mode="bicubic")


class FusionGroup(nn.Module):
    """Four attentive blocks, whose maps are shuffled and fused one after the other."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        for number in range(BLOCKS):
            self.add_module(f"b{number}", AttentiveBlock(channels))
        for number in range(1, BLOCKS):
            fusion = weight_norm(_conv(2 * channels, channels, 1))
            self.add_module(f"reduction{number}", fusion)
        self.res_scale = LearntFactor(1)
        self.x_scale = LearntFactor(1)

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape N x channels x H x W."""
        deep: Tensor = self.get_submodule("b0")(features)
        fused = deep
        for number in range(1, BLOCKS):
            out: Tensor = self.get_submodule(f"b{number}")(deep)
            deep = out if number == BLOCKS - 1 else out + deep
            both = _shuffled(torch.cat([fused, deep], dim=1))
            fused = self.get_submodule(f"reduction{number}")(both)
        result: Tensor = self.res_scale(fused) + self.x_scale(features)
        return result


class AttentiveBlock(nn.Module):
    """Two 3x3 convolutions, gated by a pooled map of wide reach and by a 5x5 depthwise one."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inside = channels // REDUCTION
        self.reduce_channels = _conv(channels, inside, 1)
        self.reduce_spatial_size = nn.Conv2d(inside, inside, 3, stride=2, padding=1)
        self.increase_channels = nn.Sequential(_conv(inside, channels, 1), nn.ReLU(inplace=True))
        self.conv1 = nn.Sequential(_conv(inside, inside, 3), _activation())
        self.conv2 = nn.Sequential(
            nn.Conv2d(inside, inside, 3, padding=2, dilation=2), _activation()
        )
        self.conv00 = nn.Sequential(_conv(channels, channels, 3))
        self.conv01 = nn.Sequential(_conv(channels, channels, 3), _activation())
        self.bottom11 = nn.Sequential(_conv(channels, channels, 1))
        self.bottom11_dw = nn.Sequential(
            nn.Conv2d(channels, channels, 5, padding=2, groups=channels)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape N x channels x H x W."""
        local = self.conv00(self.conv01(features))
        reduced: Tensor = self.reduce_channels(local)
        pooled = max_pool2d(self.reduce_spatial_size(reduced), kernel_size=7, stride=3)
        coarse = self.conv2(pooled) + self.conv1(pooled)
        spread = interpolate(coarse, size=reduced.shape[-2:], mode="nearest") + reduced
        wide: Tensor = self.increase_channels(spread)
        near: Tensor = self.bottom11_dw(self.bottom11(local))
        return wide.sigmoid() * local * near.sigmoid()


class TwoKernelUpsampler(nn.Module):
    """The weighted sum of a 3x3 and a 5x5 convolution, each with a pixel shuffle."""

    def __init__(self, channels: int, scale: int) -> None:
        super().__init__()
        self.tail_k3 = weight_norm(_conv(channels, RGB * scale**2, 3))
        self.tail_k5 = weight_norm(_conv(channels, RGB * scale**2, 5))
        self.pixelshuffle = nn.PixelShuffle(scale)
        self.scale_k3 = LearntFactor(0.5)
        self.scale_k5 = LearntFactor(0.5)

    def forward(self, features: Tensor) -> Tensor:
        """Map N x channels x H x W to N x 3 x scale*H x scale*W."""
        small: Tensor = self.pixelshuffle(self.scale_k3(self.tail_k3(features)))
        large: Tensor = self.pixelshuffle(self.scale_k5(self.tail_k5(features)))
        return small + large


class LearntFactor(nn.Module):
    """Multiply by one learnt number."""

    def __init__(self, first: float) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor([first], dtype=torch.float32))

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape."""
        return features * self.scale


def _shuffled(features: Tensor) -> Tensor:
    """Channels of both halves in turns."""
    halves = features.unflatten(1, (2, features.shape[1] // 2))
    return halves.transpose(1, 2).flatten(1, 2)


def _conv(in_channels: int, out_channels: int, kernel: int) -> nn.Conv2d:
    """Convolution that keeps height and width."""
    return nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2)


def _activation() -> nn.LeakyReLU:
    return nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True)
