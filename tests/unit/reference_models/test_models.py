"""The reference models against the golden figures and the official weights."""

from __future__ import annotations

import copy
import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from fakes.references import (
    FOLDERS,
    GoldenCounts,
    build,
    deployed,
    golden_counts,
    input_shape,
    variants,
)
from safetensors.torch import load_file
from torch import Tensor, nn

GOLDEN = golden_counts()
VARIANTS = variants()
OFFICIAL = sorted(it for it, variant in VARIANTS.items() if "official" in variant)
ATTENTION_SIDE = 15  # LR pixels: a 3x3 convolution of stride 2, then 7x7 pooling
SMALLEST_SIDE = {  # by folder; 1 for all others
    "dipnet": ATTENTION_SIDE,
    "efdn": ATTENTION_SIDE,
    "fasterrfdn": ATTENTION_SIDE,
    "maffsrn": 13,  # its convolution of stride 2 is padded
    "rfdn": ATTENTION_SIDE,
    "rlfn": ATTENTION_SIDE,
}

every_variant = pytest.mark.parametrize("variant_id", sorted(GOLDEN))
every_official_file = pytest.mark.parametrize("variant_id", OFFICIAL)


def test_the_manifests_list_the_golden_variants() -> None:
    assert sorted(VARIANTS) == sorted(GOLDEN)


@every_variant
def test_costs_equal_the_golden_figures_and_need_no_real_memory(variant_id: str) -> None:
    with torch.device("meta"):
        model = build(variant_id)
        image = torch.empty(1, *input_shape(variant_id, 256, 256))
    assert _cost(model, image) == replace(GOLDEN[variant_id], macs_fvcore=0)


def test_the_costs_in_the_readme_are_the_golden_figures() -> None:
    text = (FOLDERS / "README.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `(\w+)` \|((?: [\d,]+ \|){5})$", text, re.MULTILINE)
    figures = {
        id_: GoldenCounts(*(int(cell) for cell in cells.replace(",", "").split("|")[:5]))
        for id_, cells in table
    }
    assert figures == GOLDEN


def test_the_paper_s_rows_in_the_readme_have_its_figures_and_ours() -> None:
    """Params and MACs of ours are the golden ones, of an output of 1280x720; all else is print."""
    text = (FOLDERS / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+_x[24]) \|(.*)\|$", text, re.MULTILINE)
    assert len(dict(rows)) == 25
    for id_, cells in rows:
        printed_k, params, _, macs_g, _, set5, _, set14, _ = map(str.strip, cells.split("|"))
        found = [it for it in VARIANTS[id_]["published"] if it["source"].startswith("RLFN paper")]
        told = {it["dataset"]: f"{it['psnr_db']:.2f} / {it['ssim']:.4f}" for it in found[1:]}
        assert (set5, set14) == (told["Set5"], told["Set14"])
        assert float(printed_k.replace(",", "")) == pytest.approx(1000 * found[0]["params_m"])
        assert params == f"{GOLDEN[id_].params:,}"
        counted = "macs_ntire2022" if id_.startswith("fsrcnn") else "macs_fvcore"
        squares = 1280 * 720 / int(id_[-1]) ** 2 / 256**2
        assert macs_g == f"{getattr(GOLDEN[id_], counted) * squares / 1e9:,.1f}"


@every_variant
def test_printed_macs_are_the_golden_ones_of_the_convention_that_is_named(variant_id: str) -> None:
    # They differ in the first or second decimal of G, as 19.67 does from 19.70.
    for printed in VARIANTS[variant_id]["published"]:
        if "macs_g" in printed and "macs_convention" in printed:
            counted = getattr(GOLDEN[variant_id], f"macs_{printed['macs_convention']}")
            assert printed["macs_g"] == round(counted / 1e9, 2)


def test_the_models_of_the_challenges_have_printed_macs() -> None:
    printed = {
        id_
        for id_, variant in VARIANTS.items()
        if any("macs_convention" in it for it in variant["published"])
    }
    assert printed == {
        *("rlfn_ntire_x4", "fasterrfdn_x4", "imdn_ntire_x4", "rfdn_x4"),
        *("dipnet_x4", "efdn_x4", "span_x4"),
    }


@every_variant
def test_an_odd_size_comes_out_larger_by_the_scale(variant_id: str) -> None:
    variant = VARIANTS[variant_id]
    scale, side = variant["scale"], SMALLEST_SIDE.get(variant["folder"], 1)
    lr_height, lr_width = (17, 23) if side > 1 else (5, 7)
    channels, height, width = input_shape(variant_id, lr_height, lr_width)
    with torch.no_grad():
        hr = build(variant_id)(torch.rand(2, channels, height, width))
    assert hr.shape == (2, channels, lr_height * scale, lr_width * scale)
    assert hr.isfinite().all()


@every_variant
def test_the_smallest_side_stated_works(variant_id: str) -> None:
    variant = VARIANTS[variant_id]
    side = SMALLEST_SIDE.get(variant["folder"], 1)
    shape = input_shape(variant_id, side, side)
    with torch.no_grad():
        hr = build(variant_id)(torch.rand(1, *shape))
    assert hr.shape == (1, shape[0], side * variant["scale"], side * variant["scale"])


