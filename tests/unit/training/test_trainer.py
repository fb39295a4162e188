"""Whole runs of a dozen iterations: the same every time, killed or not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from reference_models.training import checkpoint, images, log, models, recipe, trainer
from reference_models.training.faults import TrainingError

REPOSITORY = Path(__file__).resolve().parents[3]


class StoppedError(Exception):
    """What a test raises in the middle of a run."""


@dataclass
class Watcher:
    """An observer that remembers rows and may stop the run after an iteration."""

    stop_after: int = -1
    rows: list[log.Row] = field(default_factory=list)

    def iteration(self, done: int) -> None:
        if done == self.stop_after:
            raise StoppedError

    def row(self, row: log.Row) -> None:
        self.rows.append(row)


def _task(recipe_file: Path, photographs: Path, output: Path) -> trainer.Task:
    one = recipe.read(str(recipe_file))
    reference = models.find(one.model)
    pairs = images.read_folder(photographs, scale=reference.scale, smallest_side=one.largest_patch)
    training, validation = images.split(pairs, one.validation_images)
    return trainer.Task(one, reference, training, validation, output)


def _found(task: trainer.Task) -> checkpoint.Checkpoint:
    return checkpoint.read(task.output / trainer.CHECKPOINT)


def _without_seconds(path: Path) -> list[tuple[object, ...]]:
    return [
        (it.stage, it.iteration, it.learning_rate, it.loss, it.psnr_db) for it in log.read(path)
    ]


def test_two_runs_of_one_seed_are_bit_identical_and_another_seed_is_not(
    photographs: Path, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    first, again = (
        trainer.train(_task(write_recipe(), photographs, tmp_path / name), Watcher())
        for name in ("first", "again")
    )
    other = trainer.train(_task(write_recipe(seed=4), photographs, tmp_path / "other"), Watcher())
    assert first.read_bytes() == again.read_bytes()
    assert first.read_bytes() != other.read_bytes()


# 3: before the first validation; 4: at it; 7: the stage's end; 9: middle of the second stage
@pytest.mark.parametrize("stop_after", [1, 3, 4, 5, 7, 9, 12, 13])
def test_a_run_that_was_stopped_ends_as_an_undisturbed_one(
    photographs: Path, tmp_path: Path, write_recipe: Callable[..., Path], stop_after: int
) -> None:
    whole = _task(write_recipe(), photographs, tmp_path / "whole")
    expected = trainer.train(whole, Watcher()).read_bytes()
    stopped = _task(write_recipe(), photographs, tmp_path / "stopped")
    with pytest.raises(StoppedError):
        trainer.train(stopped, Watcher(stop_after))
    weights = trainer.train(stopped, Watcher(), found=_found(stopped))
    assert weights.read_bytes() == expected
    assert _without_seconds(stopped.output / trainer.LOG) == _without_seconds(
        whole.output / trainer.LOG
    )


def test_a_run_that_is_killed_ends_as_an_undisturbed_one(
    photographs: Path, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    path = write_recipe(second=40)
    output = tmp_path / "killed"
    argv = [sys.executable, "-m", "reference_models.training", "run", str(path)]
    argv += ["--images", str(photographs), "--output", str(output), "--threads", "1"]
    python_path = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": python_path}
    with subprocess.Popen(argv, env=environment, stderr=subprocess.DEVNULL) as process:
        _wait_for_iteration(output / trainer.LOG, 12, process)
        process.send_signal(signal.SIGKILL)
    done = log.read(output / trainer.LOG)[-1].iteration
    assert done < 47
    finished = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    undisturbed = trainer.train(_task(path, photographs, tmp_path / "whole"), Watcher())
    assert (output / trainer.WEIGHTS).read_bytes() == undisturbed.read_bytes()


def _wait_for_iteration(path: Path, iteration: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if path.exists() and any(row.iteration >= iteration for row in log.read(path)):
            return
        time.sleep(0.02)
    pytest.fail(f"the run ended ({process.poll()}) or never came to iteration {iteration}")


def test_the_log_has_a_row_at_every_interval_and_every_end_of_a_stage(
    photographs: Path, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    watcher = Watcher()
    task = _task(write_recipe(), photographs, tmp_path / "run")
    trainer.train(task, watcher)
    rows = log.read(task.output / trainer.LOG)
    assert [it.iteration for it in rows] == [2, 4, 6, 7, 9, 11, 13]
    assert [it.iteration for it in rows if it.psnr_db is not None] == [4, 7, 11, 13]
    assert [it.stage for it in rows] == ["first"] * 4 + ["second"] * 3
    assert tuple(watcher.rows) == rows


def test_the_weights_have_the_models_names_and_are_the_average(
    photographs: Path, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    task = _task(write_recipe(), photographs, tmp_path / "run")
    weights = load_file(trainer.train(task, Watcher()))
    models.build(task.reference, seed=0).load_state_dict(weights)
    found = _found(task)
    assert all(torch.equal(weights[name], found.average[name]) for name in weights)
    assert any(not torch.equal(weights[name], found.model[name]) for name in weights)


@pytest.mark.parametrize("model", ["fasterrfdn_x4", "imdn_ntire_x4", "rfdn_x4", "rlfn_x2"])
def test_every_architecture_and_both_scales_can_be_trained(
    photographs: Path, tmp_path: Path, write_recipe: Callable[..., Path], model: str
) -> None:
    path = write_recipe(model=model, second=1)
    text = path.read_text().replace("iterations = 7", "iterations = 1").replace('"l1"', '"psnr"')
    path.write_text(text)
    task = _task(path, photographs, tmp_path / "run")
    weights = load_file(trainer.train(task, Watcher()))
    began = models.build(task.reference, seed=task.recipe.seed).state_dict()
    assert all(not torch.equal(weights[name], began[name]) for name in began)


def test_training_lowers_the_loss(
    photographs: Path, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    path = write_recipe()
    path.write_text(path.read_text().replace("iterations = 7", "iterations = 40"))
    watcher = Watcher()
    trainer.train(_task(path, photographs, tmp_path / "run"), watcher)
    of_first = [row.loss for row in watcher.rows if row.stage == "first"]
    assert of_first[-1] < 0.7 * of_first[0]


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_checkpoint(
    photographs: Path, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    path = write_recipe()
    path.write_text(path.read_text().replace("learning_rate = 1e-3", "learning_rate = 1e30"))
    task = _task(path, photographs, tmp_path / "run")
    with pytest.raises(TrainingError, match="'first', iteration 2: the training diverged"):
        trainer.train(task, Watcher())
    assert _found(task).iteration == 0
    assert not (task.output / trainer.WEIGHTS).exists()


def test_a_loss_that_explodes_and_stays_a_number_stops_the_run_too(
    photographs: Path, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    path = write_recipe(second=8)
    path.write_text(path.read_text().replace("learning_rate = 1e-4", "learning_rate = 0.03"))
    task = _task(path, photographs, tmp_path / "run")
    with pytest.raises(TrainingError, match=r"PSNR fell from .* dB in stage 'second', iteration 4"):
        trainer.train(task, Watcher())
    assert _found(task).iteration == 0
    assert [it.iteration for it in log.read(task.output / trainer.LOG)][-1] == 9
