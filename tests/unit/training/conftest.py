"""Tiny folders of images, tiny recipes, and the trainer's package, which is in no wheel."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

REPOSITORY = Path(__file__).resolve().parents[3]
if str(REPOSITORY) not in sys.path:
    sys.path.append(str(REPOSITORY))  # last, so that an installed harness is the one tested


@pytest.fixture(autouse=True)
def _one_thread_and_settings_put_back() -> Iterator[None]:
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(strict)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Four smooth colour images of 96 x 112 pixels."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    random = np.random.default_rng(7)
    for number in range(4):
        coarse = random.integers(0, 256, (9, 11, 3), dtype=np.uint8)
        image = cv2.resize(coarse, (112, 96), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"{number}.png"), image)
    return folder


_TINY = """
id = "{id}"
model = "{model}"
description = "tiny"
source = "made up for tests"
seed = {seed}
log_every = 2
validate_every = 4
validation_images = 1
validation_crop = 64
ema_decay = 0.9

[[stages]]
name = "first"
iterations = 7
batch = 1
hr_patch = 60
loss = "l1"
learning_rate = 1e-3
schedule = "one-cycle"

[[stages]]
name = "second"
iterations = {second}
batch = 1
hr_patch = 64
loss = "l2"
learning_rate = 1e-4
schedule = "cosine"
contrastive = {{ weight = 0.01, channels = 4, trained = true }}
"""


@pytest.fixture
def write_recipe(tmp_path: Path) -> Callable[..., Path]:
    """Write a recipe of two stages into a file of that id."""

    def write(
        recipe_id: str = "tiny", *, model: str = "rlfn_ntire_x4", seed: int = 3, second: int = 6
    ) -> Path:
        path = tmp_path / f"{recipe_id}.toml"
        path.write_text(_TINY.format(id=recipe_id, model=model, seed=seed, second=second))
        return path

    return write


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """The command line in this process: exit code and all that it printed."""
    from reference_models.training import cli  # the path to it was added above

    def call(*argv: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["training", *map(str, argv)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        printed = capsys.readouterr()
        return int(caught.value.code or 0), printed.out + printed.err

    return call
