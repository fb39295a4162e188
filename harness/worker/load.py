"""Build a submission's model: import its file, call its entry, load its weights."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from harness.wire.messages import Load
from harness.worker import select_model
from harness.worker.caps import brief
from harness.worker.runner import PRECISIONS, precision
from harness.worker.state_dict import BadWeights, read_state

__all__ = ["BadWeights", "Loaded", "load"]


@dataclass(frozen=True)
class Loaded:
    """A model in eval mode on its device. `declared` is the request as the model completed it."""

    model: nn.Module
    params: int
    declared: Load
    untrained: bool
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def data_range(self) -> float:
        """What the model takes and returns: 0 to this."""
        return self.declared.data_range


def load(request: Load) -> Loaded:
    """The model of a submission; BadWeights, or whatever its own code raises."""
    if request.form == "ntire":
        return _of_checkout(request)
    if request.form == "null":
        return Loaded(_Repeat(request.scale).eval(), 0, request, untrained=False)
    if request.form == "graph":
        return _of_graph(request)
    model = _ready(_built(request), request)
    params = _parameters(model)
    return Loaded(model, params, request, untrained=not request.weights and params > 0)


# float32 values that a null model writes, and how often: 2 ms, after which messages cost what they
# cost beside a network; without, 0.7 ms less of 8 (RLFN at 24 x 24)
_CACHES, _SWEEPS = 2**22, 8


class _Repeat(nn.Module):
    """Each pixel `scale` times along both axes: what every other model costs more than.

    Like a network it keeps its caller waiting and takes the caches: messages cost more then.
    """

    def __init__(self, scale: int) -> None:
        super().__init__()
        self._scale = scale

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Enlarge."""
        large = nn.functional.interpolate(image, scale_factor=float(self._scale), mode="nearest")
        for _ in range(_SWEEPS):
            torch.ones(_CACHES, device=image.device)
        return large


def _of_graph(request: Load) -> Loaded:
    from harness.worker.graph import rebuild  # most workers need none of it

    network, tensors = rebuild.read(Path(request.weights))
    model = rebuild.rebuild(network, tensors, device=request.device, deployed=bool(request.deploy))
    if request.channels_last:
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    params = _parameters(model)
    return Loaded(model, params, request, untrained=request.seeded and params > 0)


def _of_checkout(request: Load) -> Loaded:
    found = select_model.select(request)
    declared = replace(
        request, data_range=found.data_range, tile=found.tile, tile_overlap=found.overlap
    )
    model, notes = found.model, list(found.notes)  # it stands as the script leaves it
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    if precision(model) != "fp32":
        notes.append(f"select_model builds it in {precision(model)}, and so it is run")
    params = _parameters(model)
    untrained = found.untrained and params > 0
    return Loaded(model, params, declared, untrained, tuple(notes), found.files)


def _built(request: Load) -> nn.Module:
    folder = Path(request.folder)
    model = _attribute(folder, request.entry)(**json.loads(request.kwargs))
    if not isinstance(model, nn.Module):
        raise TypeError(f"{request.entry} returned {type(model).__name__}, not an nn.Module")
    if request.weights:
        _load_weights(model, request)
    return _deployed(folder, request.deploy, model) if request.deploy else model


def _ready(model: nn.Module, request: Load) -> nn.Module:
    """The model on its device, in evaluation mode."""
    where: dict[str, Any] = {"device": request.device, "dtype": PRECISIONS[request.precision]}
    try:
        model = model.to(**where).eval()
    except TypeError:  # some write a `to` of their own that takes a device alone
        model = nn.Module.to(model, **where).eval()
    if request.channels_last:
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model


def _parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def _attribute(folder: Path, entry: str) -> Callable[..., Any]:
    file, _, attribute = entry.partition(":")
    value: Any = _module(folder, file)
    for name in attribute.split("."):
        if not hasattr(value, name):
            raise AttributeError(f"{file}.py has no {attribute}")
        value = getattr(value, name)
    return value  # type: ignore[no-any-return]


def _module(folder: Path, file: str) -> ModuleType:
    """Import by path, once; the folder leads sys.path so that the file can import its siblings."""
    path = folder / f"{file}.py"
    for known in (sys.modules.get(file), sys.modules.get(f"submission_{file}")):
        if known is not None and getattr(known, "__file__", "") == str(path):
            return known
    # a name that is taken, json or torch say, is left to those who mean the other module
    taken = file in sys.stdlib_module_names or file in sys.modules
    name = f"submission_{file}" if taken else file
    if not path.is_file():
        raise FileNotFoundError(f"{file}.py is not in the submission's folder")
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} can't be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _load_weights(model: nn.Module, request: Load) -> None:
    state = read_state(
        Path(request.weights), key=request.weights_key, strip_prefix=request.strip_prefix
    )
    own = model.state_dict()
    common = own.keys() & state.keys()
    misshapen = {name for name in common if own[name].shape != state[name].shape}
    faults = [
        *brief(sorted(own.keys() - state.keys()), "missing"),
        *brief(sorted(state.keys() - own.keys()), "not in the model"),
        *brief(sorted(misshapen), "of another shape"),
    ]
    if faults:
        raise BadWeights(f"the weights do not fit the model: {'; '.join(faults)}")
    model.load_state_dict(state, strict=True)


def _deployed(folder: Path, deploy: str, model: nn.Module) -> nn.Module:
    fused = _attribute(folder, deploy)(model.eval())
    if not isinstance(fused, nn.Module):
        raise TypeError(f"{deploy} returned {type(fused).__name__}, not an nn.Module")
    return fused
