from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reference_models.training import models, recipe
from reference_models.training.faults import TrainingError


@pytest.mark.parametrize("name", recipe.bundled())
def test_every_bundled_recipe_is_valid_and_fits_its_model(name: str) -> None:
    one = recipe.read(name)
    reference = models.find(one.model)
    assert not [
        fault for stage in one.stages for fault in models.check_patch(reference, stage.hr_patch)
    ]


@pytest.mark.parametrize(
    "name", [name for name in recipe.bundled() if f"{name}_cpu" in recipe.bundled()]
)
def test_a_recipe_for_a_cpu_has_the_stages_of_the_full_one(name: str) -> None:
    full, scaled = recipe.read(name), recipe.read(f"{name}_cpu")
    assert [(it.name, it.loss, it.contrastive is None) for it in full.stages] == [
        (it.name, it.loss, it.contrastive is None) for it in scaled.stages
    ]


def test_every_published_recipe_has_one_for_a_cpu() -> None:
    full = {"rlfn_scratch", "rlfn_warm1", "rlfn_warm2", "rlfn_contrastive"}
    full |= {"fasterrfdn", "imdn", "rfdn"}
    assert full | {f"{name}_cpu" for name in full} <= set(recipe.bundled())


def test_the_ablation_gives_each_recipe_the_same_budget() -> None:
    names = [name for name in recipe.bundled() if name.startswith("ablation_")]
    assert len(names) == 4
    assert {recipe.read(name).iterations for name in names} == {2400}
    assert len({(s.batch, s.hr_patch) for n in names for s in recipe.read(n).stages}) == 1


def test_fasterrfdn_stands_as_published() -> None:
    stages = recipe.read("fasterrfdn").stages
    assert [
        (it.loss, it.hr_patch, it.batch, it.learning_rate, it.schedule, it.halve_every)
        for it in stages
    ] == [
        ("l1", 256, 64, 5e-4, "halving", 200_000),
        ("psnr", 512, 64, 5e-5, "halving", 80_000),
        ("l2", 640, 16, 1e-5, "cosine", 0),
    ]


def test_every_fault_of_a_recipe_is_named_at_once(write_recipe: Callable[..., Path]) -> None:
    path = write_recipe()
    text = path.read_text().replace('loss = "l1"', 'loss = "l3"').replace("batch = 1", "batch = 0")
    text = text.replace("log_every = 2", "log_every = 2.5").replace("seed = 3", "sed = 3")
    path.write_text(text)
    with pytest.raises(TrainingError) as caught:
        recipe.read(str(path))
    message = str(caught.value)
    for fault in ("stages.0.loss", "l3", "batch must be positive", "log_every", "sed: is no known"):
        assert fault in message


def test_a_halving_that_does_not_say_when_is_refused(write_recipe: Callable[..., Path]) -> None:
    path = write_recipe()
    path.write_text(path.read_text().replace('"cosine"', '"halving"'))
    with pytest.raises(TrainingError, match="needs halve_every"):
        recipe.read(str(path))


def test_a_checkpoint_between_two_rows_of_the_log_is_refused(
    write_recipe: Callable[..., Path],
) -> None:
    path = write_recipe()
    path.write_text(path.read_text().replace("validate_every = 4", "validate_every = 5"))
    with pytest.raises(TrainingError, match=r"validate_every \(5\) must be a multiple"):
        recipe.read(str(path))


def test_an_unknown_recipe_names_the_known_ones() -> None:
    with pytest.raises(TrainingError, match="rlfn_scratch_cpu"):
        recipe.read("rlfn_scrach_cpu")


def test_broken_toml_is_an_error_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("id = 1\nmodel = =\n")
    with pytest.raises(TrainingError, match=r"broken\.toml.*line 2"):
        recipe.read(str(path))


def test_lengthening_scales_iterations_and_halving() -> None:
    stage = recipe.lengthened(recipe.read("imdn"), 0.001).stages[0]
    assert (stage.iterations, stage.halve_every) == (1000, 200)


def test_any_setting_changes_the_digest(write_recipe: Callable[..., Path]) -> None:
    first = recipe.read(str(write_recipe(seed=3))).digest
    assert recipe.read(str(write_recipe(seed=3))).digest == first
    assert recipe.read(str(write_recipe(seed=4))).digest != first