@pytest.mark.parametrize(
    "variant_id", ["rlfn_x4", "fasterrfdn_x4", "rfdn_x4", "efdn_x4", "dipnet_x4"]
)
def test_a_side_below_the_smallest_is_refused(variant_id: str) -> None:
    side = SMALLEST_SIDE[VARIANTS[variant_id]["folder"]] - 1
    with pytest.raises(RuntimeError, match=r"(?i)output size"):
        build(variant_id)(torch.rand(1, 3, side, 32))


@every_variant
def test_every_parameter_has_a_part_in_the_output(variant_id: str) -> None:
    torch.manual_seed(0)
    model = build(variant_id, as_trained=True)
    side = SMALLEST_SIDE.get(VARIANTS[variant_id]["folder"], 5)
    model(torch.rand(1, *input_shape(variant_id, side, side))).square().sum().backward()
    idle = [
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is None or not parameter.grad.isfinite().all()
    ]
    assert [it for it in idle if not _is_of_another_scale(variant_id, it)] == []


@every_variant
def test_building_and_running_leaves_the_input_and_the_global_state_alone(variant_id: str) -> None:
    side = SMALLEST_SIDE.get(VARIANTS[variant_id]["folder"], 5)
    image = torch.rand(1, *input_shape(variant_id, side, side))
    before = image.clone()
    flags = _global_flags()
    with torch.no_grad():
        build(variant_id)(image)
    assert torch.equal(image, before)
    assert _global_flags() == flags


@every_official_file
def test_official_weights_are_the_file_of_the_manifest(variant_id: str, shared_dir: Path) -> None:
    official = VARIANTS[variant_id]["official"]
    content = (shared_dir / "weights" / official["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == official["sha256"]


@every_official_file
def test_official_weights_load_strictly(variant_id: str, shared_dir: Path) -> None:
    official = VARIANTS[variant_id]["official"]
    state = _read(shared_dir / "weights" / official["file"])
    prefix = official.get("strip_prefix", "")
    assert all(name.startswith(prefix) for name in state)
    model = build(variant_id, as_trained=True)
    model.load_state_dict({name.removeprefix(prefix): value for name, value in state.items()})
    # Order too, so that files of both origins can be compared name by name.
    if not official["file"].endswith(".safetensors"):  # which sorts the names
        assert [prefix + name for name in model.state_dict()] == list(state)


@every_official_file
def test_the_official_address_names_a_fixed_commit(variant_id: str) -> None:
    url = VARIANTS[variant_id]["official"]["url"]
    host, _owner, _repository, commit, *_path = url.removeprefix("https://").split("/")
    if VARIANTS[variant_id]["folder"] == "fsrcnn":  # whose README has addresses of Dropbox alone
        assert host == "www.dropbox.com"
        return
    assert host == "raw.githubusercontent.com"
    assert len(bytes.fromhex(commit)) == 20


@pytest.mark.parametrize("variant_id", ["ecbsr_x2", "ecbsr_x4"])
def test_fused_blocks_give_what_their_branches_give_at_borders_too(variant_id: str) -> None:
    torch.manual_seed(0)
    trained = build(variant_id, as_trained=True)
    with torch.no_grad():
        for parameter in trained.parameters():  # biases and scales far from their first values
            parameter.add_(0.02 * torch.randn_like(parameter))
    fused = deployed(variant_id, copy.deepcopy(trained))
    luma = 255 * torch.rand(1, 1, 9, 7)
    with torch.no_grad():
        assert torch.allclose(fused(luma), trained(luma), atol=1e-3)
    branches = [it for it in fused.modules() if isinstance(it, nn.Conv2d)]
    assert (len(branches), len(list(fused.buffers()))) == (18, 0)


def _read(path: Path) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        return load_file(path)
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def _is_of_another_scale(variant_id: str, parameter: str) -> bool:
    """CARN's weights are those of three scales; each network runs the upsampler of its own."""
    variant = VARIANTS[variant_id]
    own = f"upsample.up{variant['scale']}."
    return (
        variant["folder"] == "carn" and parameter.startswith("upsample.") and own not in parameter
    )


def _cost(model: nn.Module, image: Tensor) -> GoldenCounts:
    """Count with hooks: a convolution's kernel per output element, 1 per activated element."""
    outputs: list[tuple[nn.Module, int]] = []
    counted = (nn.Conv2d, nn.ConvTranspose2d, nn.LeakyReLU, nn.ReLU, nn.PReLU)
    for module in model.modules():
        if isinstance(module, counted):
            module.register_forward_hook(
                lambda module, _inputs, output: outputs.append((module, output.numel()))
            )
    with torch.no_grad():
        model(image)
    convs = [n for module, n in outputs if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d))]
    return GoldenCounts(
        params=sum(parameter.numel() for parameter in model.parameters()),
        macs_ntire2022=sum(n * _macs_per_element(module) for module, n in outputs),
        macs_fvcore=0,  # another convention, which is not counted here
        activations=sum(convs),
        convs=len(convs),
    )


def _macs_per_element(module: nn.Module) -> int:
    """Of a transposed convolution too, by the rule of 2022, as if it had no stride."""
    if isinstance(module, nn.ConvTranspose2d):
        return module.weight[:, 0].numel()
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
