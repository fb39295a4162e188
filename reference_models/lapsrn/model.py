"""LapSRN, the Laplacian Pyramid network (Lai et al., CVPR 2017, arXiv 1704.03915).

It sees the luma of the LR image, and doubles it once or twice. Two networks of that name are in
use: the one whose parameters are printed, five convolutions a level, with biases; and the public
PyTorch port (twtygqyy/pytorch-LapSRN), ten convolutions a level, without biases, whose names are
taken here.
"""

from __future__ import annotations

from torch import Tensor, nn

CHANNELS = 64
NEGATIVE_SLOPE = 0.2


class LapSRN(nn.Module):
    """Levels that double the image, each by a residual onto its enlarged input.

    Input: N x 1 x H x W, luma of the LR image in [0, 1], any H and W.
    Output: N x 1 x scale*H x scale*W in the same range, not clamped: that of the last level.

    Args:
        depth: convolutions of a level.
        bias: whether convolutions have biases.
        scale: side of the output over side of the input, 2 or 4.
    """

    def __init__(self, *, depth: int = 10, bias: bool = False, scale: int = 4) -> None:
        super().__init__()
        self.levels = tuple(range(1, scale.bit_length()))
        self.conv_input = _conv(1, CHANNELS, bias=bias)
        self.relu = nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True)
        for level in self.levels:
            self.add_module(f"convt_I{level}", _doubling(1, bias=bias))
            self.add_module(f"convt_R{level}", _conv(CHANNELS, 1, bias=bias))
            self.add_module(f"convt_F{level}", nn.Sequential(FeatureLevel(depth, bias=bias)))

    def forward(self, luma: Tensor) -> Tensor:
        """Map N x 1 x H x W to N x 1 x scale*H x scale*W."""
        features = self.relu(self.conv_input(luma))
        image = luma
        for level in self.levels:
            features = self.get_submodule(f"convt_F{level}")(features)
            enlarged = self.get_submodule(f"convt_I{level}")(image)
            image = enlarged + self.get_submodule(f"convt_R{level}")(features)
        return image


class FeatureLevel(nn.Module):
    """Activated 3x3 convolutions, and one that doubles height and width."""

    def __init__(self, depth: int, *, bias: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(depth):
            layers += [_conv(CHANNELS, CHANNELS, bias=bias), _activation()]
        self.cov_block = nn.Sequential(*layers, _doubling(CHANNELS, bias=bias), _activation())

    def forward(self, features: Tensor) -> Tensor:
        """Map N x channels x H x W to N x channels x 2*H x 2*W."""
        out: Tensor = self.cov_block(features)
        return out


def _conv(in_channels: int, out_channels: int, *, bias: bool) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=bias)


def _doubling(channels: int, *, bias: bool) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(channels, channels, 4, stride=2, padding=1, bias=bias)


def _activation() -> nn.LeakyReLU:
    return nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True)
