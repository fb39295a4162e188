"""What trained weights reach on folders of images, beside the bicubic upscaling."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from harness.quality.bicubic import upscale
from reference_models.training import models, validate
from reference_models.training.faults import TrainingError
from reference_models.training.images import Pair

BICUBIC = "bicubic"


@dataclass(frozen=True)
class Origin:
    """What a file of weights says of where it comes from."""

    path: Path
    recipe: str
    model: str


@dataclass(frozen=True)
class Score:
    """One file of weights on one folder; dB of the profile `classic-y`."""

    psnr_db: tuple[float, ...]  # by image, in the order of their names
    gain_db: tuple[float, ...]  # the same over the bicubic upscaling

    @property
    def mean_db(self) -> float:
        """Mean over the images."""
        return statistics.fmean(self.psnr_db)

    @property
    def least_gain_db(self) -> float:
        """Gain over bicubic in the image where it is smallest."""
        return min(self.gain_db)


def origin(path: Path) -> Origin:
    """Read the provenance that the trainer wrote into a `.safetensors`; TrainingError without."""
    try:
        with safe_open(path, framework="pt") as file:
            said = json.loads(file.metadata()["training"])
        return Origin(path, str(said["recipe"]), str(said["model"]))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise TrainingError(
            f"{path}: is no file of weights that this trainer wrote ({error}); "
            "name a finished run's folder, or an exported .safetensors"
        ) from error


def measure(weights: Origin, pairs: Sequence[Pair]) -> Score:
    """PSNR of every image, with its LR by MATLAB's bicubic."""
    reference = models.find(weights.model)
    model = models.build(reference, seed=0)
    models.read_weights(weights.path, model, reference.id)
    model.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    found, gains = [], []
    for pair in pairs:
        sr = validate.super_resolved(model, pair, reference.data_range)
        found.append(validate.psnr_of(sr, pair))
        gains.append(found[-1] - validate.psnr_of(upscale(pair.lr, reference.scale), pair))
    return Score(tuple(found), tuple(gains))


def markdown(scores: Mapping[Origin, Mapping[str, Score]]) -> str:
    """A table of recipes: mean PSNR over their runs, and from the lowest run to the highest."""
    folders = list(next(iter(scores.values())))
    heads = [f"{name} (lowest to highest), least gain" for name in folders]
    lines = [
        "| recipe | model | runs | " + " | ".join(heads) + " |",
        "|---|---|---:|" + "---:|" * len(folders),
    ]
    groups: dict[tuple[str, str], list[Mapping[str, Score]]] = {}
    for weights, by_folder in scores.items():
        groups.setdefault((weights.recipe, weights.model), []).append(by_folder)
    for (recipe, model), runs in groups.items():
        cells = [_cell([run[name] for run in runs]) for name in folders]
        lines.append(f"| `{recipe}` | `{model}` | {len(runs)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(runs: Sequence[Score]) -> str:
    means = [run.mean_db for run in runs]
    least = min(run.least_gain_db for run in runs)
    spread = f" ({min(means):.3f} to {max(means):.3f})" if len(runs) > 1 else ""
    return f"{statistics.fmean(means):.3f}{spread}, {least:+.2f}"
