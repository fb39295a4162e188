from __future__ import annotations

import pytest
import torch
from torch import nn

from reference_models.training.losses import (
    ShallowFeatures,
    contrastive_loss,
    negative_psnr,
    pixel_loss,
)
from reference_models.training.recipe import Contrastive

ZERO = torch.zeros(2, 3, 2, 2)


def _constant(*values: float) -> torch.Tensor:
    return torch.tensor(values).reshape(-1, 1, 1, 1).expand(-1, 3, 2, 2)


def test_l1_is_the_mean_absolute_error() -> None:
    assert pixel_loss("l1", _constant(0.1, -0.3), ZERO).item() == pytest.approx(0.2)


def test_l2_is_the_mean_squared_error() -> None:
    assert pixel_loss("l2", _constant(0.1, -0.3), ZERO).item() == pytest.approx(0.05)


def test_the_psnr_loss_is_the_mean_of_the_images_negative_psnr() -> None:
    # errors of 1/10 and 1/100 everywhere are 20 and 40 dB
    assert pixel_loss("psnr", _constant(0.1, 0.01), ZERO).item() == pytest.approx(-30.0, abs=1e-4)


def test_the_psnr_loss_of_a_perfect_image_is_finite_with_finite_gradients() -> None:
    sr = ZERO.clone().requires_grad_()
    loss = negative_psnr(sr, ZERO)
    loss.backward()
    assert loss.item() == pytest.approx(-80.0, abs=1e-4)
    assert sr.grad is not None
    assert torch.isfinite(sr.grad).all()


def test_the_contrastive_loss_is_the_ratio_of_two_distances() -> None:
    hr, bicubic, sr = _constant(1.0), _constant(0.0), _constant(0.75)
    assert contrastive_loss(nn.Identity(), sr, hr, bicubic).item() == pytest.approx(1 / 3)
    assert contrastive_loss(nn.Identity(), hr, hr, bicubic).item() == 0
    assert torch.isfinite(contrastive_loss(nn.Identity(), bicubic, hr, bicubic))


def test_features_are_convolution_tanh_convolution() -> None:
    features = ShallowFeatures(Contrastive(weight=1.0, channels=1))
    for layer in (features.first, features.second):
        nn.init.zeros_(layer.weight)
        nn.init.constant_(layer.bias, 0.0)
    features.first.weight.data[0, 0, 1, 1] = 2.0
    features.second.weight.data[0, 0, 1, 1] = 3.0
    expected = 3 * torch.tanh(torch.tensor(1.0))
    assert torch.allclose(features(_constant(0.5)), expected.expand(1, 1, 2, 2))


@pytest.mark.parametrize("trained", [True, False])
def test_features_have_gradients_if_and_only_if_they_are_trained(trained: bool) -> None:
    features = ShallowFeatures(Contrastive(weight=1.0, channels=2, trained=trained))
    sr = _constant(0.5).clone().requires_grad_()
    contrastive_loss(features, sr, _constant(0.7), _constant(0.1)).backward()
    assert sr.grad is not None
    assert all((it.grad is not None) is trained for it in features.parameters())
