"""ONNX files of a few calls, made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

FLOAT = 1


def onnx_node(kind: str, *inputs: str, to: str = "y", **said: Any) -> Any:
    """A call; one of `Cast` makes floats."""
    from onnx import helper  # an extra, which may not be there

    cast = {"to": FLOAT} if kind == "Cast" else {}
    return helper.make_node(kind, list(inputs), [to], **cast, **said)


def write_onnx(folder: Path, *nodes: Any, opset: int, **tensors: Any) -> Path:
    """A network of an RGB image `x` and an output `y`, with these calls and tensors."""
    from onnx import helper, numpy_helper

    graph = helper.make_graph(
        list(nodes),
        "net",
        [helper.make_tensor_value_info("x", FLOAT, [1, 3, "height", "width"])],
        [helper.make_tensor_value_info("y", FLOAT, None)],
        [numpy_helper.from_array(np.asarray(it), name) for name, it in tensors.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 9  # which older releases of onnxruntime read
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    return folder / "net.onnx"
