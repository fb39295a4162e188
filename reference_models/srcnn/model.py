"""SRCNN (Dong et al., ECCV 2014 and TPAMI 2016, arXiv 1501.00092): three convolutions.

It sees the luma of an LR image that bicubic has enlarged. The parameters in print decide which of
the paper's kernels are meant: 24 K at x2 are those of 9-3-5, 57 K at x4 those of 9-5-5.
"""

from __future__ import annotations

from torch import Tensor, nn


class SRCNN(nn.Module):
    """Extraction, mapping and reconstruction.

    Input: N x 1 x H x W, enlarged luma in [0, 1], any H and W.
    Output: N x 1 x H x W in the same range, not clamped.

    Borders are padded with zeros; the authors' code for tests, in MATLAB, repeats them.

    Args:
        kernels: side of each of the three kernels.
    """

    def __init__(self, *, kernels: tuple[int, int, int] = (9, 5, 5)) -> None:
        super().__init__()
        extract, mapping, rebuild = kernels
        self.conv1 = nn.Conv2d(1, 64, extract, padding=extract // 2)
        self.conv2 = nn.Conv2d(64, 32, mapping, padding=mapping // 2)
        self.conv3 = nn.Conv2d(32, 1, rebuild, padding=rebuild // 2)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, enlarged: Tensor) -> Tensor:
        """Keep the shape N x 1 x H x W."""
        features = self.relu(self.conv2(self.relu(self.conv1(enlarged))))
        hr: Tensor = self.conv3(features)
        return hr
