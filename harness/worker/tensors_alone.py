"""Tensors of a file that can't be loaded safely, as a state dict: nothing else leaves it.

It is read in a confined worker, without running what it holds (`inert_pickle`). TorchScript alone
runs as it is read: outside a sandbox it is refused.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from safetensors.torch import load, save
from torch import Tensor

from harness.wire.messages import Convert, Converted
from harness.worker.caps import brief, clipped
from harness.worker.inert_pickle import InertReader
from harness.worker.plain_tensors import BYTES_CAP, plain
from harness.worker.reasons import first_line
from harness.worker.state_dict import BadWeights, StatePart, WeightsLayout, parts_of
from harness.worker.weights_file import is_safetensors, misfit
from harness.worker.weights_search import alike, is_beside, usual_rank

_NUMPY = b"\x93NUMPY"
_ZIP = b"PK\x03\x04"
_RUNS = (
    "is TorchScript, whose code runs as it is read: it is converted in the sandbox alone, and here "
    "is none (`esr sandbox` shows what it lacks; leave --sandbox none out)"
)
_MAGIC = 0x1950A86A20F9469CFC6C  # that begins what torch.save wrote before it wrote archives


def converted(request: Convert) -> tuple[Converted, bytes]:
    """The answer to a request, and a safetensors file; BadWeights says why there is none."""
    path = Path(request.file)
    try:
        return _converted(request, path)
    except BadWeights:
        raise
    except Exception as error:  # noqa: BLE001 - what a stranger made fails anywhere
        raise BadWeights(f"{path.name} can't be converted: {first_line(error):.200}") from None


def _converted(request: Convert, path: Path) -> tuple[Converted, bytes]:
    reader = InertReader(Path(request.code) if request.code and request.confined else None)
    document = plain(_document(path, reader, confined=request.confined))
    if not isinstance(document, dict):
        raise BadWeights(f"{path.name} holds no tensors by name")
    part = _chosen(parts_of(document, WeightsLayout(key=request.key), path.name), path.name)
    told = brief(sorted(reader.stood_in), "classes and functions were not looked for")
    told += brief(sorted(part.others), "that hold no tensors are left out")
    return Converted(len(part.tensors), clipped(part.key), told), _written(part, path.name)


def _written(part: StatePart, file: str) -> bytes:
    """The tensors as a file of safetensors that can be read again; BadWeights where none can."""
    for name, tensor in part.tensors.items():
        if fault := _misfit(name, tensor):
            raise BadWeights(f"{file} can't be converted: {name[:40]!a} {fault}")
    # one number in the file can stand for any number of elements: so before it is written out
    if sum(it.numel() * it.itemsize for it in part.tensors.values()) > BYTES_CAP:
        raise BadWeights(f"{file} has more than {BYTES_CAP:,} bytes of tensors")
    state = {name: _own(tensor) for name, tensor in part.tensors.items()}
    written = save(state)
    if len(load(written)) != len(state):
        raise BadWeights(f"{file} can't be converted: its names are not read again as written")
    return written


def _misfit(name: str, tensor: Tensor) -> str:
    """Why a tensor can't be in a file of safetensors, "" if it can."""
    kinds = {
        "is what safetensors calls its own notes": name == "__metadata__",
        "is no name in Unicode": any("\ud800" <= it <= "\udfff" for it in name),
        "is a nested tensor": tensor.is_nested,
        "is quantised": tensor.is_quantized,
        "is sparse": tensor.layout is not torch.strided,
        "holds no values (device meta)": tensor.is_meta,
        "is of complex32": tensor.dtype is torch.complex32,
    }
    return next((text for text, so in kinds.items() if so), "")


def _own(tensor: Tensor) -> Tensor:
    """Without memory that another one shares."""
    return tensor.resolve_conj().resolve_neg().contiguous().clone()


def _document(path: Path, reader: InertReader, *, confined: bool) -> Any:
    """What a file holds; BadWeights where it can't be read."""
    if fault := misfit(path, converting=True):
        raise BadWeights(f"{path.name} {fault}")
    if is_safetensors(path):
        raise BadWeights(f"{path.name} is one of safetensors already")
    try:
        if zipfile.is_zipfile(path):
            return _archive(path, reader, confined=confined)
        with path.open("rb") as file:
            if file.read(len(_NUMPY)) == _NUMPY:
                return {path.stem: np.load(path, allow_pickle=False)}
            file.seek(0)
            first = reader.module.load(file, encoding="latin1")
        old = isinstance(first, int) and first == _MAGIC
        return _torchs(path, reader, confined=confined) if old else first
    except BadWeights:
        raise
    except Exception as error:  # noqa: BLE001 - a torn file raises from anywhere in its reader
        raise BadWeights(f"{path.name} can't be read: {first_line(error):.200}") from None


def _archive(path: Path, reader: InertReader, *, confined: bool) -> Any:
    with zipfile.ZipFile(path) as archive:
        arrays = [it for it in archive.infolist() if it.filename.endswith(".npy")]
    if sum(it.file_size for it in arrays) > BYTES_CAP:
        raise BadWeights(f"{path.name} has more than {BYTES_CAP:,} bytes of arrays")
    if arrays:
        with np.load(path, allow_pickle=False) as held:
            return dict(held)
    return _torchs(path, reader, confined=confined)


def _torchs(path: Path, reader: InertReader, *, confined: bool) -> Any:
    options: dict[str, Any] = {"map_location": "cpu", "weights_only": False}
    with path.open("rb") as file:  # torch would go by the ending of a name
        if not confined and _is_program(file):
            raise BadWeights(f"{path.name} {_RUNS}")
        file.seek(0)
        return torch.load(file, pickle_module=reader.module, **options)


def _is_program(file: IO[bytes]) -> bool:
    """Whether torch.load takes it for TorchScript: by torch's own reader of archives."""
    if file.read(len(_ZIP)) != _ZIP:
        return False
    file.seek(0)
    return "constants.pkl" in torch._C.PyTorchFileReader(file).get_all_records()  # noqa: SLF001


def _chosen(parts: tuple[StatePart, ...], file: str) -> StatePart:
    """The part with the network, as it is taken when weights are loaded; BadWeights in doubt."""
    networks = [it for it in parts if not is_beside(it.path)] or list(parts)
    most = max(len(it.tensors) for it in networks)
    large = [it for it in networks if 2 * len(it.tensors) >= most]
    first, *others = sorted(large, key=lambda it: usual_rank(it.path))
    others = [it for it in others if not alike(first.tensors, it.tensors)]
    if others and usual_rank(others[0].path) == usual_rank(first.path):
        keys = " or ".join(repr(it.key) for it in (first, *others[:2]))
        raise BadWeights(f"{file} has several networks: name one with --key, {keys}")
    return first
