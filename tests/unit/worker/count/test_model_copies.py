from __future__ import annotations

import torch
from torch import nn

from harness.worker.count.model_copies import describe, on_meta, photograph


def test_the_image_lies_in_the_data_range_and_is_the_same_every_time() -> None:
    one, other = (
        photograph(nn.Identity(), height=40, width=56, data_range=255.0) for _ in range(2)
    )
    assert one.shape == (1, 3, 40, 56)
    assert torch.equal(one, other)
    assert float(one.min()) >= 0
    assert 100 < float(one.max()) <= 255


def test_the_image_is_smooth_unlike_noise() -> None:
    image = photograph(nn.Identity(), height=64, width=64, data_range=1.0)
    steps = (image[..., 1:] - image[..., :-1]).abs()
    assert float(steps.mean()) < 0.15
    assert float(image.std()) > 0.05


def test_a_copy_on_the_meta_device_has_no_data_and_keeps_its_ties() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    model[0].constant = torch.ones(2)  # type: ignore[assignment]
    copied = on_meta(model, torch.zeros(1)).model
    assert isinstance(copied, nn.Sequential)
    assert copied[0].weight is copied[1].weight
    assert copied[0].weight.is_meta
    assert copied[0].constant.is_meta  # type: ignore[union-attr]
    assert not model[0].weight.is_meta


def test_an_error_is_told_in_one_line() -> None:
    assert describe(ValueError("first\nsecond")) == "ValueError: first"
    assert describe(KeyError()) == "KeyError"
    assert describe(OSError("Errors in it:\n\tan a")) == "OSError: Errors in it: an a"
    assert len(describe(ValueError("x" * 1000))) == 300
