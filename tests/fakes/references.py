"""The reference models as their manifests and `tests/assets/reference_counts.csv` have them.

The manifests are read with the standard library alone: what is tested is that model code, manifest
and checkpoint fit together, whatever the harness makes of them.
"""

from __future__ import annotations

import csv
import importlib.util
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from torch import nn

_ROOT = Path(__file__).parents[2]
FOLDERS = _ROOT / "reference_models"
_COUNTS = _ROOT / "tests" / "assets" / "reference_counts.csv"


@dataclass(frozen=True)
class GoldenCounts:
    """Static figures at an LR image of 256x256; both conventions of MACs."""

    params: int
    macs_ntire2022: int
    macs_fvcore: int
    activations: int
    convs: int


@cache
def golden_counts() -> dict[str, GoldenCounts]:
    """The figures by the variant's id."""
    with _COUNTS.open(encoding="utf-8", newline="") as file:
        return {
            row.pop("id"): GoldenCounts(**{name: int(value) for name, value in row.items()})
            for row in csv.DictReader(file)
        }


@cache
def variants() -> dict[str, dict[str, Any]]:
    """Every variant by id: its own fields over the defaults of its manifest, and its folder."""
    found = {}
    for path in sorted(FOLDERS.glob("*/submission.toml")):
        defaults = tomllib.loads(path.read_text(encoding="utf-8"))
        for variant in defaults.pop("variants"):
            fields = {"channels": "rgb", "input": "lr", "published": [], **defaults, **variant}
            found[variant["id"]] = {**fields, "folder": path.parent.name}
    return found


def build(variant_id: str, *, as_trained: bool = False) -> nn.Module:
    """The model of a variant with random weights, in eval mode: what is measured, or its source."""
    variant = variants()[variant_id]
    model: nn.Module = _attribute(variant, "entry")(**variant["kwargs"])
    return model.eval() if as_trained else deployed(variant_id, model.eval())


def deployed(variant_id: str, model: nn.Module) -> nn.Module:
    """What the variant's `deploy` makes of a model, the model itself where it has none."""
    variant = variants()[variant_id]
    measured: nn.Module = _attribute(variant, "deploy")(model) if "deploy" in variant else model
    return measured


def input_shape(variant_id: str, height: int, width: int) -> tuple[int, int, int]:
    """Channels, height and width of what the model is given for an LR image of that size."""
    variant = variants()[variant_id]
    enlarged = variant["scale"] if variant["input"] == "bicubic" else 1
    return 1 if variant["channels"] == "y" else 3, height * enlarged, width * enlarged


def _attribute(variant: dict[str, Any], name: str) -> Any:
    file, attribute = variant[name].split(":")
    path = FOLDERS / variant["folder"] / f"{file}.py"
    spec = importlib.util.spec_from_file_location(f"reference_{variant['folder']}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, attribute)
