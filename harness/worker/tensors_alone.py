"""Tensors of a file that can't be loaded safely, as a state dict: nothing else leaves it.

It is read in a confined worker, without running what it holds (`inert_pickle`).
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

from harness.wire.messages import Convert, Converted
from harness.worker.caps import brief, clipped
from harness.worker.inert_pickle import Inert, InertReader
from harness.worker.reasons import first_line
from harness.worker.state_dict import BadWeights, StatePart, WeightsLayout, parts_of
from harness.worker.weights_file import is_safetensors, misfit
from harness.worker.weights_search import alike, is_beside, usual_rank

_MAGIC = 0x1950A86A20F9469CFC6C  # that begins what torch.save wrote before it wrote archives
_DEEPEST = 40  # objects in objects
_BYTES_CAP = 1_000_000_000


def converted(request: Convert) -> tuple[Converted, bytes]:
    """The answer to a request, and a safetensors file; BadWeights says why there is none."""
    path = Path(request.file)
    reader = InertReader(Path(request.code) if request.code else None)
    document = _plain(_document(path, reader), _DEEPEST)
    if not isinstance(document, dict):
        raise BadWeights(f"{path.name} holds no tensors by name")
    part = _chosen(parts_of(document, WeightsLayout(key=request.key), path.name), path.name)
    # one number in the file can stand for any number of elements: so before it is written out
    if sum(tensor.nbytes for tensor in part.tensors.values()) > _BYTES_CAP:
        raise BadWeights(f"{path.name} has more than {_BYTES_CAP:,} bytes of tensors")
    state = {name: tensor.contiguous().clone() for name, tensor in part.tensors.items()}
    told = brief(sorted(reader.stood_in), "classes and functions were not looked for")
    told += brief(sorted(part.others), "that hold no tensors are left out")
    return Converted(len(state), clipped(part.key), told), save(state)


def _document(path: Path, reader: InertReader) -> Any:
    """What a file holds; BadWeights where it can't be read."""
    if fault := misfit(path, converting=True):
        raise BadWeights(f"{path.name} {fault}")
    if is_safetensors(path):
        raise BadWeights(f"{path.name} is one of safetensors already")
    try:
        if zipfile.is_zipfile(path):
            return _archive(path, reader)
        with path.open("rb") as file:
            first = reader.module.load(file, encoding="latin1")
        return _torchs(path, reader) if isinstance(first, int) and first == _MAGIC else first
    except Exception as error:  # noqa: BLE001 - a torn file raises from anywhere in its reader
        raise BadWeights(f"{path.name} can't be read: {first_line(error):.200}") from None


def _archive(path: Path, reader: InertReader) -> Any:
    with zipfile.ZipFile(path) as archive:
        arrays = any(name.endswith(".npy") for name in archive.namelist())
    if arrays:
        with np.load(path, allow_pickle=False) as held:
            return dict(held)
    return _torchs(path, reader)


def _torchs(path: Path, reader: InertReader) -> Any:
    options: dict[str, Any] = {"map_location": "cpu", "weights_only": False}
    with path.open("rb") as file:  # torch would go by the ending of a name
        return torch.load(file, pickle_module=reader.module, **options)


def _plain(value: Any, depth: int) -> Any:
    """Dictionaries of tensors, where there were modules, arrays and objects."""
    if isinstance(value, Tensor | np.ndarray):
        return _tensor(value)
    held = _held(value)
    if held is None or not depth:
        return None
    if "_parameters" in held and "_modules" in held:
        return _state(held, depth)
    return {name: _plain(inner, depth - 1) for name, inner in held.items()}


def _tensor(value: Any) -> Tensor | None:
    """Of an array of numbers too; of none that holds anything else."""
    if isinstance(value, Tensor):
        return value.detach()
    if value.dtype.kind not in "biuf":
        return None
    return torch.from_numpy(np.ascontiguousarray(value.astype(value.dtype.newbyteorder("="))))


def _held(value: Any) -> dict[Any, Any] | None:
    """What is in an object, by name or number; None for one that holds nothing."""
    found: dict[Any, Any] | None = None
    match value:
        case Inert():
            found = {**(value.state if isinstance(value.state, dict) else {}), **value.items}
        case Mapping():
            found = dict(value)
        case list() | tuple():
            found = dict(enumerate(value))
        case torch.jit.ScriptModule():
            found = dict(value.state_dict())
        case nn.Module():
            found = vars(value)
    return found


def _state(module: Mapping[str, Any], depth: int) -> dict[str, Tensor]:
    """A module's parameters and persistent buffers, by their names in a state dict."""
    said = module.get("_non_persistent_buffers_set")
    volatile = said if isinstance(said, set | list) else ()
    own = {**(module["_parameters"] or {}), **(module.get("_buffers") or {})}
    found = {
        str(name): tensor.detach()
        for name, tensor in own.items()
        if isinstance(tensor, Tensor) and name not in volatile
    }
    for name, inner in (module["_modules"] or {}).items():
        held = _held(inner)
        if depth and held is not None and "_parameters" in held and "_modules" in held:
            inside = _state(held, depth - 1)
            found |= {f"{name}.{inner_name}": tensor for inner_name, tensor in inside.items()}
    return found


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
