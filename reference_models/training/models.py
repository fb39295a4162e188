"""Reference models by id, built from their manifests, and their weights."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from harness.core.submission import Submission
from harness.documents import atomic
from harness.entries import catalogue
from harness.entries.manifest import MANIFEST
from reference_models.training.faults import TrainingError, listed

REFERENCES = Path(__file__).parents[1]
_SMALLEST_LR_SIDE = 15  # what the spatial attention of RLFN, RFDN and FasterRFDN needs
_SHOWN = 6


@dataclass(frozen=True)
class Reference:
    """A reference model, and what its manifest says of it."""

    id: str
    folder: Path
    submission: Submission

    @property
    def scale(self) -> int:
        """Side of an HR patch over side of its LR patch."""
        return self.submission.scale

    @property
    def data_range(self) -> float:
        """White, as the model takes and returns it."""
        return self.submission.black_and_white[1]


def find(model_id: str) -> Reference:
    """The reference model of that id; TrainingError names the known ones."""
    known = {
        one.id: Reference(one.id, one.folder, one.submission)
        for folder in sorted(REFERENCES.iterdir())
        if (folder / MANIFEST).is_file()
        for one in catalogue.read_folder(folder)
        if isinstance(one, catalogue.Entry)
    }
    if model_id not in known:
        raise TrainingError(f"no reference model {model_id!r}: known are {', '.join(known)}")
    return known[model_id]


def build(reference: Reference, *, seed: int) -> nn.Module:
    """The model with weights that depend on `seed` alone, as PyTorch initialises its layers."""
    module_name, _, attribute = reference.submission.entry.partition(":")
    path = reference.folder / f"{module_name}.py"
    spec = importlib.util.spec_from_file_location(f"reference_{reference.folder.name}", path)
    if spec is None or spec.loader is None:
        raise TrainingError(f"{path} can't be imported; restore the reference model's folder")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model: nn.Module = getattr(module, attribute)(**reference.submission.kwargs)
    return model


def smallest_hr_side(reference: Reference) -> int:
    """Side in pixels of the smallest HR image whose LR image every model can take."""
    return _SMALLEST_LR_SIDE * reference.scale


def check_patch(reference: Reference, hr_patch: int) -> list[str]:
    """What is wrong with a patch of that side for that model."""
    if hr_patch % reference.scale:
        return [f"hr_patch {hr_patch} is no multiple of the scale {reference.scale}"]
    if hr_patch // reference.scale < _SMALLEST_LR_SIDE:
        return [f"hr_patch {hr_patch} is too small: the LR patch needs {_SMALLEST_LR_SIDE} pixels"]
    return []


def read_weights(path: Path, model: nn.Module, model_id: str) -> None:
    """Load a `.safetensors` file into the model; TrainingError if it is another model's."""
    try:
        weights = load(path.read_bytes())
    except OSError as error:
        raise TrainingError(f"{path} can't be read: {error.strerror}") from error
    except (SafetensorError, ValueError, KeyError) as error:
        raise TrainingError(f"{path} is no safetensors file: {error}") from error
    faults = _differences(weights, model.state_dict())
    if faults:
        raise listed(f"{path} holds weights of another model than {model_id}:", faults)
    model.load_state_dict(weights)


def write_weights(
    path: Path, weights: Mapping[str, Tensor], *, about: Mapping[str, object], half: bool = False
) -> None:
    """Write weights as `.safetensors`, in half precision if so asked; the same bytes every time."""
    dtype = torch.float16 if half else torch.float32
    stored = {name: value.cpu().to(dtype).contiguous() for name, value in weights.items()}
    # one entry: safetensors writes several in an order that changes from process to process
    metadata = {"training": json.dumps(about, sort_keys=True)}
    atomic.write(path, save(stored, metadata))


def _differences(weights: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> list[str]:
    faults = [f"{name} is missing" for name in own if name not in weights]
    faults += [f"{name} is unknown to the model" for name in weights if name not in own]
    faults += [
        f"{name} is {tuple(weights[name].shape)}, the model's is {tuple(own[name].shape)}"
        for name in own
        if name in weights and weights[name].shape != own[name].shape
    ]
    more = len(faults) - _SHOWN
    return [*faults[:_SHOWN], f"and {more} more"] if more > 0 else faults
