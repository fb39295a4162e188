from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.worker.count.model_copies import ModelCopy
from harness.worker.count.second_size import count_at_second_size


def _picture(height: int, width: int) -> Tensor:
    return torch.zeros(1, 3, height, width)


def test_the_other_size_is_larger_both_ways_and_cheaper_on_the_cpu() -> None:
    model = nn.Conv2d(3, 3, 1)
    cpu = count_at_second_size(ModelCopy(model, _picture(16, 24), "cpu"), _picture, ())
    meta = ModelCopy(model.to("meta"), _picture(16, 24).to("meta"), "meta")
    there = count_at_second_size(meta, _picture, ())
    assert (cpu.height, cpu.width, cpu.macs) == (20, 36, 9 * 720)
    assert (there.height, there.width, there.macs, there.convs) == (32, 36, 9 * 32 * 36, 1)
    assert there.also_read == ("weight", "bias")


def test_a_model_of_one_size_says_so() -> None:
    class Fixed(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            return image.view(1, 3, 16, 16)

    there = count_at_second_size(ModelCopy(Fixed(), _picture(16, 16), "cpu"), _picture, ())
    assert there.error.startswith("RuntimeError: shape")
