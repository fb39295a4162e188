"""The worked example: its layout by hand, its fit against a known answer, its promise on images."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from harness.datasets.dataset import ImagePair, read_hr, read_lr
from harness.datasets.find import find
from harness.entries.catalogue import Entry, read_folder
from harness.quality.bicubic import upscale
from harness.quality.profile import CLASSIC_Y, NTIRE, Profile
from harness.quality.score import score


@pytest.fixture(scope="module")
def folder() -> Path:
    return Path(__file__).parents[3] / "submissions" / "linear_x4"


@pytest.fixture(scope="module")
def fit(folder: Path) -> Iterator[ModuleType]:
    """fit.py as it is when run: its folder leads the path, so that it can import model.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.delitem(sys.modules, "model", raising=False)
        spec = importlib.util.spec_from_file_location("linear_x4_fit", folder / "fit.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        patch.setitem(sys.modules, spec.name, module)  # dataclasses look their module up
        spec.loader.exec_module(module)
        yield module
        sys.modules.pop("model", None)


@pytest.fixture(scope="module")
def model(fit: ModuleType, folder: Path) -> Any:
    """The network with the bundled weights."""
    network = fit.LinearUpscaler(scale=4, kernel=7)
    network.load_state_dict(load_file(folder / "weights.safetensors"), strict=True)
    return network.eval()


def test_the_manifest_has_no_fault_and_fits_its_folder(folder: Path) -> None:
    (candidate,) = read_folder(folder)
    assert isinstance(candidate, Entry), candidate
    assert candidate.submission.kwargs == {"scale": 4, "kernel": 7}


def test_a_filter_makes_the_pixel_of_its_row_and_column_in_each_colour(fit: ModuleType) -> None:
    network = fit.LinearUpscaler(scale=2, kernel=3)
    bank = torch.zeros(4, 1, 3, 3)
    bank[:, 0, 1, 1] = torch.tensor([1.0, 2.0, 3.0, 4.0])
    network.load_state_dict({"filters.weight": bank})
    red_green_blue = torch.tensor([1.0, 10.0, 100.0]).reshape(1, 3, 1, 1)
    block = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    expected = torch.stack([block, 10 * block, 100 * block]).unsqueeze(0)
    assert torch.equal(network(red_green_blue), expected)


def test_a_tap_left_of_the_centre_reads_the_left_neighbour_and_repeats_the_border(
    fit: ModuleType,
) -> None:
    network = fit.LinearUpscaler(scale=2, kernel=3)
    bank = torch.zeros(4, 1, 3, 3)
    bank[:, 0, 1, 0] = 1.0
    network.load_state_dict({"filters.weight": bank})
    row = torch.tensor([5.0, 6.0, 7.0]).expand(1, 3, 1, 3)
    expected = torch.tensor([5.0, 5.0, 5.0, 5.0, 6.0, 6.0]).expand(1, 3, 2, 6)
    assert torch.equal(network(row), expected)


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (9, 7)])
def test_a_flat_image_of_any_size_stays_flat(model: Any, size: tuple[int, int]) -> None:
    flat = torch.full((2, 3, *size), 0.6)
    output = model(flat)
    assert output.shape == (2, 3, size[0] * 4, size[1] * 4)
    assert torch.allclose(output, torch.full_like(output, 0.6), atol=1e-5)


