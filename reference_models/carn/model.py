"""CARN and CARN-M, the Cascading Residual Networks (Ahn et al., ECCV 2018, arXiv 1803.08664).

Both were trained for x2, x3 and x4 at once: one set of weights has an upsampler for each scale, of
which a network runs its own. CARN-M has grouped convolutions, and within each cascading block one
residual block that runs three times. Parameter names are those of the authors' checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

RGB = 3
RGB_MEAN = (0.4488, 0.4371, 0.4040)
STEPS = 3
SCALES = (2, 3, 4)


class CARN(nn.Module):
    """Cascading blocks: each step sees, by a 1x1 convolution, all maps before it.

    Input: N x 3 x H x W, values in [0, 1], any H and W.
    Output: N x 3 x scale*H x scale*W in the same range, not clamped.

    Args:
        channels: features of every layer.
        scale: which of the upsamplers for x2, x3 and x4 runs; all of them have parameters.
        groups: of the 3x3 convolutions; the authors' CARN-M has 4.
        mobile: CARN-M's block, of which each cascading block has one that runs three times.
    """

    def __init__(
        self, *, channels: int = 64, scale: int = 4, groups: int = 1, mobile: bool = False
    ) -> None:
        super().__init__()
        self.sub_mean = MeanShift(-1)
        self.add_mean = MeanShift(1)
        self.entry = _conv(RGB, channels)
        for step in range(1, STEPS + 1):
            self.add_module(f"b{step}", CascadingBlock(channels, groups, mobile=mobile))
        _add_fusions(self, channels)
        self.upsample = MultiScaleUpsampler(channels, groups, scale)
        self.exit = _conv(channels, RGB)

    def forward(self, lr: Tensor) -> Tensor:
        """Map N x 3 x H x W to N x 3 x scale*H x scale*W."""
        shallow: Tensor = self.entry(self.sub_mean(lr))
        deep = _cascade(self, shallow, lambda step: getattr(self, f"b{step}"))
        hr: Tensor = self.add_mean(self.exit(self.upsample(deep)))
        return hr


class CascadingBlock(nn.Module):
    """Three residual blocks, or one three times, whose maps are fused step by step."""

    def __init__(self, channels: int, groups: int, *, mobile: bool) -> None:
        super().__init__()
        self.shared = mobile
        for step in range(1, 2 if mobile else STEPS + 1):
            self.add_module(f"b{step}", ResidualBlock(channels, groups, mobile=mobile))
        _add_fusions(self, channels)

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape N x channels x H x W."""
        return _cascade(
            self, features, lambda step: getattr(self, "b1" if self.shared else f"b{step}")
        )


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions (then, in CARN-M, 1x1 over the groups), skip, ReLU."""

    def __init__(self, channels: int, groups: int, *, mobile: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            _conv(channels, channels, groups=groups),
            nn.ReLU(inplace=True),
            _conv(channels, channels, groups=groups),
        ]
        if mobile:
            layers += [nn.ReLU(inplace=True), nn.Conv2d(channels, channels, 1)]
        self.body = nn.Sequential(*layers)
        self.act = nn.ReLU(inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape."""
        out: Tensor = self.act(self.body(features) + features)
        return out


class Fusion(nn.Module):
    """A 1x1 convolution over all maps so far, and ReLU."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(in_channels, out_channels, 1), nn.ReLU(inplace=True))

    def forward(self, maps: Tensor) -> Tensor:
        """Map N x in_channels x H x W to N x out_channels x H x W."""
        out: Tensor = self.body(maps)
        return out


class MultiScaleUpsampler(nn.Module):
    """An upsampler for each of the scales, one of which runs."""

    def __init__(self, channels: int, groups: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        for each in SCALES:
            self.add_module(f"up{each}", Upsampler(channels, groups, each))

    def forward(self, features: Tensor) -> Tensor:
        """Map N x channels x H x W to N x channels x scale*H x scale*W."""
        out: Tensor = self.get_submodule(f"up{self.scale}")(features)
        return out


class Upsampler(nn.Module):
    """A 3x3 convolution, ReLU and pixel shuffle by 3, or by 2 once or twice."""

    def __init__(self, channels: int, groups: int, scale: int) -> None:
        super().__init__()
        steps = {2: (2,), 3: (3,), 4: (2, 2)}[scale]
        layers: list[nn.Module] = []
        for step in steps:
            layers += [
                _conv(channels, channels * step**2, groups=groups),
                nn.ReLU(inplace=True),
                nn.PixelShuffle(step),
            ]
        self.body = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        """Map N x channels x H x W to N x channels x scale*H x scale*W."""
        out: Tensor = self.body(features)
        return out


class MeanShift(nn.Module):
    """Add or take off the mean colour of DIV2K, by a 1x1 convolution of the checkpoint."""

    def __init__(self, sign: int) -> None:
        super().__init__()
        self.shifter = nn.Conv2d(RGB, RGB, 1)
        with torch.no_grad():
            self.shifter.weight.copy_(torch.eye(RGB).reshape(RGB, RGB, 1, 1))
            self.shifter.bias.copy_(sign * torch.tensor(RGB_MEAN))

    def forward(self, image: Tensor) -> Tensor:
        """Keep the shape N x 3 x H x W."""
        out: Tensor = self.shifter(image)
        return out


def _add_fusions(module: nn.Module, channels: int) -> None:
    for step in range(1, STEPS + 1):
        module.add_module(f"c{step}", Fusion((step + 1) * channels, channels))


def _cascade(module: nn.Module, features: Tensor, block: Callable[[int], Any]) -> Tensor:
    """Run block 1 to 3, each on the fusion of what the ones before it gave."""
    maps = out = features
    for step in range(1, STEPS + 1):
        maps = torch.cat([maps, block(step)(out)], dim=1)
        out = module.get_submodule(f"c{step}")(maps)
    return out


def _conv(in_channels: int, out_channels: int, *, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, padding=1, groups=groups)
