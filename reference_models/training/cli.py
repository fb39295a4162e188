"""argv to training runs. Exit code 2 for what a person can put right, 130 after Ctrl-C."""

from __future__ import annotations

import dataclasses
import hashlib
import sys
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console

from harness.documents import atomic
from reference_models.training import checkpoint, images, log, models, plot, recipe, score, trainer
from reference_models.training.faults import TrainingError, listed
from reference_models.training.output import claimed
from reference_models.training.progress import Bar

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
_CONSOLE = Console(stderr=True)


def main() -> None:
    """Run the command line; faults become one message and exit code 2."""
    try:
        app(prog_name="python -m reference_models.training")
    except (TrainingError, atomic.WriteError) as error:
        _CONSOLE.print(f"error: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)


@app.command("list")
def show_recipes() -> None:
    """Show the recipes."""
    for name in recipe.bundled():
        one = recipe.read(name)
        typer.echo(
            f"{name:24} {one.model:16} {len(one.stages)} stages, {one.iterations:>9,} iterations  "
            f"{one.description}"
        )


@app.command()
def run(
    recipe_name: Annotated[str, typer.Argument(metavar="RECIPE", help="Id, or a TOML file.")],
    image_folder: Annotated[Path, typer.Option("--images", help="Folder of HR images.")],
    output: Annotated[Path, typer.Option(help="Folder for checkpoint, log and weights.")],
    validation: Annotated[
        Path | None, typer.Option(help="Folder of validation images, instead of some of --images.")
    ] = None,
    model: Annotated[str, typer.Option(help="Another reference model than the recipe's.")] = "",
    seed: Annotated[int | None, typer.Option(help="Another seed than the recipe's.")] = None,
    length: Annotated[float, typer.Option(help="Times the iterations of every stage.")] = 1.0,
    start: Annotated[Path | None, typer.Option(help="A .safetensors to begin with.")] = None,
    shrink_jpegs: Annotated[int, typer.Option(help="Shrink JPEGs by this first.", min=1)] = 1,
    threads: Annotated[int, typer.Option(help="CPU threads; 0: as before.", min=0)] = 0,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    """Train by a recipe. The same command goes on with a run that was stopped or killed."""
    if device not in ("cpu", "cuda") or (device == "cuda" and not torch.cuda.is_available()):
        raise TrainingError(f"--device {device}: is not at hand; use cpu, or cuda with a GPU")
    chosen = _chosen(recipe_name, model=model, seed=seed, length=length)
    reference = models.find(chosen.model)
    _check_patches(chosen, reference)
    with claimed(output, trainer.CHECKPOINT) as found_path:
        found = checkpoint.read(found_path) if found_path else None
        initial, start_digest = _start(start, reference, chosen.seed)
        training, validating = _pairs(chosen, reference, image_folder, validation, shrink_jpegs)
        task = trainer.Task(
            chosen, reference, training, validating, output, start_digest, initial, device
        )
        if found_path and found:
            checkpoint.require_same(found_path, found.identity, task.identity)
        _set_threads(threads, found)
        done = _done(chosen, found)
        with Bar(_CONSOLE, total=chosen.iterations, done=done) as bar:
            weights = _trained(task, bar, found)
    typer.echo(f"weights: {weights}")


@app.command()
def export(
    output: Annotated[Path, typer.Argument(help="Folder of a run.")],
    to: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
    half: Annotated[bool, typer.Option(help="In half precision.")] = False,
    force: Annotated[bool, typer.Option(help="Overwrite the file.")] = False,
) -> None:
    """Write the averaged weights of a run, finished or not."""
    _require_new(to, (".safetensors",), force=force)
    found = checkpoint.read(output / trainer.CHECKPOINT)
    rows = log.read(output / trainer.LOG)
    about: dict[str, object] = trainer.about(found.identity, rows[-1].iteration if rows else 0)
    models.write_weights(to, found.average, about=about, half=half)
    typer.echo(f"weights: {to}")


@app.command("plot")
def draw(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs.")],
    to: Annotated[Path, typer.Option(help="File to write: .svg, .png or .pdf.")],
    force: Annotated[bool, typer.Option(help="Overwrite the file.")] = False,
) -> None:
    """Draw loss and validation PSNR of runs."""
    _require_new(to, plot.FORMATS, force=force)
    plot.write(to, {str(folder): log.read(folder / trainer.LOG) for folder in runs})
    typer.echo(f"plot: {to}")


@app.command("score")
def measure(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs, or .safetensors files.")],
    image_folders: Annotated[list[Path], typer.Option("--images", help="Folder of HR images.")],
    to: Annotated[Path | None, typer.Option(help="Write the table to this .md file too.")] = None,
    force: Annotated[bool, typer.Option(help="Overwrite the file.")] = False,
) -> None:
    """Show PSNR (luma) on folders of images: recipes as rows, runs of different seeds together."""
    if to is not None:
        _require_new(to, (".md",), force=force)
    found = [score.origin(run / trainer.WEIGHTS if run.is_dir() else run) for run in runs]
    scores: dict[score.Origin, dict[str, score.Score]] = {}
    for one in found:
        reference = models.find(one.model)
        side, scale = models.smallest_hr_side(reference), reference.scale
        scores[one] = {
            str(folder): score.measure(
                one, images.read_folder(folder, scale=scale, smallest_side=side)
            )
            for folder in image_folders
        }
    table = score.markdown(scores)
    typer.echo(table, nl=False)
    if to is not None:
        atomic.write(to, table.encode())


def _trained(task: trainer.Task, bar: Bar, found: checkpoint.Checkpoint | None) -> Path:
    try:
        return trainer.train(task, bar, found=found)
    except KeyboardInterrupt:
        _CONSOLE.print("stopped; the same command goes on from the last checkpoint")
        raise typer.Exit(130) from None


def _chosen(name: str, *, model: str, seed: int | None, length: float) -> recipe.Recipe:
    chosen = recipe.lengthened(recipe.read(name), length)
    seed = chosen.seed if seed is None else seed
    try:
        return dataclasses.replace(chosen, model=model or chosen.model, seed=seed)
    except ValueError as error:
        raise TrainingError(f"--seed: {error}") from None


def _check_patches(chosen: recipe.Recipe, reference: models.Reference) -> None:
    faults = [
        f"stage {stage.name!r}: {fault}"
        for stage in chosen.stages
        for fault in models.check_patch(reference, stage.hr_patch)
    ]
    if faults:
        raise listed(f"recipe {chosen.id} does not fit model {reference.id}:", faults)


def _start(
    path: Path | None, reference: models.Reference, seed: int
) -> tuple[torch.nn.Module | None, str]:
    if path is None:
        return None, ""
    model = models.build(reference, seed=seed)
    models.read_weights(path, model, reference.id)
    return model, hashlib.sha256(path.read_bytes()).hexdigest()


def _pairs(
    chosen: recipe.Recipe,
    reference: models.Reference,
    folder: Path,
    validation: Path | None,
    shrink_jpegs: int,
) -> tuple[tuple[images.Pair, ...], tuple[images.Pair, ...]]:
    scale = reference.scale
    pairs = images.read_folder(
        folder, scale=scale, smallest_side=chosen.largest_patch, shrink_jpegs=shrink_jpegs
    )
    if validation is None:
        return images.split(pairs, chosen.validation_images)
    smallest = models.smallest_hr_side(reference)
    return pairs, images.read_folder(validation, scale=scale, smallest_side=smallest)


def _set_threads(threads: int, found: checkpoint.Checkpoint | None) -> None:
    before = found.threads if found else torch.get_num_threads()
    if found and threads and threads != before:
        _CONSOLE.print(
            f"note: the run began with {before} threads; with {threads} its weights will not be "
            "bit-identical to those of an undisturbed run"
        )
    torch.set_num_threads(threads or before)


def _done(chosen: recipe.Recipe, found: checkpoint.Checkpoint | None) -> int:
    if found is None:
        return 0
    return sum(it.iterations for it in chosen.stages[: found.stage]) + found.iteration


def _require_new(path: Path, suffixes: tuple[str, ...], *, force: bool) -> None:
    if path.suffix.lower() not in suffixes:
        raise TrainingError(f"{path}: the file's name must end in {' or '.join(suffixes)}")
    if path.exists() and not force:
        raise TrainingError(f"{path} exists; name another file or say --force")
