"""Build a submission's model: import its file, call its entry, load its weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from harness.wire.messages import Load
from harness.worker import select_model
from harness.worker.fitting import fit
from harness.worker.modules import attribute
from harness.worker.runner import PRECISIONS, precision
from harness.worker.state_dict import BadWeights, WeightsLayout, read_parts
from harness.worker.unscripted import unscripted
from harness.worker.weights_search import search
from harness.worker.wrappers import as_declared, initialised, is_compiled, unwrapped

__all__ = ["BadWeights", "Loaded", "load"]


@dataclass(frozen=True)
class Loaded:
    """A model in eval mode on its device. `declared` is the request as the model completed it.

    `runtime` is what runs it, "" for torch; `counted` then makes the module of torch that stands
    for it in counts.
    """

    model: nn.Module
    params: int
    declared: Load
    untrained: bool
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    runtime: str = ""
    counted: Callable[[], nn.Module] | None = None

    @property
    def data_range(self) -> float:
        """What white is in its input and output."""
        return self.declared.data_range


def load(request: Load) -> Loaded:
    """The model of a submission; BadWeights, or whatever its own code raises."""
    if request.form == "ntire":
        return _of_checkout(request)
    if request.form == "null":
        return Loaded(_Repeat(request.scale).eval(), 0, request, untrained=False)
    if request.form == "graph":
        return _of_graph(request)
    if request.entry.lower().endswith(".onnx"):
        return _of_onnx(request)
    built, notes = _built(request)
    model = as_declared(_ready(built, request), request)
    params = _parameters(model)
    return Loaded(model, params, request, not request.weights and params > 0, notes)


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
    model = rebuild.rebuild(
        network,
        tensors,
        device=request.device,
        deployed=bool(request.deploy),
        channels=request.channels,
    )
    if request.channels_last:
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    params = _parameters(model)
    return Loaded(model, params, request, untrained=request.seeded and params > 0)


def _of_onnx(request: Load) -> Loaded:
    from harness.worker.exchanged.onnx_session import onnx_model  # few workers need it

    found = onnx_model(
        Path(request.weights), channels=request.channels, multiple=request.pad_to_multiple
    )
    make = found.counted
    if make is not None and request.device != "cpu":
        raise BadWeights(f"its network is run on a CPU alone: {found.note}")

    def module(of: nn.Module) -> nn.Module:
        return as_declared(_ready(of, request), request)

    model = module(found.module)
    if make is None:
        return Loaded(model, _parameters(model), request, untrained=False)
    return Loaded(
        model,
        _parameters(make()),
        request,
        untrained=False,
        notes=(found.note,),
        runtime=found.runtime,
        counted=lambda: module(make()),
    )


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


def _built(request: Load) -> tuple[nn.Module, tuple[str, ...]]:
    """The entry's model with its weights, and what a reader should know of it."""
    folder, notes = Path(request.folder), []
    with unscripted() as asked:
        made = _called(attribute(folder, request.entry), request)
    if asked:
        called = " and ".join(f"torch.jit.{name}" for name in sorted(asked))
        notes.append(f"{called} left its modules as they are written: those are measured")
    if not isinstance(made, nn.Module):
        raise TypeError(f"{request.entry} returned {type(made).__name__}, not an nn.Module")
    model = unwrapped(made)
    if is_compiled(made):
        notes.append(f"{request.entry} returns what torch.compile made; `compile` declares that")
    elif model is not made:
        notes.append(f"{request.entry} returns a {type(made).__name__}; the module in it is run")
    if initialised(as_declared(model, request), request):
        notes.append("its lazy modules were given their shapes by a trial forward")
    if request.weights:
        notes += _weighted(model, request)
    return (_deployed(folder, request.deploy, model) if request.deploy else model), tuple(notes)


def _called(make: Any, request: Load) -> Any:
    given = json.loads(request.kwargs)
    try:
        return make(**given)
    except TypeError as error:
        if error.__traceback__ is None or error.__traceback__.tb_next is not None:
            raise  # of its own code
        said = ", ".join(given) or "nothing"
        raise TypeError(f"{error}: kwargs in submission.toml give it {said}") from None


def _weighted(model: nn.Module, request: Load) -> tuple[str, ...]:
    """Load a request's weights, and tell what was found in their file without being declared."""
    path = Path(request.weights)
    layout = WeightsLayout(request.weights_key, request.strip_prefix, request.ignore_keys)
    own, parts = model.state_dict(), read_parts(path, layout)
    found = search(own, parts, layout, path.name)
    if found is None:
        near = max(parts, key=lambda part: (len(own.keys() & part.tensors.keys()), -len(part.path)))
        fit(model, near.tensors, "" if near.key == layout.key else near.key)  # says what is wrong
        return ()
    fit(model, found.state)
    return (found.note,) if found.note else ()


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


def _deployed(folder: Path, deploy: str, model: nn.Module) -> nn.Module:
    fused = attribute(folder, deploy)(model.eval())
    if not isinstance(fused, nn.Module):
        raise TypeError(f"{deploy} returned {type(fused).__name__}, not an nn.Module")
    return fused
