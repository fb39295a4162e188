"""Recipes: what a TOML file says of a training run, checked before anything starts."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from harness.documents import typed
from reference_models.training.faults import TrainingError, listed

RECIPES = Path(__file__).parent / "recipes"
LossName = Literal["l1", "l2", "psnr"]
ScheduleName = Literal["constant", "halving", "cosine", "one-cycle"]
StartName = Literal["random", "linear"]


@dataclass(frozen=True)
class Contrastive:
    """The contrastive term that a stage adds to its loss (RLFN, arXiv 2205.07514).

    The features are those of a convolution, a Tanh and a convolution of `channels` outputs, random
    at the start of the stage; `trained` lets the optimiser change them, else they stay as they are.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    weight: float
    channels: int = 32
    trained: bool = False

    def __post_init__(self) -> None:
        _raise(
            [
                *_positive("weight", self.weight),
                *_positive("channels", self.channels),
            ]
        )


@dataclass(frozen=True)
class Stage:
    """One stage: starts with the averaged weights of the one before and a new optimiser.

    `hr_patch` is the side of an HR patch in pixels. `halve_every` (iterations) belongs to the
    schedule `halving` and is 0 for every other one. Of `candidates` random patches the one with the
    most detail is trained on, so that a short run does not spend itself on skies.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    name: str
    iterations: int
    batch: int
    hr_patch: int
    loss: LossName
    learning_rate: float
    schedule: ScheduleName
    halve_every: int = 0
    candidates: int = 1
    contrastive: Contrastive | None = None

    def __post_init__(self) -> None:
        faults = [
            *_positive("iterations", self.iterations),
            *_positive("batch", self.batch),
            *_positive("hr_patch", self.hr_patch),
            *_positive("candidates", self.candidates),
            *_positive("learning_rate", self.learning_rate),
        ]
        if not self.name:
            faults.append("name must not be empty")
        if self.schedule == "halving" and self.halve_every < 1:
            faults.append("schedule halving needs halve_every, in iterations, of at least 1")
        if self.schedule != "halving" and self.halve_every:
            faults.append("halve_every belongs to schedule halving alone")
        _raise(faults)


@dataclass(frozen=True)
class Recipe:
    """How one reference model is trained.

    Every `validate_every` iterations, and at the end of a stage, PSNR is measured and a checkpoint
    written; every `log_every` the loss is logged. `validation_images` of the folder are kept from
    training, and a square of `validation_crop` pixels from the middle of each is what is measured.
    `start` says what the first stage begins with: PyTorch's random weights, or the same with the
    best linear filter for the images written into the first and last layer (`linear.py`).
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    id: str
    model: str  # a reference model's id
    description: str
    source: str  # where the settings were printed, and which of them are ours
    stages: tuple[Stage, ...]
    seed: int = 1
    start: StartName = "random"
    ema_decay: float = 0.999
    log_every: int = 50
    validate_every: int = 500
    validation_images: int = 4
    validation_crop: int = 256

    def __post_init__(self) -> None:
        faults = [
            *_positive("log_every", self.log_every),
            *_positive("validate_every", self.validate_every),
            *_positive("validation_images", self.validation_images),
            *_positive("validation_crop", self.validation_crop),
        ]
        if not 0 <= self.ema_decay < 1:
            faults.append(f"ema_decay must be in [0, 1), got {self.ema_decay}")
        if not 0 <= self.seed < 1 << 63:
            faults.append(f"seed must be in [0, 2^63), got {self.seed}")
        if not faults and self.validate_every % self.log_every:
            faults.append(
                f"validate_every ({self.validate_every}) must be a multiple of log_every "
                f"({self.log_every}), so that a checkpoint never parts a mean"
            )
        names = [stage.name for stage in self.stages]
        if not names:
            faults.append("stages must not be empty")
        if len(set(names)) < len(names):
            faults.append("two stages have the same name")
        _raise(faults)

    @property
    def iterations(self) -> int:
        """Of all stages."""
        return sum(stage.iterations for stage in self.stages)

    @property
    def largest_patch(self) -> int:
        """Side of the largest HR patch, in pixels."""
        return max(stage.hr_patch for stage in self.stages)

    @property
    def digest(self) -> str:
        """sha256 of everything that is said here."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def bundled() -> tuple[str, ...]:
    """The ids of the recipes that lie beside this file."""
    return tuple(sorted(path.stem for path in RECIPES.glob("*.toml")))


def read(name: str) -> Recipe:
    """The recipe of that id, or of that TOML file; TrainingError names every fault."""
    path = RECIPES / f"{name}.toml" if name in bundled() else Path(name)
    if path.suffix != ".toml" or not path.is_file():
        raise TrainingError(
            f"{name}: neither a TOML file nor a recipe; known are {', '.join(bundled())}"
        )
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        recipe = typed.build(Recipe, document)
    except typed.Faults as faults:
        raise listed(f"{path}: is no recipe; mend", faults.lines) from None
    except (OSError, ValueError, RecursionError) as error:
        raise TrainingError(f"{path}: {error}; a recipe is a TOML file") from None
    if recipe.id != path.stem:
        raise TrainingError(f"{path}: id {recipe.id!r} is not the file's name, {path.stem!r}")
    return recipe


def lengthened(recipe: Recipe, factor: float) -> Recipe:
    """The recipe with `factor` times the iterations in each stage, and of its halving."""
    if not 0 < factor < float("inf"):
        raise TrainingError(f"length must be a positive factor, got {factor}")
    stages = tuple(
        dataclasses.replace(
            stage,
            iterations=max(1, round(stage.iterations * factor)),
            halve_every=stage.halve_every and max(1, round(stage.halve_every * factor)),
        )
        for stage in recipe.stages
    )
    return dataclasses.replace(recipe, stages=stages)


def _positive(name: str, value: float) -> list[str]:
    return [] if 0 < value < float("inf") else [f"{name} must be positive, got {value}"]


def _raise(faults: list[str]) -> None:
    if faults:
        raise ValueError("; ".join(faults))
