from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.sandbox import python_home, shipped_images

LARGE = bytes(5000)


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed packages, the only one, and a dataset that uses one of its files."""
    root = tmp_path / "data" / "lib"  # that it lies below a folder of data says nothing
    root.mkdir(parents=True)
    truth = _file(root / "pictures" / "truth.xyz", b"small, of no known kind")
    monkeypatch.setattr(python_home, "libraries", lambda: (root,))
    monkeypatch.setattr(python_home, "unused", lambda: (root / "unused",))
    monkeypatch.setattr(shipped_images, "bundled_truths", lambda: (truth,))
    shipped_images.shipped.cache_clear()
    yield root
    shipped_images.shipped.cache_clear()


def _file(path: Path, content: bytes = LARGE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "name",
    [
        "pictures/astronaut.png",
        "matplotlib/mpl-data/sample_data/grace_hopper.JPG",
        "matplotlib/mpl-data/sample_data/s1045.ima.gz",
        "pywt/data/camera.npz",
        "scipy/misc/face.dat",
        "sklearn/datasets/images/china.jpg",
        "imageio/resources/images/chelsea.zip",
        "kit/page.ppm.bz2",
        "docs/_static/favicon.ico",  # may hold a PNG
    ],
)
def test_a_picture_is_found_anywhere_and_an_array_among_samples(library: Path, name: str) -> None:
    path = _file(library / name)
    assert shipped_images.shipped() == (library / "pictures" / "truth.xyz", path)


@pytest.mark.parametrize(
    "name",
    [
        "scipy/stats/_sobol_direction_numbers.npz",
        "skimage/data/__init__.py",
        "skimage/data/_binary_blobs.cpython-311.so",
        "torch/lib/libtorch.so",
        "lpips/weights/v0.1/alex.pth",
        "dateutil/zoneinfo/zones.tar.gz",
        "unused/skimage/data/astronaut.png",
    ],
)
def test_what_code_needs_and_what_is_not_shown_is_left_alone(library: Path, name: str) -> None:
    _file(library / name)
    assert shipped_images.shipped() == (library / "pictures" / "truth.xyz",)


def test_an_icon_is_no_photograph(library: Path) -> None:
    _file(library / "kit" / "icon.png", bytes(4096))
    photograph = _file(library / "kit" / "photograph.png", bytes(4097))
    assert shipped_images.shipped()[1:] == (photograph,)


def test_a_link_stands_for_what_it_leads_to(library: Path, tmp_path: Path) -> None:
    stored = _file(tmp_path / "store" / "0a1b")
    (library / "kit").mkdir()
    (library / "kit" / "a.png").symlink_to(stored)
    (library / "kit" / "b.png").symlink_to(tmp_path / "nowhere")
    assert shipped_images.shipped()[1:] == (stored,)


def test_a_folder_of_images_alone_is_covered_whole(library: Path) -> None:
    for name in ("large.png", "other.jpg"):
        _file(library / "gallery" / name)
    _file(library / "gallery" / "icon.png", b"small")
    mixed = [_file(library / "mixed" / name) for name in ("a.png", "b.png")]
    _file(library / "mixed" / "__init__.py", b"")
    truth = library / "pictures"  # alone in its folder
    assert list(shipped_images.covers()) == [library / "gallery", *mixed, truth]
