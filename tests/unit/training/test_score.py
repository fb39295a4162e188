"""What weights reach on folders, beside bicubic."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from harness.quality.bicubic import upscale
from reference_models.training import images, linear, models, score, validate
from reference_models.training.faults import TrainingError

MODEL = "imdn_ntire_x4"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A network that repeats every LR pixel 4 x 4 times."""
    model = models.build(models.find(MODEL), seed=1)
    kernel = torch.zeros(48, 3, 5, 5)
    for colour in range(3):
        kernel[16 * colour : 16 * (colour + 1), colour, 2, 2] = 1
    linear.write(model, linear.Filter(kernel, torch.zeros(48)), scale=4, white=1.0)
    path = tmp_path / "nearest.safetensors"
    models.write_weights(path, model.state_dict(), about={"recipe": "made", "model": MODEL})
    return path


def test_psnr_and_gain_are_those_of_the_network_that_was_written(
    weights: Path, photographs: Path
) -> None:
    pairs = images.read_folder(photographs, scale=4, smallest_side=60)
    found = score.measure(score.origin(weights), pairs)
    for number, pair in enumerate(pairs):
        nearest = np.repeat(np.repeat(pair.lr, 4, axis=0), 4, axis=1)
        expected = validate.psnr_of(nearest, pair)
        bicubic = validate.psnr_of(upscale(pair.lr, 4), pair)
        assert found.psnr_db[number] == pytest.approx(expected, abs=1e-3)
        assert found.gain_db[number] == pytest.approx(expected - bicubic, abs=1e-3)
    assert found.mean_db == pytest.approx(sum(found.psnr_db) / 4)
    assert found.least_gain_db == min(found.gain_db)


def test_runs_of_one_recipe_share_a_row() -> None:
    def origin(number: int, recipe: str) -> score.Origin:
        return score.Origin(Path(f"{number}.safetensors"), recipe, "rlfn_ntire_x4")

    scores = {
        origin(1, "scratch"): {"Set5": score.Score((30.0, 32.0), (1.0, 0.25))},
        origin(2, "warm"): {"Set5": score.Score((30.5, 32.5), (1.5, -0.5))},
        origin(3, "scratch"): {"Set5": score.Score((29.0, 32.0), (0.5, 1.0))},
    }
    assert score.markdown(scores).splitlines()[2:] == [
        "| `scratch` | `rlfn_ntire_x4` | 2 | 30.750 (30.500 to 31.000), +0.25 |",
        "| `warm` | `rlfn_ntire_x4` | 1 | 31.500, -0.50 |",
    ]


def test_weights_of_unknown_origin_are_refused(tmp_path: Path) -> None:
    torn, foreign = tmp_path / "torn.safetensors", tmp_path / "foreign.safetensors"
    torn.write_bytes(b"\0\1")
    save_file({"a": torch.zeros(1)}, foreign)
    for path in (torn, foreign, tmp_path / "missing.safetensors"):
        with pytest.raises(TrainingError, match="is no file of weights that this trainer wrote"):
            score.origin(path)


def test_the_command_prints_the_table_and_keeps_files(
    run: Callable[..., tuple[int, str]], weights: Path, photographs: Path, tmp_path: Path
) -> None:
    table = tmp_path / "table.md"
    argv = ("score", weights, "--images", photographs, "--to", table)
    code, text = run(*argv)
    assert code == 0, text
    assert "| `made` | `imdn_ntire_x4` | 1 |" in text
    assert table.read_text() in text
    code, text = run(*argv)
    assert code == 2
    assert "exists" in text
