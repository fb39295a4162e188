"""The reference models against the golden figures and the official weights.

The manifests are read here with the standard library alone: what is tested is that model code,
manifest and checkpoint fit together, whatever the harness makes of them.
"""

from __future__ import annotations

import hashlib
import importlib.util
import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from fakes.golden import GoldenCounts, golden_counts
from torch import Tensor, nn

REFERENCE_MODELS = Path(__file__).parents[3] / "reference_models"


GOLDEN = golden_counts()
SMALLEST_SIDE = {"rlfn": 15, "fasterrfdn": 15, "rfdn": 15, "efdn": 15}  # others: 1

every_variant = pytest.mark.parametrize("variant_id", sorted(GOLDEN))


def test_the_manifests_list_the_golden_variants() -> None:
    assert sorted(_variants()) == sorted(GOLDEN)


@every_variant
def test_costs_equal_the_golden_figures_and_need_no_real_memory(variant_id: str) -> None:
    with torch.device("meta"):
        model = _build(variant_id)
        lr = torch.empty(1, 3, 256, 256)
    assert _cost(model, lr) == replace(GOLDEN[variant_id], macs_fvcore=0)


@every_variant
def test_printed_macs_are_the_golden_ones_of_the_convention_that_is_named(variant_id: str) -> None:
    # They differ in the first or second decimal of G, as 19.67 does from 19.70.
    for printed in _published(variant_id):
        if "macs_g" in printed and "macs_convention" in printed:
            counted = getattr(GOLDEN[variant_id], f"macs_{printed['macs_convention']}")
            assert printed["macs_g"] == round(counted / 1e9, 2)


def test_the_models_of_the_challenges_have_printed_macs() -> None:
    printed = {id_ for id_ in _variants() if any("macs_g" in it for it in _published(id_))}
    assert printed >= {"rlfn_ntire_x4", "fasterrfdn_x4", "imdn_ntire_x4", "rfdn_x4", "span_x4"}


@every_variant
def test_an_odd_size_comes_out_larger_by_the_scale(variant_id: str) -> None:
    scale = _variants()[variant_id]["scale"]
    lr = torch.rand(2, 3, 17, 23)
    with torch.no_grad():
        hr = _build(variant_id)(lr)
    assert hr.shape == (2, 3, 17 * scale, 23 * scale)
    assert hr.isfinite().all()


@every_variant
def test_the_smallest_side_stated_works(variant_id: str) -> None:
    variant = _variants()[variant_id]
    side = SMALLEST_SIDE.get(variant["folder"], 1)
    with torch.no_grad():
        hr = _build(variant_id)(torch.rand(1, 3, side, side))
    assert hr.shape == (1, 3, side * variant["scale"], side * variant["scale"])


@pytest.mark.parametrize("variant_id", ["rlfn_x4", "fasterrfdn_x4", "rfdn_x4", "efdn_x4"])
def test_a_side_below_the_smallest_is_refused(variant_id: str) -> None:
    side = SMALLEST_SIDE[_variants()[variant_id]["folder"]] - 1
    with pytest.raises(RuntimeError, match=r"(?i)output size"):
        _build(variant_id)(torch.rand(1, 3, side, 32))


@every_variant
def test_every_parameter_has_a_part_in_the_output(variant_id: str) -> None:
    torch.manual_seed(0)
    model = _build(variant_id)
    model(torch.rand(1, 3, 24, 24)).square().sum().backward()
    idle = [
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is None or not parameter.grad.isfinite().all()
    ]
    assert idle == []


@every_variant
def test_building_and_running_leaves_the_input_and_the_global_state_alone(variant_id: str) -> None:
    lr = torch.rand(1, 3, 16, 16)
    before = lr.clone()
    flags = _global_flags()
    with torch.no_grad():
        _build(variant_id)(lr)
    assert torch.equal(lr, before)
    assert _global_flags() == flags


@every_variant
def test_official_weights_are_the_file_of_the_manifest(variant_id: str, shared_dir: Path) -> None:
    official = _variants()[variant_id]["official"]
    content = (shared_dir / "weights" / official["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == official["sha256"]


@every_variant
def test_official_weights_load_strictly(variant_id: str, shared_dir: Path) -> None:
    official = _variants()[variant_id]["official"]
    path = shared_dir / "weights" / official["file"]
    state = torch.load(path, map_location="cpu", weights_only=True)
    prefix = official.get("strip_prefix", "")
    assert all(name.startswith(prefix) for name in state)
    model = _build(variant_id)
    model.load_state_dict({name.removeprefix(prefix): value for name, value in state.items()})
    # Order too, so that files of both origins can be compared name by name.
    assert [prefix + name for name in model.state_dict()] == list(state)


@every_variant
def test_the_official_address_names_a_fixed_commit(variant_id: str) -> None:
    url = _variants()[variant_id]["official"]["url"]
    host, _owner, _repository, commit, *_path = url.removeprefix("https://").split("/")
    assert host == "raw.githubusercontent.com"
    assert len(bytes.fromhex(commit)) == 20


@cache
def _variants() -> dict[str, dict[str, Any]]:
    """Every variant by id: its own fields over the defaults of its manifest, and its folder."""
    variants = {}
    for path in sorted(REFERENCE_MODELS.glob("*/submission.toml")):
        defaults = tomllib.loads(path.read_text(encoding="utf-8"))
        for variant in defaults.pop("variants"):
            variants[variant["id"]] = {**defaults, **variant, "folder": path.parent.name}
    return variants


def _published(variant_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _variants()[variant_id].get("published", [])
    return found


def _build(variant_id: str) -> nn.Module:
    variant = _variants()[variant_id]
    file, attribute = variant["entry"].split(":")
    path = REFERENCE_MODELS / variant["folder"] / f"{file}.py"
    spec = importlib.util.spec_from_file_location(f"reference_{variant['folder']}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model: nn.Module = getattr(module, attribute)(**variant["kwargs"])
    return model.eval()


def _cost(model: nn.Module, lr: Tensor) -> GoldenCounts:
    """Count with hooks: a convolution's kernel per output element, 1 per activated element."""
    outputs: list[tuple[nn.Module, int]] = []
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.LeakyReLU, nn.ReLU, nn.PReLU)):
            module.register_forward_hook(
                lambda module, _inputs, output: outputs.append((module, output.numel()))
            )
    with torch.no_grad():
        model(lr)
    convs = [(module, n) for module, n in outputs if isinstance(module, nn.Conv2d)]
    return GoldenCounts(
        params=sum(parameter.numel() for parameter in model.parameters()),
        macs_ntire2022=sum(n * _macs_per_element(module) for module, n in outputs),
        macs_fvcore=0,  # another convention, which is not counted here
        activations=sum(n for _, n in convs),
        convs=len(convs),
    )


def _macs_per_element(module: nn.Module) -> int:
    return module.weight[0].numel() if isinstance(module, nn.Conv2d) else 1


def _global_flags() -> tuple[object, ...]:
    return (
        torch.get_default_dtype(),
        torch.get_num_threads(),
        torch.is_grad_enabled(),
        torch.backends.cudnn.benchmark,
        torch.backends.cudnn.deterministic,
        torch.backends.cuda.matmul.allow_tf32,
        torch.backends.cudnn.allow_tf32,
        torch.are_deterministic_algorithms_enabled(),
    )
