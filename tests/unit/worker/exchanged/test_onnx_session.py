"""Networks of ONNX files that torch has no operators for: run by onnxruntime, counted by shapes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from conftest import skip_or_fail
from fakes.onnx_files import onnx_node, write_onnx

from harness.wire.messages import Load
from harness.worker.count import count_model
from harness.worker.exchanged.onnx_file import BadOnnx
from harness.worker.exchanged.onnx_session import OnnxModel, OnnxSession, Unwatched, onnx_model
from harness.worker.load import BadWeights, load
from harness.worker.operator_dtypes import observe

onnx = pytest.importorskip("onnx")
IMAGE = torch.arange(3 * 6 * 8, dtype=torch.float32).reshape(1, 3, 6, 8) / 100
RNG = np.random.default_rng(0)
BYTES = RNG.integers(-127, 128, (12, 3, 3, 3)).astype(np.int8)
SCALE = np.float32(1 / 128)
ZERO = np.int8(0)


@pytest.fixture(autouse=True)
def onnxruntime() -> Any:
    try:
        import onnxruntime as found
    except ImportError:
        skip_or_fail("no onnxruntime: python -m pip install onnxruntime")
    return found


def _model(folder: Path, *nodes: Any, opset: int = 20, **tensors: Any) -> OnnxModel:
    return onnx_model(write_onnx(folder, *nodes, opset=opset, **tensors), channels=3, multiple=1)


def _quantised(folder: Path) -> OnnxModel:
    """A 3x3 convolution whose weights are bytes, and a pixel shuffle by two."""
    return _model(
        folder,
        onnx_node("DequantizeLinear", "w", "scale", "zero", to="floats"),
        onnx_node("Conv", "x", "floats", to="features", pads=[1, 1, 1, 1]),
        onnx_node("DepthToSpace", "features", blocksize=2, mode="CRD"),
        w=BYTES,
        scale=SCALE,
        zero=ZERO,
    )


def _counts(found: OnnxModel) -> dict[str, Any]:
    assert found.counted is not None
    return count_model(found.counted(), height=6, width=8)


def _macs(counts: dict[str, Any]) -> dict[str, int | None]:
    return {it["name"]: it["matmul_macs"] for it in counts["counters"] if it["name"] != "ptflops"}


def test_a_network_that_torch_has_operators_for_is_run_by_torch(tmp_path: Path) -> None:
    found = _model(tmp_path, onnx_node("Relu", "x"))
    assert (found.runtime, found.counted, found.note) == ("", None, "")
    assert not isinstance(found.module, OnnxSession)


def test_a_quantised_network_is_run_by_onnxruntime(tmp_path: Path, onnxruntime: Any) -> None:
    found = _quantised(tmp_path)
    weights = torch.from_numpy(BYTES).float() * float(SCALE)
    expected = F.pixel_shuffle(F.conv2d(IMAGE, weights, padding=1), 2)
    torch.testing.assert_close(found.module(IMAGE), expected)
    assert found.runtime == "onnxruntime"
    assert found.note == (
        f"run by onnxruntime {onnxruntime.__version__}: node 0, DequantizeLinear, can't be "
        "translated to an operator of torch"
    )


def test_a_quantised_network_counts_as_the_one_that_it_stands_for(tmp_path: Path) -> None:
    counts = _counts(_quantised(tmp_path))
    assert counts["params"] == BYTES.size
    assert set(_macs(counts).values()) == {BYTES.size * 6 * 8}
    assert counts["reads"]["closed_form"] == BYTES.size * 6 * 8
    assert counts["reads"]["follows"]
    assert counts["never_called"] == ()


def test_integer_convolutions_count_as_convolutions(tmp_path: Path) -> None:
    found = _model(
        tmp_path,
        onnx_node("QuantizeLinear", "x", "scale", "middle", to="bytes"),
        onnx_node(
            "QLinearConv",
            *("bytes", "scale", "middle", "w", "scale", "zero", "scale", "middle"),
            to="features",
            pads=[1, 1, 1, 1],
        ),
        onnx_node("DequantizeLinear", "features", "scale", "middle"),
        w=BYTES,
        scale=SCALE,
        zero=ZERO,
        middle=np.uint8(0),
    )
    assert found.module(IMAGE).shape == (1, 12, 6, 8)
    counts = _counts(found)
    assert counts["params"] == BYTES.size
    assert set(_macs(counts).values()) == {BYTES.size * 6 * 8}


def test_networks_that_quantise_while_they_run_count_too(tmp_path: Path) -> None:
    found = _model(
        tmp_path,
        onnx.helper.make_node("DynamicQuantizeLinear", ["x"], ["bytes", "step", "middle"]),
        onnx_node("ConvInteger", "bytes", "w", "middle", to="sums", pads=[1, 1, 1, 1]),
        onnx_node("Cast", "sums", to="features"),
        onnx_node("Mul", "step", "scale", to="steps"),
        onnx_node("Mul", "features", "steps"),
        w=BYTES,
        scale=SCALE,
    )
    expected = F.conv2d(IMAGE, torch.from_numpy(BYTES).float() * float(SCALE), padding=1)
    torch.testing.assert_close(found.module(IMAGE), expected, atol=0.05, rtol=0.0)
    counts = _counts(found)
    assert counts["params"] == BYTES.size + 1  # the scale, which a call multiplies by
    assert set(_macs(counts).values()) == {BYTES.size * 6 * 8}


@pytest.mark.parametrize(
    ("kind", "said", "macs"),
    [
        # 12 x 3 x 3 x 3 at each of 3 x 4 outputs
        ("Conv", {"auto_pad": "SAME_UPPER", "strides": [2, 2]}, BYTES.size * 3 * 4),
        # 3 x 12 x 3 x 3 at each of 6 x 8 inputs, whatever is cut off
        ("ConvTranspose", {"pads": [0, 0, 1, 1], "strides": [2, 2]}, BYTES.size * 6 * 8),
    ],
)
def test_convolutions_that_pad_as_torch_can_not_count_by_their_formula(
    tmp_path: Path, kind: str, said: dict[str, Any], macs: int
) -> None:
    shape = (12, 3, 3, 3) if kind == "Conv" else (3, 12, 3, 3)
    weight = RNG.standard_normal(shape).astype(np.float32)
    found = _model(tmp_path, onnx_node(kind, "x", "w", **said), w=weight)
    counts = _counts(found)
    assert counts["params"] == weight.size
    assert _macs(counts)["dispatch"] == _macs(counts)["fvcore"] == macs
    assert found.module(IMAGE).shape[1] == 12


def test_what_torch_has_not_is_free_where_it_multiplies_nothing(tmp_path: Path) -> None:
    """Another cubic than torch's, at twice the size, behind a 1x1 convolution of three channels."""
    found = _model(
        tmp_path,
        onnx_node("Conv", "x", "w", to="features"),
        onnx_node(
            "Resize", "features", "", "scales", mode="cubic", cubic_coeff_a=-0.5, antialias=1
        ),
        w=np.ones((3, 3, 1, 1), np.float32),
        scales=np.array([1, 1, 2, 2], np.float32),
    )
    assert found.module(IMAGE).shape == (1, 3, 12, 16)
    assert set(_macs(_counts(found)).values()) == {9 * 6 * 8}


