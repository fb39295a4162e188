"""FDIWN-M, a Feature Distillation Interaction Weighting Network (Gao et al., AAAI 2022).

arXiv 2112.08655. The authors published FDIWN, of three groups; FDIWN-M is not among their code. By
the parameters in print (454 K at x4, 454,648 here) it is that network with two groups. How often
each runs is taken from the larger one: its sequence, without what belongs to the third group.
Parameter names are those of the authors' code, but for what weight normalisation adds.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

RGB = 3
RGB_MEAN = (0.4488, 0.4371, 0.4040)
WHITE = 255.0
NEGATIVE_SLOPE = 0.05
UP_CHANNELS = 32
ATTENTION_GROUPS = 6
SHUFFLE_GROUPS = 4


class FDIWN(nn.Module):
    """Two groups that run twice each; the sum of all their maps is enlarged, and the input too.

    Input: N x 3 x H x W, values in [0, 255], any H and W.
    Output: N x 3 x scale*H x scale*W in the same range, not clamped.

    Args:
        channels: features of every group.
        scale: side of the output over side of the input.
    """

    def __init__(self, *, channels: int = 24, scale: int = 4) -> None:
        super().__init__()
        self.Sub_mean = _mean_shift(-1)
        self.Add_mean = _mean_shift(1)
        self.head = _conv(RGB, channels, 3)
        self.Li1 = ShuffledGroup(channels)
        self.Li2 = ShuffledGroup(channels)
        self.conv1 = _conv(channels, UP_CHANNELS, 3, bias=False)
        self.UP1 = _upsampler(scale)
        self.conv2 = _conv(RGB, UP_CHANNELS, 3)
        self.UP2 = _upsampler(scale)

    def forward(self, lr: Tensor) -> Tensor:
        """Map N x 3 x H x W to N x 3 x scale*H x scale*W."""
        centred: Tensor = self.Sub_mean(lr)
        deep: Tensor = self.Li1(self.head(centred))
        for group in (self.Li1, self.Li2, self.Li2):
            deep = deep + group(deep)
        hr: Tensor = self.UP1(self.conv1(deep)) + self.UP2(self.conv2(centred))
        out: Tensor = self.Add_mean(hr)
        return out


class ShuffledGroup(nn.Module):
    """Three interaction blocks, fused by grouped convolutions of shuffled channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.MY1 = InteractionBlock(channels)
        self.MY2 = InteractionBlock(channels)
        self.MY3 = InteractionBlock(channels)
        self.conv = _conv(channels, channels, 3, bias=False)
        self.conv1 = _conv(2 * channels, channels, 3, bias=False, groups=SHUFFLE_GROUPS)
        self.conv2 = _conv(2 * channels, channels, 3, bias=False, groups=SHUFFLE_GROUPS)
        self.rb1 = _narrowing(channels)
        self.scale_x = LearntScale(0.5)
        self.scale_res = LearntScale(0.5)

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape N x channels x H x W."""
        first = self.MY1(features)
        second = self.MY2(first)
        third = self.MY3(second + self.conv(first))
        fused = self.conv1(_shuffled(torch.cat([first, second], dim=1), SHUFFLE_GROUPS))
        fused = self.conv2(_shuffled(torch.cat([fused, third], dim=1), SHUFFLE_GROUPS))
        out: Tensor = self.scale_x(fused + third) + self.scale_res(self.rb1(features))
        return out


class InteractionBlock(nn.Module):
    """Two branches, each of which weighs the other by coefficients of its channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.act = nn.LeakyReLU(NEGATIVE_SLOPE)
        self.srb1 = _narrowing(channels)
        self.srb2 = _narrowing(channels)
        self.rb1 = WideResidual(half, half * 9 // 2, half, channels, projected=True)
        self.rb2 = WideResidual(half, half * 9 // 2, half, channels, projected=True)
        self.A1_coffconv = Coefficients(channels)
        self.B1_coffconv = Coefficients(channels)
        self.A2_coffconv = Coefficients(channels)
        self.B2_coffconv = Coefficients(channels)
        self.conv_distilled1 = _conv(half, channels, 3, bias=False)
        self.conv_distilled2 = _conv(half, channels, 3, bias=False)
        self.scale_x1 = LearntScale(1)
        self.scale_x2 = LearntScale(1)
        self.srb3 = _narrowing(channels)
        self.srb4 = _narrowing(channels)
        self.fuse1 = WideResidual(
            2 * channels, 2 * channels * 9 // 4, channels, channels, projected=True
        )
        self.fuse2 = _conv(2 * channels, channels, 1, bias=False)
        self.SAlayer = ChannelSpatialAttention(channels)

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape N x channels x H x W."""
        kept_a, rest = self.act(self.srb1(features)).chunk(2, dim=1)
        out_a = self.rb1(rest)
        upper = self.A1_coffconv(out_a) * out_a + features
        lower = self.B1_coffconv(features) * features + out_a

        kept_b, rest = self.act(self.srb2(upper)).chunk(2, dim=1)
        out_b = self.rb2(rest)
        second_b = self.A2_coffconv(lower) * lower + out_b
        second_b = second_b * self.conv_distilled1(kept_b).sigmoid()
        second_a = self.B2_coffconv(out_b) * out_b + lower
        second_a = second_a * self.conv_distilled2(kept_a).sigmoid()

        last_a, last_b = self.srb3(second_a), self.srb4(second_b)
        both = torch.cat([self.scale_x1(last_a), self.scale_x2(last_b)], dim=1)
        weighed = self.fuse2(both).sigmoid() * last_b
        out: Tensor = self.SAlayer(self.fuse1(both) + weighed + features)
        return out


class WideResidual(nn.Module):
    """1x1 to many channels, 1x1 to few, 3x3, attention; beside it the input or a 3x3 of it."""

    def __init__(
        self, channels: int, wide: int, narrow: int, out_channels: int, *, projected: bool
    ) -> None:
        super().__init__()
        self.res_scale = LearntScale(1)
        self.x_scale = LearntScale(1)
        self.conv = _conv(channels, out_channels, 3) if projected else nn.Identity()
        self.body = nn.Sequential(
            weight_norm(_conv(channels, wide, 1)),
            nn.ReLU(inplace=True),
            weight_norm(_conv(wide, narrow, 1)),
            weight_norm(_conv(narrow, out_channels, 3)),
        )
        self.SAlayer = ChannelSpatialAttention(out_channels)

    def forward(self, features: Tensor) -> Tensor:
        """Map N x channels x H x W to N x out_channels x H x W."""
        out: Tensor = self.res_scale(self.SAlayer(self.body(features)))
        return out + self.x_scale(self.conv(features))


class Coefficients(nn.Module):
    """A weight for each channel, from its mean and from its standard deviation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.upper_branch = nn.Sequential(nn.AdaptiveAvgPool2d(1), *_squeezing(channels))
        self.lower_branch = nn.Sequential(*_squeezing(channels))

    def forward(self, features: Tensor) -> Tensor:
        """Give N x channels x 1 x 1 in (0, 1)."""
        mean = features.mean(dim=(2, 3), keepdim=True)
        deviation = (features - mean).square().mean(dim=(2, 3), keepdim=True).sqrt()
        out: Tensor = (self.upper_branch(features) + self.lower_branch(deviation)) / 2
        return out


class ChannelSpatialAttention(nn.Module):
    """In each group one half is gated by its channels' means, the other by normed values."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // (2 * ATTENTION_GROUPS)
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.cweight = nn.Parameter(torch.zeros(1, half, 1, 1))
        self.cbias = nn.Parameter(torch.ones(1, half, 1, 1))
        self.sweight = nn.Parameter(torch.zeros(1, half, 1, 1))
        self.sbias = nn.Parameter(torch.ones(1, half, 1, 1))
        self.gn = nn.GroupNorm(half, half)

    def forward(self, features: Tensor) -> Tensor:
        """Gate N x channels x H x W, and shuffle the halves of all channels."""
        count, channels, height, width = features.shape
        grouped = features.reshape(count * ATTENTION_GROUPS, -1, height, width)
        by_channel, by_place = grouped.chunk(2, dim=1)
        channel_gate = (self.cweight * self.avg_pool(by_channel) + self.cbias).sigmoid()
        place_gate = (self.sweight * self.gn(by_place) + self.sbias).sigmoid()
        gated = torch.cat([by_channel * channel_gate, by_place * place_gate], dim=1)
        return _shuffled(gated.reshape(count, channels, height, width), 2)


class LearntScale(nn.Module):
    """Multiply by one learnt number."""

    def __init__(self, first: float) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor([first], dtype=torch.float32))

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape."""
        return features * self.scale


def _narrowing(channels: int) -> WideResidual:
    """The wide residual that keeps the number of channels, and its input."""
    return WideResidual(channels, channels * 5 // 2, channels // 2, channels, projected=False)


def _squeezing(channels: int) -> tuple[nn.Module, ...]:
    return (
        _conv(channels, channels // 8, 1),
        nn.ReLU(inplace=True),
        _conv(channels // 8, channels, 1),
        nn.ReLU(inplace=True),
        nn.Sigmoid(),
    )


def _shuffled(features: Tensor, groups: int) -> Tensor:
    """Channels of all groups in turns."""
    parts = features.unflatten(1, (groups, features.shape[1] // groups))
    return parts.transpose(1, 2).flatten(1, 2)


def _upsampler(scale: int) -> nn.Sequential:
    return nn.Sequential(_conv(UP_CHANNELS, RGB * scale**2, 3), nn.PixelShuffle(scale))


def _mean_shift(sign: int) -> nn.Conv2d:
    """Add or take off the mean colour of DIV2K, by a 1x1 convolution as in the authors' code."""
    shift = nn.Conv2d(RGB, RGB, 1)
    with torch.no_grad():
        shift.weight.copy_(torch.eye(RGB).reshape(RGB, RGB, 1, 1))
        shift.bias.copy_(sign * WHITE * torch.tensor(RGB_MEAN))
    return shift


def _conv(
    in_channels: int, out_channels: int, kernel: int, *, bias: bool = True, groups: int = 1
) -> nn.Conv2d:
    """Convolution that keeps height and width."""
    return nn.Conv2d(
        in_channels, out_channels, kernel, padding=kernel // 2, bias=bias, groups=groups
    )
