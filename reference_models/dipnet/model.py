"""DIPNet (Yu et al., CVPRW 2023, arXiv 2304.07018), winner of the NTIRE 2023 challenge.

RLFN, pruned and re-parameterised: blocks that narrow from 44 to 38 channels inside, convolutions
without bias outside the attention. The public checkpoint holds the convolutions fused; parameter
names are those of it.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d

RGB = 3
NEGATIVE_SLOPE = 0.05


class DIPNet(nn.Module):
    """Residual local feature blocks in a row, one long skip, pixel shuffle.

    Input: N x 3 x H x W, values in [0, 1], H and W >= 15 (what the attention's strided convolution
    and 7x7 pooling need). Output: N x 3 x scale*H x scale*W in the same range, not clamped.

    Args:
        channels: features between the blocks.
        mid_channels: features between the 3x3 convolutions inside a block.
        blocks: number of blocks.
        esa_channels: features inside the attention.
        scale: side of the output over side of the input.
    """

    def __init__(
        self,
        *,
        channels: int = 44,
        mid_channels: int = 38,
        blocks: int = 4,
        esa_channels: int = 16,
        scale: int = 4,
    ) -> None:
        super().__init__()
        self.block_names = tuple(f"block_{number}" for number in range(1, blocks + 1))
        self.conv_1 = _conv(RGB, channels, 3)
        for name in self.block_names:
            self.add_module(name, ResidualLocalBlock(channels, mid_channels, esa_channels))
        self.conv_2 = _conv(channels, channels, 3)
        self.upsampler = nn.Sequential(_conv(channels, RGB * scale**2, 3), nn.PixelShuffle(scale))

    def forward(self, lr: Tensor) -> Tensor:
        """Map N x 3 x H x W to N x 3 x scale*H x scale*W."""
        shallow: Tensor = self.conv_1(lr)
        deep = shallow
        for name in self.block_names:
            deep = self.get_submodule(name)(deep)
        hr: Tensor = self.upsampler(self.conv_2(deep) + shallow)
        return hr


class ResidualLocalBlock(nn.Module):
    """Three activated 3x3 convolutions with one skip, then 1x1 and attention."""

    def __init__(self, channels: int, mid_channels: int, esa_channels: int) -> None:
        super().__init__()
        self.c1_r = _conv(channels, mid_channels, 3)
        self.c2_r = _conv(mid_channels, mid_channels, 3)
        self.c3_r = _conv(mid_channels, channels, 3)
        self.c5 = _conv(channels, channels, 1)
        self.esa = SpatialGate(channels, esa_channels)
        self.act = nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape N x channels x H x W."""
        local = features
        for refine in (self.c1_r, self.c2_r, self.c3_r):
            local = self.act(refine(local))
        out: Tensor = self.esa(self.c5(local + features))
        return out


class SpatialGate(nn.Module):
    """RLFN's spatial attention, whose convolutions have biases."""

    def __init__(self, channels: int, esa_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, esa_channels, 1)
        self.conv_f = nn.Conv2d(esa_channels, esa_channels, 1)
        self.conv2 = nn.Conv2d(esa_channels, esa_channels, 3, stride=2)
        self.conv3 = nn.Conv2d(esa_channels, esa_channels, 3, padding=1)
        self.conv4 = nn.Conv2d(esa_channels, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Gate N x channels x H x W by a map in (0, 1) of the same shape."""
        reduced: Tensor = self.conv1(features)
        pooled = max_pool2d(self.conv2(reduced), kernel_size=7, stride=3)
        coarse = interpolate(
            self.conv3(pooled), size=features.shape[-2:], mode="bilinear", align_corners=False
        )
        gate: Tensor = self.conv4(coarse + self.conv_f(reduced))
        return features * gate.sigmoid()


def _conv(in_channels: int, out_channels: int, kernel: int) -> nn.Conv2d:
    """Convolution without bias that keeps height and width."""
    return nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=False)
