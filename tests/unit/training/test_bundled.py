"""The weights that ship: where they come from is true, and they fit their models."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from safetensors import safe_open

from harness.entries import catalogue
from reference_models.training import models, recipe, score

FILES = sorted(catalogue.reference_folder().glob("*/*.safetensors"))
README = (catalogue.reference_folder() / "README.md").read_text(encoding="utf-8")


def _name(path: Path) -> str:
    return path.stem


def test_each_reference_of_the_sample_challenge_has_weights() -> None:
    references = catalogue.all_references()
    assert {it.stem for it in FILES} == {
        it.id for it in references if isinstance(it, catalogue.Entry) and it.submission.weights
    }
    assert {it.stem for it in FILES} == {
        *("rlfn_ntire_x4", "fasterrfdn_x4", "imdn_ntire_x4", "rfdn_x4"),
    }


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_weights_are_of_a_recipe_that_stands_and_load_strictly(path: Path) -> None:
    origin = score.origin(path)
    with safe_open(path, framework="pt") as file:
        said = json.loads(file.metadata()["training"])
    trained = recipe.read(origin.recipe)
    assert said["recipe_digest"] == trained.digest
    assert said["iterations"] == trained.iterations
    assert (said["model"], said["start"]) == (path.stem, "")
    model = models.build(models.find(origin.model), seed=0)
    models.read_weights(path, model, origin.model)


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_the_readme_has_the_file_with_its_digest(path: Path) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert f"{digest}  {path.parent.name}/{path.name}" in README
    assert f"`{path.parent.name}/{path.stem}` | `{score.origin(path).recipe}`" in README
