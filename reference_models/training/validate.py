"""PSNR on a few crops that are not trained on."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from harness.quality.profile import CLASSIC_Y
from harness.quality.psnr import psnr_db
from reference_models.training.images import Image, Pair


@torch.no_grad()
def mean_psnr_db(model: nn.Module, pairs: Sequence[Pair], *, data_range: float) -> float:
    """Mean PSNR in dB of the profile `classic-y`: unrounded luma, a border of the scale cut off."""
    return statistics.fmean(psnr_of(super_resolved(model, it, data_range), it) for it in pairs)


@torch.no_grad()
def super_resolved(model: nn.Module, pair: Pair, data_range: float) -> Image:
    """The model's output as the harness converts it: clamped, rounded half to even, uint8."""
    device = next(model.parameters()).device
    lr = torch.from_numpy(np.ascontiguousarray(pair.lr)).to(device)
    scaled = lr.permute(2, 0, 1)[None].to(torch.float32) * (data_range / 255)
    sr = model(scaled)[0] / data_range
    levels = sr.clamp(0, 1).mul(255).round().to(torch.uint8)
    return np.ascontiguousarray(levels.permute(1, 2, 0).cpu().numpy())


def psnr_of(sr: Image, pair: Pair) -> float:
    """PSNR in dB of one image, in the same profile."""
    border = CLASSIC_Y.border_px(pair.hr.shape[0] // pair.lr.shape[0])
    colour = CLASSIC_Y.colour
    mine, truth = (
        colour.samples(np.ascontiguousarray(image[border:-border, border:-border]))
        for image in (sr, pair.hr)
    )
    return psnr_db(mine, truth, step=colour.step)
