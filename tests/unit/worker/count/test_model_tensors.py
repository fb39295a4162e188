from __future__ import annotations

import torch
from torch import nn

from harness.worker.count.model_tensors import attribute_tensors, model_tensors


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(2, 2)
        self.register_buffer("mean", torch.zeros(3))
        self.plain = torch.zeros(4)
        self.kept = {"a": [torch.zeros(5)], "b": (nn.Linear(1, 1, bias=False), self.body)}


def test_every_tensor_is_found_with_its_name_and_kind() -> None:
    found = {own.name: own.kind for own in model_tensors(Model())}
    assert found == {
        "body.weight": "parameter",
        "body.bias": "parameter",
        "mean": "buffer",
        "plain": "attribute",
        "kept['a'][0]": "attribute",
        "kept['b'][0].weight": "attribute",
    }


def test_a_list_that_holds_itself_or_its_model_comes_to_an_end() -> None:
    model = Model()
    endless: list[object] = [model]
    endless.append(endless)
    model.body.endless = endless
    assert [own.name for own in attribute_tensors(model)] == [
        "plain",
        "kept['a'][0]",
        "kept['b'][0].weight",
    ]
