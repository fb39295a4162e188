"""DRCN, the Deeply-Recursive Convolutional Network (Kim, Lee, Lee, CVPR 2016, arXiv 1511.04491).

It sees the luma of an LR image that bicubic has enlarged. One convolution runs sixteen times; each
of its maps becomes an image, and the result is their weighted mean.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class DRCN(nn.Module):
    """Embedding, recursion, and a reconstruction of every recursion's map.

    Input: N x 1 x H x W, enlarged luma in [0, 1], any H and W.
    Output: N x 1 x H x W in the same range, not clamped.

    Convolutions have no biases: with these 1,774 K parameters are printed, with biases it were
    1,775 K.

    Args:
        channels: features of every layer.
        recursions: how often the shared convolution runs.
    """

    def __init__(self, *, channels: int = 256, recursions: int = 16) -> None:
        super().__init__()
        self.embedding = nn.Sequential(
            _conv(1, channels), nn.ReLU(inplace=True), _conv(channels, channels), nn.ReLU()
        )
        self.recursion = nn.Sequential(_conv(channels, channels), nn.ReLU())
        self.reconstruction = nn.Sequential(
            _conv(channels, channels), nn.ReLU(inplace=True), _conv(channels, 1)
        )
        self.weights = nn.Parameter(torch.full((recursions,), 1 / recursions))

    def forward(self, enlarged: Tensor) -> Tensor:
        """Keep the shape N x 1 x H x W."""
        features: Tensor = self.embedding(enlarged)
        total = torch.zeros_like(enlarged)
        for weight in self.weights.unbind():
            features = self.recursion(features)
            total = total + weight * (self.reconstruction(features) + enlarged)
        return total / self.weights.sum()


def _conv(in_channels: int, out_channels: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
