"""IMDN, the Information Multi-Distillation Network (Hui et al., ACM MM 2019, arXiv 1909.11856).

Two networks of that name are in use: the paper's (`IMDN`) and the one that the NTIRE challenges
took as their baseline (`IMDNBaseline`), deeper, without attention and without the fusion of all
blocks. Parameter names are those of the public checkpoints, so that both load strictly.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

RGB = 3
NEGATIVE_SLOPE = 0.05


class IMDN(nn.Module):
    """The paper's network: all block outputs fused, one long skip, pixel shuffle.

    Input: N x 3 x H x W, values in [0, 1] for the official weights, any H and W.
    Output: N x 3 x scale*H x scale*W in the same range, not clamped.

    Args:
        channels: features between the blocks; a quarter of them is distilled at each step.
        blocks: number of information multi-distillation blocks.
        reduction: channels over hidden channels in the attention.
        scale: side of the output over side of the input.
    """

    def __init__(
        self,
        *,
        channels: int = 64,
        blocks: int = 6,
        reduction: int = 16,
        scale: int = 4,
    ) -> None:
        super().__init__()
        self.block_names = tuple(f"IMDB{number}" for number in range(1, blocks + 1))
        self.fea_conv = _conv(RGB, channels, 3)
        for name in self.block_names:
            self.add_module(name, MultiDistillationBlock(channels, reduction))
        self.c = nn.Sequential(_conv(channels * blocks, channels, 1), _activation())
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


class IMDNBaseline(nn.Module):
    """The NTIRE baseline: a plain row of blocks with one long skip, pixel shuffle.

    Input: N x 3 x H x W, values in [0, 1] for the official weights, any H and W.
    Output: N x 3 x scale*H x scale*W in the same range, not clamped.

    Args:
        channels: features between the blocks; a quarter of them is distilled at each step.
        blocks: number of distillation blocks.
        scale: side of the output over side of the input.
    """

    def __init__(
        self,
        *,
        channels: int = 64,
        blocks: int = 8,
        scale: int = 4,
    ) -> None:
        super().__init__()
        body = [BaselineDistillationBlock(channels) for _ in range(blocks)]
        self.model = nn.Sequential(
            _conv(RGB, channels, 3),
            LongSkip(nn.Sequential(*body, _conv(channels, channels, 3))),
            _conv(channels, RGB * scale**2, 3),
            nn.PixelShuffle(scale),
        )

    def forward(self, lr: Tensor) -> Tensor:
        """Map N x 3 x H x W to N x 3 x scale*H x scale*W."""
        hr: Tensor = self.model(lr)
        return hr


class MultiDistillationBlock(nn.Module):
    """Three splits of a 3x3 convolution's channels, contrast-aware attention, 1x1, skip."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.kept = channels // 4
        rest = channels - self.kept
        self.c1 = _conv(channels, channels, 3)
        self.c2 = _conv(rest, channels, 3)
        self.c3 = _conv(rest, channels, 3)
        self.c4 = _conv(rest, self.kept, 3)
        self.act = _activation()
        self.c5 = _conv(4 * self.kept, channels, 1)
        self.cca = ContrastAwareAttention(4 * self.kept, reduction)

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape N x channels x H x W."""
        kept = []
        rest = features
        for refine in (self.c1, self.c2, self.c3):
            part, rest = _split(self.act(refine(rest)), self.kept)
            kept.append(part)
        kept.append(self.c4(rest))
        out: Tensor = self.c5(self.cca(torch.cat(kept, dim=1)))
        return out + features


class ContrastAwareAttention(nn.Module):
    """Weigh channels by the sum of their mean and their (population) standard deviation."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.conv_du = nn.Sequential(
            _conv(channels, channels // reduction, 1),
            nn.ReLU(inplace=True),
            _conv(channels // reduction, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Scale each of N x channels x H x W by a weight in (0, 1)."""
        mean = features.mean(dim=(2, 3), keepdim=True)
        contrast = (features - mean).square().mean(dim=(2, 3), keepdim=True).sqrt()
        weight: Tensor = self.conv_du(contrast + self.avg_pool(features))
        return features * weight


class BaselineDistillationBlock(nn.Module):
    """The block of the NTIRE baseline: `MultiDistillationBlock` without the attention."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.kept = channels // 4
        rest = channels - self.kept
        self.conv1 = nn.Sequential(_conv(channels, channels, 3), _activation())
        self.conv2 = nn.Sequential(_conv(rest, channels, 3), _activation())
        self.conv3 = nn.Sequential(_conv(rest, channels, 3), _activation())
        self.conv4 = _conv(rest, self.kept, 3)
        self.conv1x1 = _conv(4 * self.kept, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape N x channels x H x W."""
        kept = []
        rest = features
        for refine in (self.conv1, self.conv2, self.conv3):
            part, rest = _split(refine(rest), self.kept)
            kept.append(part)
        kept.append(self.conv4(rest))
        out: Tensor = self.conv1x1(torch.cat(kept, dim=1))
        return out + features


class LongSkip(nn.Module):
    """Add a branch's input to its output."""

    def __init__(self, sub: nn.Module) -> None:
        super().__init__()
        self.sub = sub

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape."""
        out: Tensor = self.sub(features)
        return out + features


def _conv(in_channels: int, out_channels: int, kernel: int) -> nn.Conv2d:
    """Convolution that keeps height and width."""
    return nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2)


def _activation() -> nn.LeakyReLU:
    return nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True)


def _split(features: Tensor, kept: int) -> tuple[Tensor, Tensor]:
    """Part the channels into the first `kept`, which leave, and the rest, which goes on."""
    return features[:, :kept], features[:, kept:]
