from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from harness.entries import catalogue
from harness.entries.manifest import MANIFEST
from reference_models.training import cli, models, trainer

REPOSITORY = Path(__file__).resolve().parents[3]
Run = Callable[..., tuple[int, str]]


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def finished(
    run: Run, photographs: Path, tmp_path: Path, write_recipe: Callable[..., Path]
) -> Path:
    """The folder of a finished run."""
    output = tmp_path / "finished"
    code, text = run("run", write_recipe(), "--images", photographs, "--output", output)
    assert code == 0, text
    return output


def test_a_finished_run_is_left_as_it_is_by_the_same_command(
    run: Run, finished: Path, photographs: Path, tmp_path: Path
) -> None:
    before = _files(finished)
    recipe_file = tmp_path / "tiny.toml"
    code, _ = run("run", recipe_file, "--images", photographs, "--output", finished)
    assert code == 0
    assert _files(finished) == before
    assert sorted(before) == [trainer.CHECKPOINT, trainer.LOG, trainer.WEIGHTS]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("--seed", "9"), "settings of the recipe"),
        (("--model", "imdn_x4"), "model"),
        (("--length", "2"), "settings of the recipe"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused_and_kept(
    run: Run, finished: Path, photographs: Path, tmp_path: Path, change: tuple[str, ...], words: str
) -> None:
    before = _files(finished)
    argv = ("run", tmp_path / "tiny.toml", "--images", photographs, "--output", finished, *change)
    code, text = run(*argv)
    assert code == 2
    assert "belongs to another run" in text
    assert words in text
    assert _files(finished) == before


def test_other_images_are_another_run(
    run: Run, finished: Path, photographs: Path, tmp_path: Path
) -> None:
    before = _files(finished)
    (photographs / "0.png").unlink()
    code, text = run("run", tmp_path / "tiny.toml", "--images", photographs, "--output", finished)
    assert (code, "training images" in text) == (2, True)
    assert _files(finished) == before


def test_another_recipe_of_the_same_settings_is_another_run(
    run: Run, finished: Path, photographs: Path, write_recipe: Callable[..., Path]
) -> None:
    other = write_recipe("other")
    code, text = run("run", other, "--images", photographs, "--output", finished)
    assert (code, "recipe: there tiny, now other" in text) == (2, True)


@pytest.mark.parametrize("damage", [b"", b"no checkpoint", b"cut"])
def test_a_damaged_checkpoint_is_refused_and_kept(
    run: Run, finished: Path, photographs: Path, tmp_path: Path, damage: bytes
) -> None:
    path = finished / trainer.CHECKPOINT
    path.write_bytes(path.read_bytes()[:-500] if damage == b"cut" else damage)
    before = _files(finished)
    code, text = run("run", tmp_path / "tiny.toml", "--images", photographs, "--output", finished)
    assert (code, "is no checkpoint or is damaged" in text) == (2, True)
    assert _files(finished) == before


def test_a_folder_of_other_things_is_never_written_to(
    run: Run, photographs: Path, write_recipe: Callable[..., Path]
) -> None:
    before = _files(photographs)
    code, text = run("run", write_recipe(), "--images", photographs, "--output", photographs)
    assert (code, "holds '0.png' but no run" in text) == (2, True)
    assert _files(photographs) == before


def test_bad_images_leave_no_folder_behind(
    run: Run, photographs: Path, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    (photographs / "broken.png").write_bytes(b"broken")
    output = tmp_path / "new"
    code, text = run("run", write_recipe(), "--images", photographs, "--output", output)
    assert (code, "broken.png" in text) == (2, True)
    assert not output.exists()


def test_weights_of_another_model_are_no_start(
    run: Run, finished: Path, photographs: Path, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    path = write_recipe("other", model="rlfn_x4")
    start = ("--start", finished / trainer.WEIGHTS)
    output = tmp_path / "new"
    code, text = run("run", path, "--images", photographs, "--output", output, *start)
    assert (code, "holds weights of another model than rlfn_x4" in text) == (2, True)
    assert "block_5.c1_r.weight is missing" in text
    assert not output.exists()


def test_ctrl_c_says_how_to_go_on_and_the_same_command_does(
    run: Run,
    photographs: Path,
    tmp_path: Path,
    write_recipe: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(_bar: object, done: int) -> None:
        if done == 9:
            raise KeyboardInterrupt

    argv = ("run", write_recipe(), "--images", photographs, "--output", tmp_path / "new")
    with monkeypatch.context() as patch:
        patch.setattr(cli.Bar, "iteration", interrupted)
        code, text = run(*argv)
    assert (code, "the same command goes on" in text) == (130, True)
    code, text = run(*argv)
    assert (code, trainer.WEIGHTS in text) == (0, True), text


def test_a_start_makes_other_weights(
    run: Run, finished: Path, photographs: Path, tmp_path: Path
) -> None:
    argv = ("run", tmp_path / "tiny.toml", "--images", photographs)
    start = ("--start", finished / trainer.WEIGHTS)
    code, text = run(*argv, "--output", tmp_path / "on", *start)
    assert code == 0, text
    assert _files(tmp_path / "on")[trainer.WEIGHTS] != _files(finished)[trainer.WEIGHTS]


def test_a_patch_too_small_for_the_model_is_named_with_its_stage(
    run: Run, photographs: Path, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    path = write_recipe()
    path.write_text(path.read_text().replace("hr_patch = 60", "hr_patch = 56"))
    output = tmp_path / "new"
    code, text = run("run", path, "--images", photographs, "--output", output)
    assert (code, "stage 'first': hr_patch 56 is too small" in text) == (2, True)


@pytest.mark.parametrize(("options", "dtype"), [((), torch.float32), (("--half",), torch.float16)])
def test_an_export_holds_the_averaged_weights(
    run: Run, finished: Path, tmp_path: Path, options: tuple[str, ...], dtype: torch.dtype
) -> None:
    to = tmp_path / "out.safetensors"
    code, _ = run("export", finished, to, *options)
    assert code == 0
    exported, final = load_file(to), load_file(finished / trainer.WEIGHTS)
    assert {it.dtype for it in exported.values()} == {dtype}
    assert all(torch.equal(exported[name], final[name].to(dtype)) for name in final)
    models.build(models.find("rlfn_ntire_x4"), seed=0).load_state_dict(exported)
    with safe_open(to, "pt") as file:
        assert '"iterations": 13' in file.metadata()["training"]


def test_export_and_plot_overwrite_only_when_told(run: Run, finished: Path, tmp_path: Path) -> None:
    to, drawn = tmp_path / "out.safetensors", tmp_path / "plot.svg"
    for path in (to, drawn):
        path.write_text("mine")
    assert run("export", finished, to)[0] == run("plot", finished, "--to", drawn)[0] == 2
    assert to.read_text() == drawn.read_text() == "mine"
    assert run("export", finished, to, "--force")[0] == 0
    assert run("plot", finished, "--to", drawn, "--force")[0] == 0
    assert "<svg" in drawn.read_text()
    assert "validation PSNR" in drawn.read_text() or "<path" in drawn.read_text()


def test_a_plot_of_no_run_says_so(run: Run, tmp_path: Path) -> None:
    code, text = run("plot", tmp_path, "--to", tmp_path / "plot.png")
    assert (code, "name a run's folder" in text) == (2, True)


def test_the_list_names_every_recipe(run: Run) -> None:
    code, text = run("list")
    assert (code, "fasterrfdn_cpu" in text) == (0, True)


def test_the_trainer_is_no_reference_model() -> None:
    folder = REPOSITORY / "reference_models"
    assert not (folder / "training" / MANIFEST).exists()
    assert "training" not in {it.folder.name for it in catalogue.all_references()}


def test_the_wheel_ships_every_reference_model_and_not_the_trainer() -> None:
    document = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    wheel = document["tool"]["hatch"]["build"]["targets"]["wheel"]
    folder = REPOSITORY / "reference_models"
    shipped = {
        path.relative_to(folder).parts[0]
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
        if not any(
            f"/{path.relative_to(REPOSITORY)}".startswith(f"{it}/") for it in wheel["exclude"]
        )
    }
    own = {it.parent.name for it in folder.glob(f"*/{MANIFEST}")}
    assert "reference_models" in wheel["only-include"]
    assert wheel["sources"]["reference_models"] == "harness/_reference_models"
    assert shipped == own | {"README.md"}
