"""FSRCNN (Dong, Loy, Tang, ECCV 2016, arXiv 1608.00367): all layers but the last at LR size.

Parameter names are those of the public PyTorch checkpoints (yjn870), so that they load strictly.
"""

from __future__ import annotations

from torch import Tensor, nn


class FSRCNN(nn.Module):
    """Extraction, shrinking, mapping, expanding, and one transposed convolution.

    Input: N x 1 x H x W, luma of the LR image in [0, 1], any H and W.
    Output: N x 1 x scale*H x scale*W in the same range, not clamped.

    Args:
        channels: features of the outer layers (d in the paper).
        inside: features of the mapping layers (s).
        layers: number of mapping layers (m).
        scale: side of the output over side of the input.
    """

    def __init__(
        self, *, channels: int = 56, inside: int = 12, layers: int = 4, scale: int = 4
    ) -> None:
        super().__init__()
        self.first_part = nn.Sequential(*_activated(1, channels, 5))
        mapping = [_activated(inside, inside, 3) for _ in range(layers)]
        self.mid_part = nn.Sequential(
            *_activated(channels, inside, 1),
            *(layer for pair in mapping for layer in pair),
            *_activated(inside, channels, 1),
        )
        self.last_part = nn.ConvTranspose2d(
            channels, 1, 9, stride=scale, padding=4, output_padding=scale - 1
        )

    def forward(self, luma: Tensor) -> Tensor:
        """Map N x 1 x H x W to N x 1 x scale*H x scale*W."""
        hr: Tensor = self.last_part(self.mid_part(self.first_part(luma)))
        return hr


def _activated(in_channels: int, out_channels: int, kernel: int) -> tuple[nn.Conv2d, nn.PReLU]:
    """A convolution that keeps height and width, and a PReLU of its own slope a channel."""
    conv = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2)
    return conv, nn.PReLU(out_channels)
