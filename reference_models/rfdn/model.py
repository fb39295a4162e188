"""RFDN, the Residual Feature Distillation Network (Liu, Tang, Wu; ECCVW 2020, arXiv 2009.11551).

Two networks of that name are in use: the paper's, six blocks with channel attention, and the winner
of the AIM 2020 efficient super-resolution challenge (E-RFDN), four blocks with spatial attention.
Parameter names are those of the authors' checkpoint of the latter, so that it loads strictly.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d

RGB = 3
NEGATIVE_SLOPE = 0.05


class RFDN(nn.Module):
    """Distillation blocks in a row, all of their outputs fused, one long skip, pixel shuffle.

    Input: N x 3 x H x W, values in [0, 255] for the official weights, H and W >= 15
    (what the attention's strided convolution and 7x7 pooling need). Output:
    N x 3 x scale*H x scale*W in the same range, not clamped.

    Args:
        channels: features between the blocks; half of them are distilled at each step.
        blocks: number of residual feature distillation blocks.
        esa_channels: features inside the spatial attention; the AIM 2020 entry has a quarter of
            channels. With 0 the blocks have channel attention, as the paper's do.
        scale: side of the output over side of the input.
    """

    def __init__(
        self,
        *,
        channels: int = 50,
        blocks: int = 4,
        esa_channels: int = 12,
        scale: int = 4,
    ) -> None:
        super().__init__()
        self.block_names = tuple(f"B{number}" for number in range(1, blocks + 1))
        self.fea_conv = _conv(RGB, channels, 3)
        for name in self.block_names:
            self.add_module(name, ResidualFeatureDistillationBlock(channels, esa_channels))
        self.c = nn.Sequential(
            _conv(channels * blocks, channels, 1), nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True)
        )
        self.LR_conv = _conv(channels, channels, 3)
        self.upsampler = nn.Sequential(_conv(channels, RGB * scale**2, 3), nn.PixelShuffle(scale))

    def forward(self, lr: Tensor) -> Tensor:
        """Map N x 3 x H x W to N x 3 x scale*H x scale*W."""
        shallow: Tensor = self.fea_conv(lr)
        deep = shallow
        outputs = []
        for name in self.block_names:
            deep = self.get_submodule(name)(deep)
            outputs.append(deep)
        fused: Tensor = self.c(torch.cat(outputs, dim=1))
        hr: Tensor = self.upsampler(self.LR_conv(fused) + shallow)
        return hr


class ResidualFeatureDistillationBlock(nn.Module):
    """Three distillation steps: 1x1 keeps half of the channels, a residual 3x3 hands on the rest.

    Both branches of a step read the same features; a last 3x3 distils what is left. The attention,
    of whichever kind, has the name that the spatial one has in the checkpoint.
    """

    def __init__(self, channels: int, esa_channels: int) -> None:
        super().__init__()
        distilled = channels // 2
        self.c1_d = _conv(channels, distilled, 1)
        self.c1_r = _conv(channels, channels, 3)
        self.c2_d = _conv(channels, distilled, 1)
        self.c2_r = _conv(channels, channels, 3)
        self.c3_d = _conv(channels, distilled, 1)
        self.c3_r = _conv(channels, channels, 3)
        self.c4 = _conv(channels, distilled, 3)
        self.act = nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True)
        self.c5 = _conv(4 * distilled, channels, 1)
        self.esa = (
            EnhancedSpatialAttention(channels, esa_channels)
            if esa_channels
            else ContrastAwareAttention(channels)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape N x channels x H x W."""
        steps = ((self.c1_d, self.c1_r), (self.c2_d, self.c2_r), (self.c3_d, self.c3_r))
        kept = []
        rest = features
        for distil, refine in steps:
            kept.append(self.act(distil(rest)))
            rest = self.act(refine(rest) + rest)
        kept.append(self.act(self.c4(rest)))
        out: Tensor = self.esa(self.c5(torch.cat(kept, dim=1)))
        return out


class EnhancedSpatialAttention(nn.Module):
    """Gate by a map of wide reach: stride 2, 7x7 pooling with stride 3, three 3x3 convolutions."""

    def __init__(self, channels: int, esa_channels: int) -> None:
        super().__init__()
        self.conv1 = _conv(channels, esa_channels, 1)
        self.conv_f = _conv(esa_channels, esa_channels, 1)
        self.conv_max = _conv(esa_channels, esa_channels, 3)
        self.conv2 = nn.Conv2d(esa_channels, esa_channels, 3, stride=2)
        self.conv3 = _conv(esa_channels, esa_channels, 3)
        self.conv3_ = _conv(esa_channels, esa_channels, 3)
        self.conv4 = _conv(esa_channels, channels, 1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        """Gate N x channels x H x W by a map in (0, 1) of the same shape."""
        reduced: Tensor = self.conv1(features)
        coarse = max_pool2d(self.conv2(reduced), kernel_size=7, stride=3)
        coarse = self.relu(self.conv_max(coarse))
        coarse = self.relu(self.conv3(coarse))
        coarse = interpolate(
            self.conv3_(coarse), size=features.shape[-2:], mode="bilinear", align_corners=False
        )
        gate: Tensor = self.conv4(coarse + self.conv_f(reduced))
        return features * gate.sigmoid()


class ContrastAwareAttention(nn.Module):
    """IMDN's attention: weigh channels by the sum of their mean and their standard deviation.

    A quarter of the channels is inside: so the network has the parameters in print (534 K, 541 K
    and 550 K at x2, x3 and x4). Others could be made to have them; this one is the field's.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_du = nn.Sequential(
            _conv(channels, channels // 4, 1),
            nn.ReLU(inplace=True),
            _conv(channels // 4, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Scale each of N x channels x H x W by a weight in (0, 1)."""
        mean = features.mean(dim=(2, 3), keepdim=True)
        contrast = (features - mean).square().mean(dim=(2, 3), keepdim=True).sqrt()
        weight: Tensor = self.conv_du(contrast + mean)
        return features * weight


def _conv(in_channels: int, out_channels: int, kernel: int) -> nn.Conv2d:
    """Convolution that keeps height and width."""
    return nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2)
