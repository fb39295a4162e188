"""A network of an ONNX file that torch has no operators for, run by onnxruntime as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import _get_current_dispatch_mode

from harness.worker.exchanged.onnx_file import BadOnnx, OnnxGraph, read_onnx
from harness.worker.exchanged.onnx_network import OnnxNetwork
from harness.worker.exchanged.onnx_shapes import OnnxShapes

RUNTIME = "onnxruntime"
_SIDE = 48  # LR pixels of a trial forward
_KINDS = {
    "tensor(float)": torch.float32,
    "tensor(float16)": torch.float16,
    "tensor(double)": torch.float64,
}


class Unwatched(TypeError):
    """Torch was to watch or trace what it does not run."""


@dataclass(frozen=True)
class OnnxModel:
    """What runs a file. `counted` makes the module that is counted in its place, if one is."""

    module: nn.Module
    runtime: str = ""
    counted: Callable[[], nn.Module] | None = None
    note: str = ""


def onnx_model(path: Path, *, channels: int, multiple: int) -> OnnxModel:
    """The network of a file by torch's operators; by onnxruntime where one of its own has no such.

    A trial forward tells, of an image with sides that `multiple` divides. BadOnnx says why there is
    neither.
    """
    graph = read_onnx(path)
    try:
        network = OnnxNetwork(graph)
        _try(network, channels, -(-_SIDE // multiple) * multiple)
    except BadOnnx as error:
        return _by_runtime(path, graph, str(error))
    return OnnxModel(network)


def _try(network: OnnxNetwork, channels: int, side: int) -> None:
    """Raise BadOnnx where a call is none that torch has; a size that is refused tells nothing."""
    floating = (it.dtype for it in network.parameters() if it.is_floating_point())
    image = torch.zeros(1, channels, side, side, dtype=next(floating, torch.float32))
    try:
        with torch.no_grad():
            network(image)
    except RuntimeError:  # as of a network of one size
        return


def _by_runtime(path: Path, graph: OnnxGraph, why: str) -> OnnxModel:
    try:
        import onnxruntime
    except ImportError:
        raise BadOnnx(
            f"{path.name}: {why}. onnxruntime would run it as it is: "
            "python -m pip install 'esr-harness[onnxruntime]'"
        ) from None
    try:
        module = OnnxSession(path.read_bytes(), why)
    except BadOnnx as error:
        raise BadOnnx(f"{path.name}: {why}; {error}") from None
    note = f"run by onnxruntime {onnxruntime.__version__}: {why}"
    return OnnxModel(module, RUNTIME, lambda: OnnxShapes(graph), note)


class OnnxSession(nn.Module):
    """N x C x H x W in, one tensor out, on the CPU. Its weights are the runtime's.

    Unwatched is raised where torch traces or counts: it would see a network of no operators.
    """

    def __init__(self, data: bytes, why: str) -> None:
        super().__init__()
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.inter_op_num_threads = 1
        # a pool that keeps spinning would disturb the next forward
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # as it was read here, whatever its first bytes say
        options.add_session_config_entry("session.load_model_format", "ONNX")
        options.log_severity_level = 4
        try:
            session = onnxruntime.InferenceSession(
                data, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # noqa: BLE001 - whatever a stranger's file makes it raise
            raise BadOnnx(f"onnxruntime refuses it: {error!s:.200}") from None
        (taken,), (given,) = session.get_inputs(), session.get_outputs()
        if taken.type not in _KINDS or given.type not in _KINDS:
            raise BadOnnx(f"onnxruntime has it make {given.type:.40} of {taken.type:.40}")
        self._session, self._why = session, why
        self._name, self._dtype = taken.name, _KINDS[taken.type]

    def forward(self, image: Tensor) -> Tensor:
        """The output of the network."""
        if _get_current_dispatch_mode() is not None or type(image) is not Tensor:
            raise Unwatched(f"onnxruntime runs it: {self._why}")
        given = image.to(self._dtype).contiguous().numpy()
        (output,) = self._session.run(None, {self._name: given})
        return torch.from_numpy(output)
