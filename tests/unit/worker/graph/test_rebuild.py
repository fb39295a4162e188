"""The strict reader: what is no captured network is refused, whoever wrote it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from harness.worker.graph import allowed, rebuild
from harness.worker.graph.network_file import BadGraph
from tests.unit.worker.graph.networks import Plain, image, kept

Document = dict[str, Any]


def _document(tmp_path: Path) -> tuple[Document, dict[str, torch.Tensor]]:
    """That of a 3x3 convolution, a leaky activation in place, and a pixel shuffle."""
    from safetensors import safe_open

    with safe_open(kept(Plain(), tmp_path / "whole.safetensors"), framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return json.loads(file.metadata()["graph"]), tensors


def _read(document: Document, tensors: dict[str, torch.Tensor], folder: Path) -> nn.Module:
    path = folder / "bent.safetensors"
    save_file(tensors, path, metadata={"graph": json.dumps(document)})
    return rebuild.rebuild(*rebuild.read(path))


def test_a_whole_document_is_read(tmp_path: Path) -> None:
    network = _read(*_document(tmp_path), tmp_path)
    assert network(image()).shape == (1, 3, 32, 48)


def _node(document: Document, number: int = 1) -> Document:
    node: Document = document["graphs"][0]["nodes"][number - 1]
    return node


def _sets(where: str, value: Any, number: int = 1) -> Callable[[Document], None]:
    return lambda document: _node(document, number).update({where: value})


BENT: dict[str, tuple[Callable[[Document], None], str]] = {
    "another format": (lambda it: it.update(format=2), "format"),
    "a field more": (lambda it: it.update(more=1), "fields"),
    "no graph": (lambda it: it.update(graphs=[]), "no graph"),
    "an operator that reads files": (_sets("op", "aten.from_file.default"), "no graph may"),
    "a random one": (_sets("op", "aten.rand_like.default"), "no graph may"),
    "unwritten memory": (_sets("op", "aten.empty_like.default"), "no graph may"),
    "memory beyond its own": (_sets("op", "aten._reshape_alias.default"), "no graph may"),
    "a mode that nobody checks": (_sets("op", "aten.grid_sampler.default"), "no graph may"),
    "indices of the image": (
        lambda it: _node(it, 2).update(
            op="aten.index.Tensor", args=[{"node": 1}, [{"node": 1}]], layer=""
        ),
        "indices that depend on the image",
    ),
    "a custom one": (_sets("op", "mine.conv.default"), "no graph may"),
    "a Python function": (_sets("op", "os.system"), "no graph may"),
    "a dunder": (_sets("op", "aten.conv2d.__class__"), "no graph may"),
    "a later node": (_sets("args", [{"node": 2}]), "does not come before"),
    "a list that is written out": (
        lambda it: _node(it, 2).update(op="getitem", args=[[{"node": 1}], 0], layer=""),
        "no operator's, or by a size",
    ),
    "one of several by a number of the graph's": (
        lambda it: _node(it, 2).update(op="getitem", args=[{"node": 1}, {"node": 1}], layer=""),
        "no operator's, or by a size",
    ),
    "a tensor that is not there": (_sets("args", [{"node": 0}, {"tensor": 7}]), "not there"),
    "a strange kind": (_sets("args", [{"pickle": "x"}]), "no argument"),
    "two kinds": (_sets("args", [{"node": 0, "tensor": 0}]), "no argument"),
    "a text of its own": (_sets("args", ["conv"]), "no argument"),
    "a list too deep": (_sets("args", [[[[[[1]]]]]]), "no argument"),
    "a number too large": (_sets("args", [2**60]), "too large"),
    "a strange layer": (_sets("layer", "Module"), "is none"),
    "no keyword": (_sets("kwargs", {"a b": 1}), "keyword"),
    "a word of Python": (_sets("kwargs", {"lambda": 1}), "keyword"),
    "a device of its own": (
        lambda it: _node(it, 2).update(
            op="aten.zeros.default", args=[[1]], kwargs={"device": {"text": "cpu"}}, layer=""
        ),
        "a device of its own",
    ),
    "a keyword that another alphabet spells": (
        lambda it: _node(it, 2).update(
            op="aten.dropout.default", args=[{"node": 1}, 0.5], kwargs={"ｔrain": True}, layer=""
        ),
        "arguments that it does not have",
    ),
    "a number for a type": (
        lambda it: _node(it, 2).update(op="aten.softmax.int", args=[{"node": 1}, 1, 7], layer=""),
        "a dtype of its own",
    ),
    "a pad that leaves memory unwritten": (
        lambda it: _node(it, 2).update(
            op="aten.pad.default",
            args=[{"node": 1}, [4, -4, -4, 4], {"text": "circular"}],
            layer="",
        ),
        "pads in circles",
    ),
    "a norm that reads beyond its factor": (
        lambda it: _node(it, 2).update(
            op="aten._weight_norm.default", args=[{"tensor": 0}, {"tensor": 1}], layer=""
        ),
        "a factor of another shape",
    ),
    "a size without pixels": (
        lambda it: it["graphs"][0].update(size=[0, 8]),
        "height and a width",
    ),
    "an output that is not there": (lambda it: it["graphs"][0].update(output=9), "output"),
    "the image as output": (lambda it: it["graphs"][0].update(output=0), "output"),
    "a write to the image": (_sets("args", [{"node": 0}, 0.1], 2), "writes to the image"),
    "a write to a tensor": (_sets("args", [{"tensor": 0}, 0.1], 2), "writes to the image"),
    "a size of one number": (lambda it: it["graphs"][0].update(size=[16]), "height and a width"),
    "a negative count": (lambda it: it.update(params=-1), "no number"),
}


@pytest.mark.parametrize("kind", BENT)
def test_what_is_no_graph_is_refused_with_its_reason(kind: str, tmp_path: Path) -> None:
    document, tensors = _document(tmp_path)
    bend, reason = BENT[kind]
    bend(document)
    with pytest.raises(BadGraph, match=reason):
        _read(document, tensors, tmp_path)


def test_an_operator_in_training_is_refused(tmp_path: Path) -> None:
    document, tensors = _document(tmp_path)
    _node(document, 2).update(op="aten.dropout.default", args=[{"node": 1}, 0.5, True])
    with pytest.raises(BadGraph, match="train other than False"):
        _read(document, tensors, tmp_path)


def test_a_view_of_a_tensor_is_not_written_to(tmp_path: Path) -> None:
    document, tensors = _document(tmp_path)
    nodes = document["graphs"][0]["nodes"]
    nodes[1:2] = [
        {"op": "aten.view.default", "args": [{"tensor": 1}, [12]], "kwargs": {}, "layer": ""},
        {"op": "aten.add_.Tensor", "args": [{"node": 2}, 1], "kwargs": {}, "layer": ""},
    ]
    document["graphs"][0]["output"] = 3
    with pytest.raises(BadGraph, match="writes to the image or to a tensor"):
        _read(document, tensors, tmp_path)


def test_einsum_may_give_its_argument_itself_which_is_not_written_to(tmp_path: Path) -> None:
    document, tensors = _document(tmp_path)
    text = {"text": "i->i"}
    document["graphs"][0]["nodes"][1:2] = [
        {"op": "aten.einsum.default", "args": [text, [{"tensor": 1}]], "kwargs": {}, "layer": ""},
        {"op": "aten.add_.Tensor", "args": [{"node": 2}, 1], "kwargs": {}, "layer": ""},
    ]
    document["graphs"][0]["output"] = 3
    with pytest.raises(BadGraph, match="writes to the image or to a tensor"):
        _read(document, tensors, tmp_path)


def test_what_is_made_and_then_written_to_is_made_anew_by_each_forward(tmp_path: Path) -> None:
    document, tensors = _document(tmp_path)

    def node(op: str, *args: Any) -> Document:
        return {"op": op, "args": list(args), "kwargs": {}, "layer": ""}

    document["graphs"] = [
        {
            "size": [16, 24],
            "nodes": [
                node("aten.zeros.default", [1, 3, 16, 24]),
                node("aten.add_.Tensor", {"node": 1}, {"node": 0}),
            ],
            "output": 2,
        }
    ]
    network = _read(document, tensors, tmp_path)
    shown = image()
    for _ in range(2):
        assert torch.equal(network(shown), shown)


@pytest.mark.parametrize(
    ("bend", "reason"),
    [
        (lambda tensors: tensors | {"name": torch.zeros(1)}, "numbered"),
        (lambda tensors: {"00001": tensors["00001"]}, "numbered"),
    ],
)
def test_tensors_have_no_names_but_their_numbers(
    bend: Callable[[Any], Any], reason: str, tmp_path: Path
) -> None:
    document, tensors = _document(tmp_path)
    with pytest.raises(BadGraph, match=reason):
        _read(document, bend(tensors), tmp_path)


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        ([("chunk.default", {"tensor": 0}, 2**40)], "more than 262,144 parts"),
        ([("tensor_split.sections", {"node": 0}, 2**40)], "more than 262,144 parts"),
        (
            [("new_zeros.default", {"tensor": 0}, [10**6, 0]), ("unbind.int", {"node": 1})],
            "more than 262,144 parts",
        ),
        ([("full.default", [7 * 10**8], 1.0)], "more than 2,147,483,648 bytes"),
        (
            [
                ("zeros.default", [10**4, 10**4]),
                ("mm.default", {"node": 1}, {"node": 1}),
            ],
            "more than 10,000,000,000 products and sums",
        ),
    ],
)
def test_what_would_not_fit_or_not_end_is_refused_before_it_is_computed(
    nodes: list[tuple[Any, ...]], reason: str, tmp_path: Path
) -> None:
    document, tensors = _document(tmp_path)
    document["graphs"][0].update(
        nodes=[
            {"op": f"aten.{op}", "args": args, "kwargs": {}, "layer": ""} for op, *args in nodes
        ],
        output=len(nodes),
    )
    with pytest.raises(BadGraph, match=reason):
        _read(document, tensors, tmp_path)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "torn.safetensors"
    path.write_bytes(kept(Plain(), tmp_path / "whole.safetensors").read_bytes()[:-5])
    with pytest.raises(BadGraph, match="no safetensors file"):
        rebuild.read(path)
    save_file({"00000": torch.zeros(1)}, path)
    with pytest.raises(BadGraph, match="no document"):
        rebuild.read(path)


def test_sizes_that_grow_without_end_are_no_sizes() -> None:
    with pytest.raises(OverflowError):
        allowed.NUMBERS["mul"](2**40, 2**40)
    with pytest.raises(TypeError):
        allowed.NUMBERS["add"]([1], [2])
    with pytest.raises(TypeError):
        allowed.NUMBERS["round"](7, -(2**40))
    assert allowed.NUMBERS["floordiv"](-7, 2) == -4
    assert allowed.NUMBERS["trunc"](2.9) == math.trunc(2.9) == 2


def test_no_operator_of_the_list_draws_or_keeps_anything() -> None:
    for name in sorted(allowed.TENSORS):
        tags = allowed.resolve(name).tags
        assert torch.Tag.nondeterministic_seeded not in tags or name in allowed.OFF, name
        writes = [
            it.alias_info is not None and it.alias_info.is_write
            for it in allowed.resolve(name)._schema.arguments
        ]
        # one that writes does so to its first argument alone
        assert writes[0] == allowed.writes(name) if writes else not allowed.writes(name), name
        assert not any(writes[1:]), name
        shares = any(it.alias_info is not None for it in allowed.resolve(name)._schema.returns)
        assert not shares or allowed.writes(name) or name in allowed.VIEWS, name
