"""VDSR (Kim, Lee, Lee, CVPR 2016, arXiv 1511.04587): twenty convolutions that learn a residual.

It sees the luma of an LR image that bicubic has enlarged, by any of the scales. Names and form are
those of the public PyTorch port (twtygqyy/pytorch-vdsr), whose convolutions have no biases.
"""

from __future__ import annotations

from torch import Tensor, nn

LAYERS = 20


class VDSR(nn.Module):
    """A row of 3x3 convolutions with ReLU, and a skip over all of them.

    Input: N x 1 x H x W, enlarged luma in [0, 1], any H and W.
    Output: N x 1 x H x W in the same range, not clamped.

    Args:
        channels: features of every layer but the ends.
        bias: whether convolutions have biases; the paper's have, by the parameters in print.
    """

    def __init__(self, *, channels: int = 64, bias: bool = False) -> None:
        super().__init__()
        self.residual_layer = nn.Sequential(
            *(ActivatedConv(channels, bias=bias) for _ in range(LAYERS - 2))
        )
        self.input = nn.Conv2d(1, channels, 3, padding=1, bias=bias)
        self.output = nn.Conv2d(channels, 1, 3, padding=1, bias=bias)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, enlarged: Tensor) -> Tensor:
        """Keep the shape N x 1 x H x W."""
        residual: Tensor = self.output(self.residual_layer(self.relu(self.input(enlarged))))
        return residual + enlarged


class ActivatedConv(nn.Module):
    """A 3x3 convolution and ReLU."""

    def __init__(self, channels: int, *, bias: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=bias)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape."""
        out: Tensor = self.relu(self.conv(features))
        return out
