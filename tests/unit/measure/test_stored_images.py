from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from fakes.audited import CALIBRATION, FakeTruths, photographs, shrunk, task
from safetensors.torch import save_file
from torch import Tensor

from harness.core.progress import SILENT
from harness.core.record import Environment, Phases, RoundFigures
from harness.measure import local_executor
from harness.measure.jobs import Job
from harness.measure.local_executor import LocalExecutor
from harness.measure.run_images import RunImages, Scorer
from harness.measure.stored_images import flat_tensors, stored_images
from harness.sandbox.confinement import NoConfinement
from harness.sandbox.isolation import Isolation

TRUTHS = photographs(2, (48, 90))
IMAGES = shrunk(TRUTHS)


def _file(folder: Path, **tensors: Tensor) -> Path:
    path = folder / "graph.safetensors"
    save_file(tensors, path)
    return path


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.float64, torch.uint8])
def test_an_image_among_the_tensors_of_a_graph_is_found(tmp_path: Path, kind: torch.dtype) -> None:
    path = _file(tmp_path, a=torch.randn(4, 500), b=torch.from_numpy(TRUTHS["0"]).to(kind))
    audit = stored_images(path, IMAGES, FakeTruths(TRUTHS), 4)
    assert audit is not None
    assert audit.verdict == "suspect"
    assert "a part of 0, the closest of 2 images" in audit.evidence


def test_pixels_packed_in_integers_are_found(tmp_path: Path) -> None:
    packed = torch.from_numpy(TRUTHS["1"].reshape(-1).view(np.int32))
    audit = stored_images(_file(tmp_path, a=packed), IMAGES, FakeTruths(TRUTHS), 4)
    assert audit is not None
    assert audit.verdict == "suspect"


def test_weights_are_none_and_without_truths_nothing_is_said(tmp_path: Path) -> None:
    path = _file(tmp_path, a=torch.randn(4, 500))
    audit = stored_images(path, IMAGES, FakeTruths(TRUTHS), 4)
    assert audit is not None
    assert audit.verdict == "ok"
    assert stored_images(path, IMAGES, FakeTruths({}), 4) is None


def test_every_type_of_tensors_is_read(tmp_path: Path) -> None:
    kinds = (torch.bool, torch.int8, torch.int16, torch.int64, torch.float16, torch.complex64)
    path = _file(tmp_path, **{f"{at}": torch.ones(3, dtype=it) for at, it in enumerate(kinds)})
    lengths = [len(it) for it in flat_tensors(path.read_bytes())]
    assert sorted(lengths) == [3, 3, 3, 3, 3, 6, 6, 24]  # complex twice, wide integers as bytes


@pytest.mark.parametrize(("form", "judged"), [("graph", True), ("entry", False)])
def test_the_tensors_of_a_round_are_judged_where_it_ran_as_a_graph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, *, judged: bool
) -> None:
    figures = RoundFigures(7, 0.1, (), (), None, Phases())
    monkeypatch.setattr(local_executor, "run_block", lambda *_, **__: {"a": figures})
    path = _file(tmp_path, a=torch.from_numpy(TRUTHS["0"]))
    asked = task(weights=str(path))
    load = replace(asked.load, form=cast("Any", form))
    job = SimpleNamespace(kind="round", round=0, thorough=True, counts=None, first=(), load=load)
    job.entry, job.protocol, job.log = "a", asked.protocol, tmp_path / "x" / "y.log"
    job.lock = None
    executor = LocalExecutor(
        Environment("here", {"device": "cpu"}),
        Isolation(NoConfinement()),
        cast("RunImages", SimpleNamespace(lr=IMAGES)),
        cast("Scorer", FakeTruths(TRUTHS)),
        SILENT,
        CALIBRATION,
    )
    outcome = executor.run_block([cast("Job", job)], "")["a"].outcome
    assert isinstance(outcome, RoundFigures)
    assert [(it.id, it.verdict) for it in outcome.audits] == (
        [("constants", "suspect")] if judged else []
    )
