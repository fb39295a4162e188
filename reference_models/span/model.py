"""SPAN, the Swift Parameter-free Attention Network (Wan et al., CVPRW 2024, arXiv 2311.12770).

The design won the NTIRE 2024 efficient super-resolution challenge; the network of 28 channels is
the baseline of 2026. Each 3x3 convolution was trained as several branches. The public checkpoint
holds them fused, so that this is the network that runs. Parameter names are those of it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

RGB = 3
RGB_MEAN = (0.4488, 0.4371, 0.4040)
WHITE = 255.0
BLOCKS = 6


class SPAN(nn.Module):
    """Blocks that gate themselves without parameters, four feature maps fused, pixel shuffle.

    Input: N x 3 x H x W, values in [0, 1], any H and W; inside they are centred and scaled to 255.
    Output: N x 3 x scale*H x scale*W in [0, 1], not clamped.

    Args:
        channels: features of every layer.
        scale: side of the output over side of the input.
    """

    mean: Tensor

    def __init__(self, *, channels: int = 28, scale: int = 4) -> None:
        super().__init__()
        self.block_names = tuple(f"block_{number}" for number in range(1, BLOCKS + 1))
        self.conv_1 = FusedConv(RGB, channels)
        for name in self.block_names:
            self.add_module(name, ParameterFreeAttentionBlock(channels))
        self.conv_cat = nn.Conv2d(4 * channels, channels, 1)
        self.conv_2 = FusedConv(channels, channels)
        self.upsampler = nn.Sequential(
            nn.Conv2d(channels, RGB * scale**2, 3, padding=1), nn.PixelShuffle(scale)
        )
        self.register_buffer("mean", torch.tensor(RGB_MEAN).reshape(1, RGB, 1, 1), persistent=False)

    def forward(self, lr: Tensor) -> Tensor:
        """Map N x 3 x H x W to N x 3 x scale*H x scale*W."""
        shallow: Tensor = self.conv_1((lr - self.mean) * WHITE)
        blocks, inner = [], shallow
        deep = shallow
        for name in self.block_names:
            deep, inner = self.get_submodule(name)(deep)
            blocks.append(deep)
        fused = torch.cat([shallow, self.conv_2(deep), blocks[0], inner], dim=1)
        hr: Tensor = self.upsampler(self.conv_cat(fused))
        return hr


class ParameterFreeAttentionBlock(nn.Module):
    """Three 3x3 convolutions, whose output is the map of the attention as well."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.c1_r = FusedConv(channels, channels)
        self.c2_r = FusedConv(channels, channels)
        self.c3_r = FusedConv(channels, channels)
        self.act1 = nn.SiLU(inplace=True)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Give the block's output and its first activated map, both N x channels x H x W."""
        first: Tensor = self.act1(self.c1_r(features))
        response: Tensor = self.c3_r(self.act1(self.c2_r(first)))
        attention = response.sigmoid() - 0.5  # odd, so that large responses of both signs count
        return (response + features) * attention, first


class FusedConv(nn.Module):
    """A 3x3 convolution under the name that the fused one has in the checkpoint."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.eval_conv = nn.Conv2d(in_channels, out_channels, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Map N x in_channels x H x W to N x out_channels x H x W."""
        out: Tensor = self.eval_conv(features)
        return out
