from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from harness.worker.unscripted import unscripted

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


class Net(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return image * 2


def double(image: Tensor) -> Tensor:
    return image * 2


def test_modules_stay_as_they_are_written() -> None:
    model = Net().eval()
    with unscripted() as asked:
        assert torch.jit.script(model) is model
        assert torch.jit.trace(model, torch.ones(1)) is model
        assert torch.jit.optimize_for_inference(torch.jit.freeze(model)) is model
    assert asked == {"script", "trace", "freeze", "optimize_for_inference"}


def test_functions_are_scripted_as_ever() -> None:
    with unscripted() as asked:
        assert isinstance(torch.jit.script(double), torch.jit.ScriptFunction)
    assert asked == set()


def test_torch_is_as_it_was_even_after_a_failure() -> None:
    before = torch.jit.script
    with pytest.raises(ZeroDivisionError), unscripted():
        raise ZeroDivisionError
    assert torch.jit.script is before
