"""RLFN as an ONNX file, exported as people do it, beside the reference that it comes from."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from fakes.challenges import write_challenge, write_set5
from safetensors.torch import load_file

from harness.core.challenge import TimingProtocol
from harness.core.outcome import Failed
from harness.entries.catalogue import Entry, read_folder, reference_folder, references
from harness.measure import loads
from harness.measure.loads import Contender
from harness.measure.session import OutputReply, Task
from harness.measure.tasks import run_outputs
from harness.sandbox.isolation import choose
from harness.usecases.evaluate import RunRequest, evaluate
from harness.usecases.inspect import inspect, trial_images

pytest.importorskip("onnx")
pytestmark = pytest.mark.filterwarnings("ignore")  # torch warns of its older exporter
MACS = 19_674_859_520  # fvcore's count of RLFN (NTIRE 2022)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the reference as an ONNX file of any height and width."""
    folder = tmp_path_factory.mktemp("entries") / "rlfn_onnx"
    folder.mkdir()
    reference = reference_folder() / "rlfn"
    spec = importlib.util.spec_from_file_location("rlfn_reference", reference / "model.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (entry,) = references(["rlfn_ntire_x4"])
    assert isinstance(entry, Entry)
    model = module.RLFN(**entry.submission.kwargs).eval()
    model.load_state_dict(load_file(reference / entry.submission.weights))
    torch.onnx.export(
        model,
        (torch.zeros(1, 3, 48, 48),),
        str(folder / "net.onnx"),
        dynamo=False,
        input_names=["image"],
        dynamic_axes={"image": {2: "height", 3: "width"}},
    )
    text = 'id = "rlfn_onnx"\nteam = "T"\nentry = "net.onnx"\nscale = 4\ndata_range = 255.0\n'
    (folder / "submission.toml").write_text(text, encoding="utf-8")
    return folder


def _outputs(candidate: object, logs: Path) -> list[np.ndarray]:
    protocol = TimingProtocol()
    ready = loads.contender(candidate, protocol)  # type: ignore[arg-type]
    assert isinstance(ready, Contender)
    isolation = choose("auto", hidden=(logs,))
    task = Task(ready.load, protocol, logs / f"{ready.entry.id}.log", isolation.confinement)
    replies = run_outputs(task, trial_images(4))
    assert not isinstance(replies, Failed), replies
    assert all(isinstance(it, OutputReply) for it in replies), replies
    return [it.pixels for it in replies if isinstance(it, OutputReply)]


def test_an_exported_network_is_counted_and_captured_as_the_one_it_was(
    exported: Path, tmp_path: Path
) -> None:
    (found,) = inspect(read_folder(exported), logs=tmp_path)
    assert found.failure is None, found.failure
    assert found.counts is not None
    counters = {it.name: it for it in found.counts.counts.counters}
    assert found.counts.counts.params == 317_218
    assert counters["fvcore"].macs == MACS
    assert found.verdict is not None
    assert (found.verdict.level, found.weights) == ("verified", "own")
    # torch 2.6 exports what this file's operators become at one size alone
    graphs = (
        "one for each of 6 sizes" if torch.__version__.startswith("2.6.") else "one for every size"
    )
    assert ("capture", f"captured as a graph, {graphs}") in [
        (it.check, it.text) for it in found.findings
    ]


def test_its_pixels_are_the_references(exported: Path, tmp_path: Path) -> None:
    (entry,), (reference,) = read_folder(exported), references(["rlfn_ntire_x4"])
    pairs = zip(_outputs(entry, tmp_path), _outputs(reference, tmp_path), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)


def test_a_file_that_is_refused_is_a_row_with_its_reason(exported: Path, tmp_path: Path) -> None:
    import onnx

    folder = tmp_path / "custom"
    folder.mkdir()
    model = onnx.load(exported / "net.onnx")
    model.graph.node[-1].domain = "com.acme"
    onnx.save(model, folder / "net.onnx")
    text = (exported / "submission.toml").read_text(encoding="utf-8")
    (folder / "submission.toml").write_text(text.replace("rlfn_onnx", "custom"), encoding="utf-8")
    (found,) = inspect(read_folder(folder), logs=tmp_path / "logs")
    assert found.failure is not None
    assert found.failure.reason == "bad_weights"
    assert "calls com.acme.DepthToSpace" in found.failure.message


@pytest.mark.usefixtures("sandbox_works")
def test_a_quantised_network_is_a_row_of_onnxruntime(tmp_path: Path) -> None:
    """Three channels by byte weights, each pixel its own, to a 4x4 block: nearest neighbours."""
    import onnx
    from onnx import helper, numpy_helper

    pytest.importorskip("onnxruntime")
    weights = np.repeat(np.eye(3, dtype=np.int8) * 64, 16, axis=0).reshape(48, 3, 1, 1)
    tensors = {"w": weights, "scale": np.float32(1 / 64), "zero": np.int8(0)}
    nodes = [
        helper.make_node("DequantizeLinear", ["w", "scale", "zero"], ["floats"]),
        helper.make_node("Conv", ["x", "floats"], ["features"]),
        helper.make_node("DepthToSpace", ["features"], ["y"], blocksize=4, mode="CRD"),
    ]
    sides = [1, 3, "height", "width"]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", 1, sides)],
        [helper.make_tensor_value_info("y", 1, sides)],
        [numpy_helper.from_array(np.asarray(it), name) for name, it in tensors.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9  # which older releases of the runtime read
    folder = tmp_path / "bytes"
    folder.mkdir()
    onnx.save(model, folder / "net.onnx")
    text = 'id = "bytes"\nteam = "T"\nentry = "net.onnx"\nscale = 4\ndata_range = 255.0\n'
    (folder / "submission.toml").write_text(text, encoding="utf-8")
    board = evaluate(
        RunRequest(
            entries=(str(folder),),
            challenge=str(
                write_challenge(
                    tmp_path / "tiny.toml", capture="preferred", deadline_s=60.0, audits=True
                )
            ),
            data_dir=write_set5(tmp_path / "data"),
            reports=tmp_path / "reports",
            sandbox="require",
        )
    )
    row = next(it for it in board.rows if it.entry.id == "bytes")
    entry = row.entry
    assert entry.status == "ok", entry.reason
    assert {"as code", "onnxruntime"} == set(entry.badges)
    assert any(it.startswith("run by onnxruntime ") for it in entry.notes)
    assert "runtime" not in entry.values
    assert entry.values["runtime_onnx"] > 0
    assert (entry.values["params"], entry.values["macs"]) == (144, 144 * 32 * 32)
    assert entry.verdict is not None
    assert entry.verdict.level == "verified", entry.verdict
    odd = [it for it in entry.audits if it.verdict != "ok"]
    assert not odd, odd
