"""ONNX files made here by hand: what they compute, and what is refused of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor

from harness.worker.exchanged.onnx_file import BYTES_CAP, BadOnnx
from harness.worker.exchanged.onnx_network import OnnxNetwork, onnx_network

onnx = pytest.importorskip("onnx")
IMAGE = torch.arange(2 * 3 * 4 * 6, dtype=torch.float32).reshape(2, 3, 4, 6)[:1] / 50 - 0.7
FLOAT = 1


def _model(nodes: list[Any], tensors: dict[str, Any] | None = None, opset: int = 17) -> Any:
    """A model of an image `x` and an output `y`, with these calls and tensors."""
    held = [
        onnx.numpy_helper.from_array(np.asarray(it), name) for name, it in (tensors or {}).items()
    ]
    sides = [1, 3, "height", "width"]
    graph = onnx.helper.make_graph(
        nodes,
        "net",
        [onnx.helper.make_tensor_value_info("x", FLOAT, sides)],
        [onnx.helper.make_tensor_value_info("y", FLOAT, None)],
        initializer=held,
    )
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)])


def _saved(folder: Path, model: Any) -> Path:
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    return folder / "net.onnx"


def _node(kind: str, *inputs: str, to: str = "y", **said: Any) -> Any:
    return onnx.helper.make_node(kind, list(inputs), [to], **said)


def _network(folder: Path, *nodes: Any, opset: int = 17, **tensors: Any) -> OnnxNetwork:
    return onnx_network(_saved(folder, _model(list(nodes), tensors, opset)))


def _ints(*numbers: int) -> Any:
    return np.array(numbers, np.int64)


def _floats(*numbers: float) -> Any:
    return np.array(numbers, np.float32)


WEIGHT = torch.linspace(-1, 1, 2 * 3 * 3 * 3).reshape(2, 3, 3, 3)


@pytest.mark.parametrize(
    ("node", "tensors", "expected"),
    [
        (
            ("Conv", ("x", "w", "b"), {"pads": [1, 1, 1, 1], "strides": [2, 1]}),
            {"w": WEIGHT.numpy(), "b": _floats(1, 2)},
            lambda x: F.conv2d(x, WEIGHT, torch.tensor([1.0, 2.0]), stride=(2, 1), padding=1),
        ),
        (
            ("Conv", ("x", "w"), {"auto_pad": "SAME_UPPER"}),
            {"w": WEIGHT[..., :2].numpy()},
            lambda x: F.conv2d(F.pad(x, (0, 1, 1, 1)), WEIGHT[..., :2]),
        ),
        (
            ("ConvTranspose", ("x", "w"), {"strides": [2, 2], "output_padding": [1, 1]}),
            {"w": WEIGHT.transpose(0, 1).contiguous().numpy()},
            lambda x: F.conv_transpose2d(x, WEIGHT.transpose(0, 1), stride=2, output_padding=1),
        ),
        (("Relu", ("x",), {}), {}, F.relu),
        (("LeakyRelu", ("x",), {"alpha": 0.05}), {}, lambda x: F.leaky_relu(x, 0.05)),
        (("Elu", ("x",), {}), {}, F.elu),
        (
            ("PRelu", ("x", "s"), {}),
            {"s": _floats(0.1, 0.2, 0.3).reshape(3, 1, 1)},
            lambda x: F.prelu(x, torch.tensor([0.1, 0.2, 0.3])),
        ),
        (("HardSigmoid", ("x",), {"alpha": 1 / 6}), {}, F.hardsigmoid),
        (("Clip", ("x", "", "h"), {}), {"h": np.float32(0.2)}, lambda x: x.clamp(max=0.2)),
        (("Mul", ("x", "k"), {}), {"k": _floats(2)}, lambda x: 2 * x),
        (
            ("DepthToSpace", ("c",), {"blocksize": 2, "mode": "CRD"}),
            {},
            lambda x: F.pixel_shuffle(torch.cat([x] * 4, 1), 2),
        ),
        (
            ("DepthToSpace", ("c",), {"blocksize": 2}),
            {},  # of each place in a block, the channels stand together
            lambda x: F.pixel_shuffle(x.repeat_interleave(4, 1), 2),
        ),
        (
            (
                "Resize",
                ("x", "", "k"),
                {"mode": "linear", "coordinate_transformation_mode": "half_pixel"},
            ),
            {"k": _floats(1, 1, 2, 2)},
            lambda x: F.interpolate(x, scale_factor=2.0, mode="bilinear"),
        ),
        (
            (
                "Resize",
                ("x", "", "", "k"),
                {"mode": "cubic", "coordinate_transformation_mode": "align_corners"},
            ),
            {"k": _ints(1, 3, 8, 12)},
            lambda x: F.interpolate(x, size=(8, 12), mode="bicubic", align_corners=True),
        ),
        (
            (
                "Resize",
                ("x", "", "k"),
                {"nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"},
            ),
            {"k": _floats(1, 1, 3, 3)},
            lambda x: F.interpolate(x, scale_factor=3.0),
        ),
        (
            ("MaxPool", ("x",), {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
            {},
            lambda x: F.max_pool2d(x, 3, 2, 1),
        ),
        (("GlobalAveragePool", ("x",), {}), {}, lambda x: x.mean((2, 3), keepdim=True)),
        (("ReduceMean", ("x",), {"axes": [1]}), {}, lambda x: x.mean(1, keepdim=True)),
        (
            ("Pad", ("x", "k"), {"mode": "reflect"}),
            {"k": _ints(0, 0, 1, 2, 0, 0, 3, 0)},
            lambda x: F.pad(x, (2, 0, 1, 3), mode="reflect"),
        ),
        (
            ("Slice", ("x", "s", "e", "a", "k"), {}),
            {"s": _ints(1), "e": _ints(2**63 - 1), "a": _ints(-1), "k": _ints(2)},
            lambda x: x[..., 1::2],
        ),
        (
            ("MatMul", ("x", "w"), {}),
            {"w": np.eye(6, 2, dtype=np.float32)},
            lambda x: x[..., :2],
        ),
        (("Transpose", ("x",), {"perm": [0, 1, 3, 2]}), {}, lambda x: x.transpose(2, 3)),
        (("Gather", ("x", "i"), {"axis": 1}), {"i": _ints(2, 0)}, lambda x: x[:, [2, 0]]),
    ],
)
def test_operators_give_what_the_standard_says(
    tmp_path: Path,
    node: tuple[str, tuple[str, ...], dict[str, Any]],
    tensors: dict[str, Any],
    expected: Callable[[Tensor], Tensor],
) -> None:
    kind, inputs, said = node
    before = [_node("Concat", *["x"] * 4, to="c", axis=1)] if "c" in inputs else []
    network = _network(tmp_path, *before, _node(kind, *inputs, **said), **tensors)
    torch.testing.assert_close(network(IMAGE), expected(IMAGE))


def test_sizes_are_computed_of_the_image_that_is_given(tmp_path: Path) -> None:
    network = _network(
        tmp_path,
        _node("Shape", "x", to="shape"),
        _node("Gather", "shape", "two", to="height", axis=0),
        _node("Unsqueeze", "height", "zero", to="row"),
        _node("Concat", "head", "row", "tail", to="target", axis=0),
        _node("Reshape", "x", "target"),
        two=np.array(2),
        zero=_ints(0),
        head=_ints(1, -1),
        tail=_ints(1, 2),
    )
    for height, width in ((4, 6), (2, 10)):
        image = torch.rand(1, 3, height, width)
        assert network(image).shape == (1, 3 * width // 2, height, 1, 2)
    assert sum(it.numel() for it in network.parameters()) == 0


def test_the_weights_of_a_file_are_parameters_and_the_numbers_of_its_code_are_none(
    tmp_path: Path,
) -> None:
    network = _network(
        tmp_path,
        _node("Constant", to="half", value=onnx.numpy_helper.from_array(np.float32(0.5))),
        _node("Conv", "x", "w", to="a"),
        _node("Conv", "x", "w", to="b"),
        _node("Add", "a", "b", to="c"),
        _node("Mul", "c", "gain", to="d"),
        _node("Mul", "d", "half"),
        w=WEIGHT.numpy(),
        gain=_floats(1, 2).reshape(1, 2, 1, 1),
    )
    assert sum(it.numel() for it in network.parameters()) == WEIGHT.numel() + 2
    gain = torch.tensor([1.0, 2.0]).reshape(1, 2, 1, 1)
    torch.testing.assert_close(network(IMAGE), F.conv2d(IMAGE, WEIGHT) * gain)


def _external(model: Any) -> None:
    (tensor,) = model.graph.initializer
    tensor.ClearField("raw_data")
    tensor.data_location = 1
    tensor.external_data.add(key="location", value="../../etc/passwd")


def _huge(model: Any) -> None:
    (tensor,) = model.graph.initializer
    tensor.ClearField("raw_data")
    tensor.ClearField("dims")
    tensor.dims.extend([1024, 1024, 512])  # 2 GiB of float32, which are not there


def _short(model: Any) -> None:
    model.graph.initializer[0].raw_data = b"1234"


def _custom(model: Any) -> None:
    model.graph.node[0].domain = "com.acme"
    model.opset_import.add(domain="com.acme", version=1)


def _two_inputs(model: Any) -> None:
    model.graph.input.add().CopyFrom(onnx.helper.make_tensor_value_info("z", FLOAT, [1]))


def _of_vectors(model: Any) -> None:
    model.graph.input[0].CopyFrom(onnx.helper.make_tensor_value_info("x", FLOAT, [1, 3]))


def _of_bytes(model: Any) -> None:
    model.graph.input[0].CopyFrom(onnx.helper.make_tensor_value_info("x", 2, [1, 3, 4, 4]))


def _of_old(model: Any) -> None:
    model.opset_import[0].version = 3


def _unknown(model: Any) -> None:
    model.graph.node[0].op_type = "NonMaxSuppression"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_custom, r"calls com\.acme\.Mul \(node 0\): operators of the standard alone are taken"),
        (_external, r"keeps tensor 'w' in another file \('\.\./\.\./etc/passwd'\)"),
        (_huge, f"has more than {BYTES_CAP:,} bytes of tensors"),
        (_short, "has 4 bytes of tensor 'w', 8 by its shape"),
        (_two_inputs, "has 2 inputs and 1 outputs"),
        (_of_vectors, "takes a tensor of 2 dimensions"),
        (_of_bytes, "takes an image that is no tensor of floating-point numbers"),
        (_of_old, r"is of opset \[3\]"),
        (_unknown, "node 0, NonMaxSuppression, can't be translated to an operator of torch"),
    ],
)
def test_what_is_no_network_that_can_be_measured_is_refused_with_the_reason(
    tmp_path: Path, change: Callable[[Any], None], why: str
) -> None:
    model = _model([_node("Mul", "x", "w")], {"w": _floats(1, 2)})
    change(model)
    with pytest.raises(BadOnnx, match=rf"^net\.onnx:? {why}"):
        onnx_network(_saved(tmp_path, model))


@pytest.mark.parametrize("data", [b"", b"\x08", b"<html>", bytes(100), b"\x08\x08\x3a\x05abc"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "net.onnx").write_bytes(data)
    with pytest.raises(BadOnnx, match=r"^net\.onnx "):
        onnx_network(tmp_path / "net.onnx")


def test_what_torch_has_not_is_told_when_it_is_called(tmp_path: Path) -> None:
    said = {"mode": "linear", "coordinate_transformation_mode": "asymmetric"}
    network = _network(tmp_path, _node("Resize", "x", "", "k", **said), k=_floats(1, 1, 2, 2))
    with pytest.raises(BadOnnx, match="node 0, Resize, can't be translated: torch has no"):
        network(IMAGE)


def test_a_remainder_is_that_of_sizes_or_of_tensors(tmp_path: Path) -> None:
    network = _network(tmp_path, _node("Mod", "x", "k"), k=_floats(0.5))
    torch.testing.assert_close(network(IMAGE.abs()), torch.remainder(IMAGE.abs(), 0.5))