def test_a_network_of_half_precision_is_counted_in_it(tmp_path: Path) -> None:
    """Behind what torch has not, of an image that was cut to be one of half precision."""
    found = _model(
        tmp_path,
        onnx_node("Acos", "x", to="angles"),
        onnx_node("Conv", "angles", "w"),
        w=np.ones((3, 3, 1, 1), np.float32),
    )
    assert found.counted is not None
    counts = count_model(found.counted().half(), height=6, width=8)
    assert _macs(counts)["dispatch"] == 9 * 6 * 8


def test_what_no_shape_tells_leaves_every_count_without_a_figure(tmp_path: Path) -> None:
    """An LSTM over the pixels of a row."""
    found = _model(
        tmp_path,
        onnx_node("Reshape", "x", "rows", to="sequence"),
        onnx.helper.make_node(
            "LSTM", ["sequence", "w", "r"], ["out"], hidden_size=1, direction="forward"
        ),
        onnx_node("Reshape", "out", "image"),
        rows=np.array([48, 3, 1], np.int64),
        image=np.array([1, 3, 6, 8], np.int64),
        w=np.ones((1, 4, 1), np.float32),
        r=np.ones((1, 4, 1), np.float32),
    )
    assert found.module(IMAGE).shape == (1, 3, 6, 8)
    counts = _counts(found)
    assert set(_macs(counts).values()) == {None}
    errors = [it["error"] for it in counts["counters"]]
    assert all("LSTM, costs multiply-adds that no shape tells" in it for it in errors), errors


