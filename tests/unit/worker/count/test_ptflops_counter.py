from __future__ import annotations

import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from harness.worker.count.ptflops_counter import count_by_ptflops


def _count(model: nn.Module, device: str = "cpu") -> int:
    with torch.no_grad():
        return count_by_ptflops(
            model.eval().to(device), torch.zeros(1, 3, 8, 8, device=device)
        ).macs


class Resizing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        return F.interpolate(F.relu(self.body(image)), scale_factor=2)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_ptflops_counts_the_bias_too(device: str) -> None:
    assert _count(nn.Conv2d(3, 4, 3, padding=1), device) == (9 * 3 * 4 + 4) * 64


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_ptflops_can_be_asked_twice(device: str) -> None:
    first = _count(Resizing(), device)
    assert first == (9 * 3 * 4 + 4) * 64 + 4 * 64 + 4 * 256  # and relu, and resized elements
    assert _count(Resizing(), device) == first


def test_torch_and_the_model_are_left_as_they_were() -> None:
    functions = (F.relu, F.interpolate, F.softmax, torch.mul, torch.matmul, torch.Tensor.mul)
    names = set(vars(torch.Tensor))
    model = Resizing()
    attributes = set(vars(model))
    _count(model)
    now = (F.relu, F.interpolate, F.softmax, torch.mul, torch.matmul, torch.Tensor.mul)
    assert now == functions
    assert set(vars(torch.Tensor)) == names
    assert set(vars(model)) == attributes


def test_a_failing_forward_says_why_and_still_restores(capfd: pytest.CaptureFixture[str]) -> None:
    class Failing(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            raise ValueError(f"{image.shape[-1]} is no multiple of 7")

    interpolate = F.interpolate
    with pytest.raises(RuntimeError, match="multiple of 7"):
        _count(Failing())
    assert F.interpolate is interpolate
    assert capfd.readouterr() == ("", "")


_LOADS_THE_COMPILER = """
import sys
import torch
from harness.worker.count.ptflops_counter import count_by_ptflops

image = torch.empty(1, 3, 8, 8, device="meta")
assert "torch._dynamo" not in sys.modules
print(count_by_ptflops(torch.nn.LayerNorm(8, device="meta"), image).macs)
assert sys.modules.get("torch._dynamo", "torch 2.6 has no use for it") is not None
print(tuple((image + image[:, :1]).shape))
"""


def test_torch_s_compiler_is_never_loaded_while_its_functions_are_patched() -> None:
    """On the meta device a LayerNorm loads it, which takes what it finds for torch's own."""
    done = subprocess.run(
        [sys.executable, "-c", _LOADS_THE_COMPILER], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str(3 * 8 * 8), "(1, 3, 8, 8)"]
