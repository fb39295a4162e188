"""A start that is the best linear filter: what was fitted is what the network then computes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d, pixel_shuffle

from reference_models.training import images, linear, models
from reference_models.training.faults import TrainingError
from reference_models.training.images import Pair

MODELS = ["rlfn_ntire_x4", "fasterrfdn_x4", "imdn_ntire_x4", "rfdn_x4", "imdn_x2"]


def _pairs(folder: Path, scale: int) -> tuple[Pair, ...]:
    return images.read_folder(folder, scale=scale, smallest_side=60)


def _a_filter(scale: int) -> linear.Filter:
    torch.manual_seed(3)
    rows = 3 * scale**2
    return linear.Filter(0.05 * torch.randn(rows, 3, 5, 5), 0.1 * torch.randn(rows))


@pytest.mark.parametrize("model_id", MODELS)
def test_a_network_that_was_given_a_filter_is_that_filter(model_id: str) -> None:
    reference = models.find(model_id)
    scale, white = reference.scale, reference.data_range
    fitted, model = _a_filter(scale), models.build(reference, seed=1)
    linear.write(model, fitted, scale=scale, white=white)
    lr = torch.rand(1, 3, 20, 24)
    with torch.no_grad():
        sr = model(lr * white) / white
        expected = pixel_shuffle(conv2d(lr, fitted.weight, fitted.bias), scale)
    border = 2 * scale
    torch.testing.assert_close(
        sr[..., border:-border, border:-border], expected, rtol=1e-4, atol=1e-5
    )


def test_every_layer_can_still_learn(photographs: Path) -> None:
    reference = models.find("rlfn_ntire_x4")
    model = models.build(reference, seed=1)
    linear.write(model, linear.fit(_pairs(photographs, 4), scale=4, seed=1), scale=4, white=255.0)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-4)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for _ in range(3):
        optimiser.zero_grad()
        model(255 * torch.rand(1, 3, 20, 20)).square().mean().backward()
        optimiser.step()
    still = [name for name, value in model.state_dict().items() if value.equal(before[name])]
    assert still == []


def test_the_filter_of_images_that_are_linear_upscalings_gives_them_back() -> None:
    torch.manual_seed(1)
    kernel = torch.rand(48, 3, 5, 5)
    kernel /= kernel.sum(dim=(1, 2, 3), keepdim=True)
    lr = torch.randint(0, 256, (1, 3, 40, 40)).float()
    hr = pixel_shuffle(conv2d(lr, kernel, padding=2), 4).round()
    pair = Pair(
        "made",
        hr[0].permute(1, 2, 0).to(torch.uint8).numpy(),
        lr[0].permute(1, 2, 0).to(torch.uint8).numpy(),
    )
    fitted = linear.fit([pair], scale=4, seed=1)
    # patches are turned and mirrored, so only what is symmetric in the kernel can be found again:
    # the sum of the taps, and no offset
    torch.testing.assert_close(
        fitted.weight.sum(dim=(1, 2, 3)), torch.ones(48), rtol=0.05, atol=0.05
    )
    assert fitted.bias.abs().max() < 0.05


def test_a_fit_is_a_function_of_its_seed(photographs: Path) -> None:
    pairs = _pairs(photographs, 4)
    first, again, other = (linear.fit(pairs, scale=4, seed=seed) for seed in (1, 1, 2))
    assert first.weight.equal(again.weight)
    assert not first.weight.equal(other.weight)


def test_a_fitted_network_beats_a_random_one(photographs: Path) -> None:
    reference, pairs = models.find("rlfn_ntire_x4"), _pairs(photographs, 4)
    model = models.build(reference, seed=1)
    lr = torch.from_numpy(pairs[0].lr).permute(2, 0, 1)[None].float()
    hr = torch.from_numpy(pairs[0].hr).permute(2, 0, 1)[None].float()
    with torch.no_grad():
        random = (model(lr) - hr).abs().mean()
        linear.write(model, linear.fit(pairs, scale=4, seed=1), scale=4, white=255.0)
        fitted = (model(lr) - hr).abs().mean()
    assert fitted < random / 10


@pytest.mark.parametrize(
    "model",
    [
        nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3), nn.Conv2d(8, 48, 3)),
        nn.Sequential(nn.Conv2d(3, 32, 1), nn.Conv2d(32, 32, 3), nn.Conv2d(32, 48, 3)),
        nn.Sequential(nn.Conv2d(3, 32, 3), nn.Conv2d(32, 32, 3), nn.Conv2d(32, 12, 3)),
        nn.Sequential(nn.Conv2d(3, 32, 3, bias=False), nn.Conv2d(32, 32, 3), nn.Conv2d(32, 48, 3)),
    ],
    ids=["too narrow", "kernel of 1", "another scale", "no bias"],
)
def test_a_model_that_cannot_hold_a_filter_is_refused(model: nn.Module) -> None:
    with pytest.raises(TrainingError, match="start = 'linear'"):
        linear.write(model, _a_filter(4), scale=4, white=1.0)
