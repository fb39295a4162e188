"""Checkpoints: everything from which a killed run goes on, in one file, whole or not there."""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch

from harness.documents import atomic
from reference_models.training.faults import TrainingError, listed

_FORMAT = 1


@dataclass(frozen=True)
class Identity:
    """What a checkpoint belongs to; a run goes on only from one of its own."""

    recipe: str
    recipe_digest: str
    model: str
    images: str  # digest of the training images' pixels
    start: str  # digest of the weights it began with, empty for random ones


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The state after `iteration` iterations of stage number `stage`.

    Patches and learning rates follow from seed, stage and iteration, so no generator or schedule
    needs saving.
    """

    identity: Identity
    stage: int
    iteration: int  # of the stage
    updates: int  # of the average, in this stage
    seconds: float  # spent training
    threads: int
    model: dict[str, Any]
    average: dict[str, Any]
    optimiser: dict[str, Any]
    features: dict[str, Any]  # of the contrastive loss; empty where the stage has none


def write(path: Path, checkpoint: Checkpoint) -> None:
    """Write the file at once or not at all."""
    content = {field.name: getattr(checkpoint, field.name) for field in fields(Checkpoint)}
    content["identity"] = vars(checkpoint.identity)
    buffer = io.BytesIO()
    torch.save({"format": _FORMAT, **content}, buffer)
    atomic.write(path, buffer.getvalue())


def read(path: Path) -> Checkpoint:
    """Read what `write` wrote; TrainingError for anything else. Never runs code from the file."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        if content.pop("format") != _FORMAT:
            raise TrainingError(f"{path} was written by another version; use another --output")
        identity = Identity(**content.pop("identity"))
        return Checkpoint(identity=identity, **content)
    except OSError as error:
        raise TrainingError(f"{path} can't be read: {error.strerror or error}") from error
    except (RuntimeError, pickle.UnpicklingError, EOFError, LookupError) as error:
        raise _damaged(path) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise _damaged(path) from error


def require_same(path: Path, found: Identity, expected: Identity) -> None:
    """TrainingError unless the checkpoint at `path` belongs to this very run."""
    faults = [
        f"{words}: there {theirs[:40] or 'random'}, now {ours[:40] or 'random'}"
        for name, words in _WORDS.items()
        if (theirs := getattr(found, name)) != (ours := getattr(expected, name))
    ]
    if faults:
        raise listed(
            f"{path} belongs to another run; use another --output, or the same settings:", faults
        )


_WORDS = {
    "recipe": "recipe",
    "recipe_digest": "settings of the recipe, seed included",
    "model": "model",
    "images": "training images",
    "start": "weights to start from",
}


def _damaged(path: Path) -> TrainingError:
    return TrainingError(f"{path} is no checkpoint or is damaged; use another --output")
