"""Losses of SR against HR: N x 3 x H x W tensors of values in [0, 1], SR not clamped."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss, mse_loss

from reference_models.training.recipe import Contrastive, LossName

_SMALLEST_ERROR = 1e-8  # mean squared; 80 dB, beyond what 8 bits can tell apart
_SMALLEST_DISTANCE = 1e-7


def pixel_loss(name: LossName, sr: Tensor, hr: Tensor) -> Tensor:
    """`l1` mean absolute error, `l2` mean squared error, `psnr` the negative PSNR in dB."""
    if name == "l1":
        return l1_loss(sr, hr)
    if name == "l2":
        return mse_loss(sr, hr)
    return negative_psnr(sr, hr)


def negative_psnr(sr: Tensor, hr: Tensor) -> Tensor:
    """-PSNR in dB for a peak of 1, mean over the images of a batch."""
    squared = (sr - hr).square().mean(dim=(1, 2, 3)).clamp_min(_SMALLEST_ERROR)
    return 10 * squared.log10().mean()


class ShallowFeatures(nn.Module):
    """3x3 convolution, Tanh, 3x3 convolution: RLFN's extractor for its contrastive loss.

    N x 3 x H x W to N x channels x H x W. Random weights of its own; a frozen one has no gradients.
    """

    def __init__(self, settings: Contrastive) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, settings.channels, 3, padding=1)
        self.second = nn.Conv2d(settings.channels, settings.channels, 3, padding=1)
        self.requires_grad_(settings.trained)

    def forward(self, image: Tensor) -> Tensor:
        """The features of values in [0, 1]."""
        out: Tensor = self.second(torch.tanh(self.first(image)))
        return out


def contrastive_loss(features: nn.Module, sr: Tensor, hr: Tensor, bicubic: Tensor) -> Tensor:
    """Distance of SR to HR over distance of SR to the bicubic upscaling, among the features.

    Both are mean absolute differences; the loss is 0 at HR and grows without bound towards the
    bicubic image (RLFN, arXiv 2205.07514, after Wu et al., arXiv 2104.09367).
    """
    of_sr = features(sr)
    to_hr = l1_loss(of_sr, features(hr))
    to_bicubic = l1_loss(of_sr, features(bicubic))
    return to_hr / to_bicubic.clamp_min(_SMALLEST_DISTANCE)