def test_it_refuses_to_be_watched_or_traced(tmp_path: Path) -> None:
    module = _quantised(tmp_path).module
    watched = observe(module, IMAGE)
    assert watched.error.startswith("Unwatched: onnxruntime runs it: node 0, DequantizeLinear")
    with pytest.raises(Unwatched), torch._subclasses.FakeTensorMode():
        module(torch.zeros(1, 3, 6, 8))


def test_the_worker_tells_what_runs_it(tmp_path: Path) -> None:
    _quantised(tmp_path)
    path = str(tmp_path / "net.onnx")
    request = Load(
        str(tmp_path), "net.onnx", "{}", 2, 1.0, device="cpu", threads=1, seed=0, weights=path
    )
    loaded = load(request)
    assert (loaded.runtime, loaded.params, loaded.untrained) == ("onnxruntime", BYTES.size, False)
    assert loaded.counted is not None
    with pytest.raises(BadWeights, match=r"on a CPU alone: run by onnxruntime"):
        load(Load(**{**vars(request), "device": "cuda"}))


def test_a_file_of_another_format_in_disguise_is_read_as_onnx(tmp_path: Path) -> None:
    """The producer's name stands where onnxruntime looks for the mark of a format of its own."""
    _quantised(tmp_path)
    model = onnx.load(tmp_path / "net.onnx")
    model.producer_name = "ORTM"
    data = model.SerializeToString()
    assert data[4:8] == b"ORTM"
    (tmp_path / "net.onnx").write_bytes(data)
    found = onnx_model(tmp_path / "net.onnx", channels=3, multiple=1)
    assert found.module(IMAGE).shape == (1, 3, 12, 16)


def test_what_neither_can_run_is_refused_with_both_reasons(tmp_path: Path) -> None:
    with pytest.raises(BadOnnx, match=r"node 0, Nonsense, can't be translated.*refuses it: "):
        _model(tmp_path, onnx_node("Nonsense", "x"))


def test_without_onnxruntime_its_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(BadOnnx, match=r"DequantizeLinear.*esr-harness\[onnxruntime\]"):
        _quantised(tmp_path)


@pytest.mark.parametrize("kind", ["If", "Loop"])
def test_a_graph_within_a_graph_is_refused(tmp_path: Path, kind: str) -> None:
    inside = onnx.helper.make_graph([], "inside", [], [])
    with pytest.raises(BadOnnx, match=f"holds another graph .node 0, {kind}.") as caught:
        _model(tmp_path, onnx_node(kind, "x", body=inside))
    assert "onnxruntime" not in str(caught.value)


def test_data_in_another_file_is_refused_in_any_attribute(tmp_path: Path) -> None:
    tensor = onnx.numpy_helper.from_array(np.ones(3, np.float32), "t")
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    with pytest.raises(BadOnnx, match=r"keeps tensor 't' in another file \('../../etc/passwd'\)"):
        _model(tmp_path, onnx_node("Relu", "x", extra=[tensor]))