@pytest.mark.parametrize("axes", [(2,), (3,), (2, 3)])
def test_a_flipped_image_gives_the_flipped_output(model: Any, axes: tuple[int, ...]) -> None:
    image = torch.rand(1, 3, 11, 8, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(model(image.flip(axes)), model(image).flip(axes), atol=1e-5)


def test_the_fit_finds_the_filters_that_made_the_image(fit: ModuleType) -> None:
    rng = np.random.default_rng(2)
    filters = rng.normal(size=(16, 7, 7))
    filters[:, 3, 3] += 1.0 - filters.sum(axis=(1, 2))
    lr = rng.uniform(0, 255, (90, 40))  # more rows than one band, the last band not full
    equations = fit.NormalEquations.empty().with_plane(lr, _filtered(lr, filters))
    np.testing.assert_allclose(equations.solve(), filters, atol=1e-9)


def test_symmetrising_equals_fitting_all_flips_and_rotations(fit: ModuleType) -> None:
    rng = np.random.default_rng(3)
    lr, hr = rng.uniform(0, 255, (14, 17)), rng.uniform(0, 255, (56, 68))
    once = fit.NormalEquations.empty().with_plane(lr, hr).symmetrised()
    every = fit.NormalEquations.empty()
    for turns in range(4):
        low, high = np.rot90(lr, turns), np.rot90(hr, turns)
        every = every.with_plane(low, high).with_plane(low[:, ::-1], high[:, ::-1])
    np.testing.assert_allclose(once.gram * 8, every.gram, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(once.moments * 8, every.moments, rtol=1e-9, atol=1e-6)


def test_flat_photographs_are_refused(fit: ModuleType) -> None:
    equations = fit.NormalEquations.empty().with_plane(np.ones((9, 9)), np.ones((36, 36)))
    with pytest.raises(ValueError, match="too few or too flat"):
        equations.solve()


def test_the_script_writes_the_weights_that_it_reports(
    fit: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    noise = np.random.default_rng(4).integers(0, 256, (30, 30, 3), dtype=np.uint8)
    smooth = cv2.resize(noise, (240, 200), interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(photos / "smooth.png"), smooth)
    output = tmp_path / "weights.safetensors"
    fit.main([str(photos), "--output", str(output)])
    network = fit.LinearUpscaler(scale=4, kernel=7)
    network.load_state_dict(load_file(output), strict=True)
    truth = fit.read(photos / "smooth.png", shrink=1)
    lr = fit.downscale(truth, 4)
    bicubic, ours = (
        score(image, truth, profile=NTIRE, scale=4).psnr_db
        for image in (upscale(lr, 4), fit.super_resolve(network, lr))
    )
    assert ours > bicubic
    first = capsys.readouterr().out.splitlines()[0]
    assert f"{bicubic:.3f} dB" in first
    assert f"{ours:.3f} dB" in first


@pytest.mark.parametrize("name", [".", "missing"])
def test_a_folder_without_photographs_is_named(fit: ModuleType, tmp_path: Path, name: str) -> None:
    with pytest.raises(SystemExit, match="name a folder of photos"):
        fit.main([str(tmp_path / name)])


@pytest.mark.parametrize("name", ["sample_valid", "sample_test"])
def test_it_beats_bicubic_on_each_sample_photograph(fit: ModuleType, model: Any, name: str) -> None:
    pairs = find(name, data_dir=None, scale=4).pairs
    assert len(pairs) == 2
    for pair in pairs:
        bicubic, ours = _psnr_db(fit, model, pair, NTIRE)
        assert ours > bicubic + 0.4, pair.image


def test_it_beats_bicubic_on_each_image_of_set5(
    fit: ModuleType, model: Any, shared_dir: Path
) -> None:
    pairs = find("Set5", data_dir=shared_dir / "data", scale=4).pairs
    figures = np.array([_psnr_db(fit, model, pair, CLASSIC_Y) for pair in pairs])
    assert (figures[:, 1] > figures[:, 0] + 0.5).all()
    np.testing.assert_allclose(figures.mean(axis=0), [28.43, 29.41], atol=0.01)


def _filtered(lr: NDArray[np.float64], filters: NDArray[np.float64]) -> NDArray[np.float64]:
    """HR whose 4x4 block on each LR pixel is made by the 16 filters; zero at the border."""
    height, width = lr.shape
    blocks = np.zeros((height, width, 4, 4))
    for row in range(3, height - 3):
        for column in range(3, width - 3):
            patch = lr[row - 3 : row + 4, column - 3 : column + 4]
            blocks[row, column] = (filters * patch).sum(axis=(1, 2)).reshape(4, 4)
    return blocks.transpose(0, 2, 1, 3).reshape(height * 4, width * 4)


def _psnr_db(fit: ModuleType, model: Any, pair: ImagePair, profile: Profile) -> tuple[float, float]:
    """Bicubic's and the filters' PSNR on one image."""
    lr, hr = read_lr(pair, scale=4), read_hr(pair, scale=4)
    outputs = (upscale(lr, 4), fit.super_resolve(model, lr))
    bicubic, ours = (score(one, hr, profile=profile, scale=4).psnr_db for one in outputs)
    return bicubic, ours
