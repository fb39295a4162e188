"""The golden figures of the reference models, to the last digit."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch
from fakes.counted import counted
from fakes.golden import GoldenCounts, golden_counts
from torch import nn

from harness.counts.verdict import judge
from harness.worker.count.fvcore_counter import count_by_fvcore, is_at_hand

GOLDEN = golden_counts()


def _reference(repository: Path, wanted: str) -> tuple[nn.Module, float]:
    for manifest in (repository / "reference_models").glob("*/submission.toml"):
        written = tomllib.loads(manifest.read_text(encoding="utf-8"))
        for variant in written.get("variants", [{}]):
            entry: dict[str, Any] = {**written, **variant}
            if entry["id"] == wanted:
                return _built(manifest.parent, entry), entry["data_range"]
    raise LookupError(f"no reference model has the id {wanted}")


def _built(folder: Path, entry: dict[str, Any]) -> nn.Module:
    file, _, attribute = entry["entry"].partition(":")
    spec = importlib.util.spec_from_file_location(f"golden_{folder.name}", folder / f"{file}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model: nn.Module = getattr(module, attribute)(**entry.get("kwargs", {}))
    return model


@pytest.mark.parametrize("wanted", GOLDEN)
def test_the_counters_give_the_golden_figures(repository: Path, wanted: str) -> None:
    model, data_range = _reference(repository, wanted)
    counts = counted(model, height=256, width=256, data_range=data_range)
    hooks, traced = counts.counter("ntire2022"), counts.counter("fvcore")
    assert hooks is not None
    assert traced is not None
    figures = (counts.params, hooks.macs, traced.macs, hooks.activations, hooks.convs)
    assert GoldenCounts(*figures) == GOLDEN[wanted]
    assert {counter.device for counter in counts.counters} == {"meta"}
    assert judge(counts).level == "verified"


@pytest.mark.skipif(
    not is_at_hand() or torch.__version__.startswith("2.6."),
    reason="fvcore is not installed, or can't trace on the meta device",
)
def test_fvcore_s_figure_on_the_meta_device_is_its_figure_on_the_cpu(repository: Path) -> None:
    for wanted in ("rlfn_ntire_x4", "imdn_x2", "rfdn_x4", "fasterrfdn_x4", "imdn_ntire_x4"):
        model, _ = _reference(repository, wanted)
        image = torch.zeros(1, 3, 32, 32)
        with torch.no_grad():
            on_cpu = count_by_fvcore(model.eval(), image)
            assert count_by_fvcore(model.to("meta"), image.to("meta")) == on_cpu


def test_counting_an_ordinary_model_loads_neither_sympy_nor_torch_s_compiler() -> None:
    """They take two seconds in every process, four times what the count takes."""
    program = (
        "import sys; from torch import nn; from harness.worker.count import count_model\n"
        "body = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.LeakyReLU(), nn.PixelShuffle(2))\n"
        "count_model(body, height=96, width=96)\n"
        "sys.exit(', '.join({'sympy', 'torch._dynamo'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == ""
