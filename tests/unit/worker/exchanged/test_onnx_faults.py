"""ONNX files that say more than torch can do, or less than a network needs; made here by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from fakes.onnx_files import onnx_node, write_onnx

from harness.worker.exchanged.onnx_file import BadOnnx
from harness.worker.exchanged.onnx_network import OnnxNetwork, onnx_network
from harness.worker.exchanged.sizes import computed, sizes

onnx = pytest.importorskip("onnx")
IMAGE = torch.arange(1 * 3 * 4 * 6, dtype=torch.float32).reshape(1, 3, 4, 6) / 50 - 0.7


def _network(folder: Path, *nodes: Any, opset: int = 18, **tensors: Any) -> OnnxNetwork:
    """Of an image `x` and an output `y`, with these calls and tensors."""
    return onnx_network(write_onnx(folder, *nodes, opset=opset, **tensors))


def _ints(*numbers: int) -> Any:
    return np.array(numbers, np.int64)


def _floats(*numbers: float) -> Any:
    return np.array(numbers, np.float32)


def _params(network: OnnxNetwork) -> int:
    return sum(it.numel() for it in network.parameters())


def test_weights_of_whole_numbers_are_parameters_too(tmp_path: Path) -> None:
    network = _network(tmp_path, onnx_node("Mul", "x", "k"), k=_ints(1, 2, 3).reshape(3, 1, 1))
    assert _params(network) == 3
    torch.testing.assert_close(network(IMAGE)[:, 2], 3 * IMAGE[:, 2])


def test_small_whole_numbers_that_become_the_weights_of_a_convolution_are_parameters(
    tmp_path: Path,
) -> None:
    weight = np.arange(-4, 5, dtype=np.int8).reshape(3, 3, 1, 1)
    cast = onnx_node("Cast", "w", to="f")
    network = _network(tmp_path, cast, onnx_node("Conv", "x", "f"), w=weight)
    assert _params(network) == 9
    expected = F.conv2d(IMAGE, torch.from_numpy(weight).float())
    torch.testing.assert_close(network(IMAGE), expected)


def test_a_number_may_be_a_size_for_one_call_and_a_weight_for_another(tmp_path: Path) -> None:
    network = _network(
        tmp_path,
        onnx_node("Shape", "x", to="s", start=2),
        onnx_node("Mul", "s", "k", to="twice"),
        onnx_node("Concat", "head", "twice", to="sizes", axis=0),
        onnx_node("Resize", "x", "", "", "sizes", to="large", nearest_mode="round_prefer_ceil"),
        onnx_node("MatMul", "large", "ones", to="rows"),
        onnx_node("Mul", "rows", "k"),
        head=_ints(1, 3),
        k=_ints(2, 2),
        ones=np.ones((12, 2), np.float32),
    )
    assert network(IMAGE).shape == (1, 3, 8, 2)
    assert _params(network) == 24 + 2


def test_the_nearest_of_whole_factors_needs_no_rule_for_two_that_are_as_near(
    tmp_path: Path,
) -> None:
    network = _network(tmp_path, onnx_node("Resize", "x", "", "k"), k=_floats(1, 1, 2, 2))
    doubled = IMAGE.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(network(IMAGE), doubled)


@pytest.mark.parametrize("factor", [0.5, 1.5])
def test_the_nearest_of_other_factors_is_refused_where_torch_takes_the_other_pixel(
    tmp_path: Path, factor: float
) -> None:
    network = _network(tmp_path, onnx_node("Resize", "x", "", "k"), k=_floats(1, 1, factor, factor))
    with pytest.raises(BadOnnx, match="torch takes the other of two pixels"):
        network(IMAGE)


def test_an_image_is_reduced_smoothly_where_what_is_outside_is_left_out(tmp_path: Path) -> None:
    said = {"mode": "linear", "antialias": 1}
    half = _floats(1, 1, 0.5, 0.5)
    network = _network(
        tmp_path, onnx_node("Resize", "x", "", "k", exclude_outside=1, **said), k=half
    )
    expected = F.interpolate(IMAGE, scale_factor=0.5, mode="bilinear", antialias=True)
    torch.testing.assert_close(network(IMAGE), expected)
    with pytest.raises(BadOnnx, match="antialias 1, exclude_outside 0"):
        _network(tmp_path, onnx_node("Resize", "x", "", "k", **said), k=half)(IMAGE)


def test_an_image_is_enlarged_along_the_axes_that_are_named(tmp_path: Path) -> None:
    node = onnx_node("Resize", "x", "", "", "k", mode="linear", axes=[3, 2])
    assert _network(tmp_path, node, k=_ints(12, 16))(IMAGE).shape == (1, 3, 16, 12)


def test_slopes_follow_the_last_axis_unless_they_are_of_channels(tmp_path: Path) -> None:
    slopes = _floats(1, 2, 3, 4, 5, 6)
    network = _network(tmp_path, onnx_node("PRelu", "x", "s"), s=slopes)
    expected = torch.where(IMAGE >= 0, IMAGE, IMAGE * torch.from_numpy(slopes))
    torch.testing.assert_close(network(IMAGE), expected)
    assert _params(network) == 6


def test_an_activation_has_the_slopes_that_are_given(tmp_path: Path) -> None:
    network = _network(tmp_path, onnx_node("Selu", "x", alpha=2.0, gamma=0.5))
    expected = torch.where(IMAGE > 0, 0.5 * IMAGE, IMAGE.exp() - 1)  # 0.5 * 2 * (exp(x) - 1)
    torch.testing.assert_close(network(IMAGE), expected)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("Resize", {"keep_aspect_ratio_policy": "not_larger"}),
        ("AveragePool", {"kernel_shape": [2, 2], "dilations": [2, 2]}),
        ("BatchNormalization", {"training_mode": 1}),
        ("Relu", {"max_value": 6.0}),
    ],
)
def test_what_nothing_here_looks_at_is_refused(
    tmp_path: Path, kind: str, said: dict[str, Any]
) -> None:
    name = list(said)[-1]
    with pytest.raises(BadOnnx, match=f"node 0, {kind}, can't be translated with {name} = "):
        _network(tmp_path, onnx_node(kind, *["x"] * 5, **said))


@pytest.mark.parametrize(
    ("node", "tensors", "why"),
    [
        (("ReduceMean", ("x",), {"noop_with_empty_axes": 1}), {}, "it reduces along no axis"),
        (("Dropout", ("x", "", "t"), {}), {"t": np.array([True])}, "it is as in training"),
        (("Reshape", ("x", "s"), {"allowzero": 1}), {"s": _ints(0, -1)}, "without elements"),
        (("Gather", ("x", "i"), {"axis": 1}), {"i": _ints(0, 3)}, "a place that none of 3 is"),
        (("Pad", ("x", "p"), {}), {"p": _ints(1)}, "can't be translated"),
    ],
)
def test_what_would_be_computed_otherwise_is_told_when_it_is_called(
    tmp_path: Path, node: tuple[str, tuple[str, ...], Any], tensors: dict[str, Any], why: str
) -> None:
    kind, inputs, said = node
    network = _network(tmp_path, onnx_node(kind, *inputs, **said), **tensors)
    with pytest.raises(BadOnnx, match=f"node 0, {kind}, .*{why}"):
        network(IMAGE)


def test_weights_of_another_size_than_is_said_are_refused(tmp_path: Path) -> None:
    weight = np.ones((1, 3, 3, 3), np.float32)
    with pytest.raises(BadOnnx, match="not of its kernel_shape"):
        _network(tmp_path, onnx_node("Conv", "x", "w", kernel_shape=[1, 1]), w=weight)


def test_the_output_may_be_used_by_another_call(tmp_path: Path) -> None:
    network = _network(tmp_path, onnx_node("Relu", "x"), onnx_node("Neg", "y", to="unused"))
    torch.testing.assert_close(network(IMAGE), IMAGE.relu())


@pytest.mark.parametrize("opset", [10, 18])
def test_values_without_bounds_stay_as_they_are(tmp_path: Path, opset: int) -> None:
    network = _network(tmp_path, onnx_node("Clip", "x"), opset=opset)
    torch.testing.assert_close(network(IMAGE), IMAGE)


@pytest.mark.parametrize(
    ("nodes", "why"),
    [
        ((("Add", ("x",), "y"),), "node 0, Add, has 1 inputs, and takes 2 or more"),
        ((("Relu", (), "y"),), "node 0, Relu, has 0 inputs, and takes 1 or more"),
        (
            (("Add", ("x", "b"), "y"), ("Neg", ("y",), "b")),
            "node 0, Add, takes 'b', which nothing before it gives",
        ),
        ((("Neg", ("x",), "x"),), "node 0, Neg, gives 'x', which is there before"),
        ((("Neg", ("x",), "z"),), "no operator gives its output 'y'"),
    ],
)
def test_a_graph_that_is_none_is_refused_with_the_reason(
    tmp_path: Path, nodes: tuple[tuple[str, tuple[str, ...], str], ...], why: str
) -> None:
    made = [onnx_node(kind, *inputs, to=to) for kind, inputs, to in nodes]
    with pytest.raises(BadOnnx, match=rf"^net\.onnx: {why}"):
        _network(tmp_path, *made)


def test_an_output_that_the_file_holds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadOnnx, match="no operator gives its output 'y'"):
        _network(tmp_path, onnx_node("Neg", "x", to="z"), y=_floats(1, 2))


def test_a_constant_without_a_name_is_refused(tmp_path: Path) -> None:
    constant = onnx.helper.make_node("Constant", [], [], value_float=1.0)
    with pytest.raises(BadOnnx, match="has an operator without an output"):
        _network(tmp_path, constant, onnx_node("Neg", "x"))


def test_sizes_that_are_squared_over_and_over_are_refused(tmp_path: Path) -> None:
    nodes = [onnx_node("Shape", "x", to="s0")]
    nodes += [onnx_node("Mul", f"s{it}", f"s{it}", to=f"s{it + 1}") for it in range(40)]
    network = _network(tmp_path, *nodes, onnx_node("Expand", "x", "s40"))
    with pytest.raises(BadOnnx, match="it computes a size beyond 64 bits"):
        network(IMAGE)


def test_more_numbers_than_sizes_are_no_sizes() -> None:
    one, many = sizes([1]), sizes([300_000_000])
    start = np.asarray(0, dtype=object)
    assert computed("Range", [start, many[0:1].reshape(()), one.reshape(())], {}) is None
    assert computed("Expand", [one, many], {}) is None
    row = sizes([1] * 4096)
    assert computed("Add", [row, row.reshape(-1, 1)], {}) is None
    assert computed("Concat", [row, one], {"axis": 0}) is None


def test_a_range_of_too_many_numbers_is_refused(tmp_path: Path) -> None:
    network = _network(
        tmp_path,
        onnx_node("Range", "zero", "many", "one", to="r"),
        onnx_node("Add", "x", "r"),
        zero=np.array(0),
        many=np.array(300_000_000),
        one=np.array(1),
    )
    with pytest.raises(BadOnnx, match="it counts to more than 16,777,216 numbers"):
        network(IMAGE)
