"""The training loop: stages, checkpoints, and going on after a kill.

A run is a function of recipe, images and thread count: random draws depend on seed, stage and
iteration, learning rates on stage and iteration, and everything else is in the checkpoint.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from reference_models.training import (
    average,
    batches,
    checkpoint,
    images,
    linear,
    log,
    models,
    validate,
)
from reference_models.training.checkpoint import Checkpoint, Identity
from reference_models.training.faults import TrainingError
from reference_models.training.images import Pair
from reference_models.training.losses import ShallowFeatures, contrastive_loss, pixel_loss
from reference_models.training.models import Reference
from reference_models.training.recipe import Recipe, Stage
from reference_models.training.schedule import learning_rate

CHECKPOINT, LOG, WEIGHTS = "checkpoint.pt", "log.jsonl", "weights.safetensors"
_FALL_DB = 6.0  # below the best validation so far, which no averaged weights do that still learn
_FEATURES_SEED = 7919  # added to the run's, so that features differ from the model's first layer


class Observer(Protocol):
    """Told of every iteration and row; what it raises ends the run."""

    def iteration(self, done: int) -> None:
        """`done` iterations of all stages."""

    def row(self, row: log.Row) -> None:
        """A row that was just logged."""


@dataclass(frozen=True, eq=False)
class Task:
    """What to train, on what, and where the files go."""

    recipe: Recipe
    reference: Reference
    training: Sequence[Pair]
    validation: Sequence[Pair]
    output: Path
    start: str = ""  # digest of the weights that `initial` holds, empty for random ones
    initial: nn.Module | None = None
    device: str = "cpu"

    @property
    def identity(self) -> Identity:
        """What its checkpoints belong to."""
        recipe = self.recipe
        data = images.digest([*self.training, *self.validation])
        return Identity(recipe.id, recipe.digest, self.reference.id, data, self.start)


@dataclass(eq=False)
class _State:
    """A run between two iterations."""

    model: nn.Module
    average: dict[str, Tensor]
    stage: int
    iteration: int = 0
    updates: int = 0
    seconds: float = 0.0
    optimiser: torch.optim.Adam | None = None
    features: nn.Module | None = None


def train(task: Task, observer: Observer, *, found: Checkpoint | None = None) -> Path:
    """Train, from the beginning or from a checkpoint that was found, and write the weights.

    Returns the file of the averaged weights. TrainingError if the loss is no number any more; the
    last checkpoint then stands.
    """
    identity = task.identity
    state = _begun(task, _first_weights(task)) if found is None else _resumed(task, found)
    torch.use_deterministic_algorithms(True, warn_only=task.device != "cpu")
    if found is None:
        _save(task, identity, state)
    log.cut(task.output / LOG, _done(task, state))
    while True:
        _run_stage(task, identity, state, observer)
        if state.stage + 1 == len(task.recipe.stages):
            break
        state.model.load_state_dict(state.average)
        _enter_stage(task, state, state.stage + 1)
        _save(task, identity, state)
    return _export(task, state)


def _first_weights(task: Task) -> nn.Module:
    if task.initial is not None:
        return task.initial
    model = models.build(task.reference, seed=task.recipe.seed)
    if task.recipe.start == "linear":
        fitted = linear.fit(task.training, scale=task.reference.scale, seed=task.recipe.seed)
        linear.write(model, fitted, scale=task.reference.scale, white=task.reference.data_range)
    return model


def _begun(task: Task, model: nn.Module) -> _State:
    model.to(task.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    state = _State(model, average.copied(model), stage=0)
    _enter_stage(task, state, 0)
    return state


def _enter_stage(task: Task, state: _State, number: int) -> None:
    """A new optimiser, average and extractor, on the weights that are in the model."""
    stage = task.recipe.stages[number]
    state.stage, state.iteration, state.updates = number, 0, 0
    state.average = average.copied(state.model)
    state.features = None
    if stage.contrastive is not None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(task.recipe.seed + _FEATURES_SEED + number)
            state.features = ShallowFeatures(stage.contrastive).to(task.device)
    trained = [*state.model.parameters()]
    if state.features is not None and stage.contrastive is not None and stage.contrastive.trained:
        trained += state.features.parameters()
    state.optimiser = torch.optim.Adam(trained, lr=stage.learning_rate, fused=True)


def _resumed(task: Task, found: Checkpoint) -> _State:
    state = _begun(task, models.build(task.reference, seed=task.recipe.seed))
    state.model.load_state_dict(found.model)
    _enter_stage(task, state, found.stage)
    for name, value in found.average.items():
        state.average[name].copy_(value)
    if state.optimiser is not None:
        state.optimiser.load_state_dict(found.optimiser)
    if state.features is not None:
        state.features.load_state_dict(found.features)
    state.iteration, state.updates, state.seconds = found.iteration, found.updates, found.seconds
    return state


def _run_stage(task: Task, identity: Identity, state: _State, observer: Observer) -> None:
    stage = task.recipe.stages[state.stage]
    total, steps, began = 0.0, 0, time.monotonic()
    while state.iteration < stage.iterations:
        total += float(_step(task, state, stage))
        steps += 1
        if state.iteration % task.recipe.log_every == 0 or state.iteration == stage.iterations:
            now = time.monotonic()
            state.seconds += now - began
            began = now
            _report(task, identity, state, observer, total / steps)
            total, steps = 0.0, 0
        observer.iteration(_done(task, state))


def _step(task: Task, state: _State, stage: Stage) -> Tensor:
    """One iteration; its loss."""
    assert state.optimiser is not None  # noqa: S101 - a stage was entered
    key = (task.recipe.seed, state.stage)
    batch = batches.draw(
        task.training, stage, scale=task.reference.scale, key=key, iteration=state.iteration
    )
    for group in state.optimiser.param_groups:
        group["lr"] = learning_rate(stage, state.iteration)
    state.optimiser.zero_grad(set_to_none=True)
    loss = _loss(task, state, stage, batch)
    loss.backward()  # type: ignore[no-untyped-call]
    state.optimiser.step()
    average.update(state.average, state.model, decay=task.recipe.ema_decay, updates=state.updates)
    state.iteration += 1
    state.updates += 1
    return loss.detach()


def _loss(task: Task, state: _State, stage: Stage, batch: batches.Batch) -> Tensor:
    lr, hr = batch.lr.to(task.device), batch.hr.to(task.device)
    white = task.reference.data_range
    sr = state.model(lr * white) / white
    loss = pixel_loss(stage.loss, sr, hr)
    if stage.contrastive is None or state.features is None or batch.bicubic is None:
        return loss
    bicubic = batch.bicubic.to(task.device)
    return loss + stage.contrastive.weight * contrastive_loss(state.features, sr, hr, bicubic)


def _report(task: Task, identity: Identity, state: _State, observer: Observer, loss: float) -> None:
    stage = task.recipe.stages[state.stage]
    if not math.isfinite(loss):
        raise _diverged(stage, state, f"the loss is {loss}")
    due = state.iteration % task.recipe.validate_every == 0 or state.iteration == stage.iterations
    rate = learning_rate(stage, state.iteration - 1)
    psnr = _validated(task, state) if due else None
    if psnr is not None:
        _refuse_a_fall(task, state, psnr)
    row = log.Row(stage.name, _done(task, state), rate, loss, round(state.seconds, 3), psnr)
    log.append(task.output / LOG, row)
    if due:
        _save(task, identity, state)
    observer.row(row)


def _refuse_a_fall(task: Task, state: _State, psnr: float) -> None:
    """A loss can explode and stay a number."""
    so_far = [it.psnr_db for it in log.read(task.output / LOG) if it.psnr_db is not None]
    if so_far and psnr < max(so_far) - _FALL_DB:
        stage = task.recipe.stages[state.stage]
        raise _diverged(stage, state, f"PSNR fell from {max(so_far):.2f} to {psnr:.2f} dB")


def _diverged(stage: Stage, state: _State, sign: str) -> TrainingError:
    return TrainingError(
        f"{sign} in stage {stage.name!r}, iteration {state.iteration}: the training diverged; "
        "lower learning_rate in the recipe and use another --output"
    )


def _validated(task: Task, state: _State) -> float:
    """PSNR of the averaged weights."""
    own = average.copied(state.model)
    state.model.load_state_dict(state.average)
    crops = [
        images.centre_crop(pair, side=task.recipe.validation_crop, scale=task.reference.scale)
        for pair in task.validation
    ]
    white = task.reference.data_range
    psnr = validate.mean_psnr_db(state.model, crops, data_range=white)
    state.model.load_state_dict(own)
    return psnr


def _done(task: Task, state: _State) -> int:
    """Iterations of all stages so far."""
    return sum(it.iterations for it in task.recipe.stages[: state.stage]) + state.iteration


def _save(task: Task, identity: Identity, state: _State) -> None:
    optimiser: dict[str, Any] = state.optimiser.state_dict() if state.optimiser else {}
    features = state.features.state_dict() if state.features else {}
    now = Checkpoint(
        identity=identity,
        stage=state.stage,
        iteration=state.iteration,
        updates=state.updates,
        seconds=state.seconds,
        threads=torch.get_num_threads(),
        model=dict(state.model.state_dict()),
        average=state.average,
        optimiser=optimiser,
        features=dict(features),
    )
    checkpoint.write(task.output / CHECKPOINT, now)


def _export(task: Task, state: _State) -> Path:
    path = task.output / WEIGHTS
    models.write_weights(path, state.average, about=about(task.identity, _done(task, state)))
    return path


def about(identity: Identity, iterations: int) -> dict[str, object]:
    """What a file of weights says of where it comes from."""
    return {**vars(identity), "iterations": iterations}
