from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from harness.datasets.image_files import read_header, read_image
from harness.datasets.image_header import ImageFileError

RGB = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


def saved(
    path: Path, pixels: NDArray[np.generic], mode: str | None = None, **options: object
) -> Path:
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(path, **options)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize(
    ("name", "compression"),
    [("a.bmp", None), ("a.tif", None), ("a.TIFF", "tiff_lzw"), ("a.tif", "tiff_adobe_deflate"),
     ("a.tif", "packbits"), ("a.tif", "tiff_deflate"), ("a.tif", "zstd"), ("a.tif", "lzma")],
)  # fmt: skip
def test_pixels_of_lossless_files_are_those_that_were_written(
    tmp_path: Path, name: str, compression: str | None
) -> None:
    path = saved(tmp_path / name, RGB, **({"compression": compression} if compression else {}))
    header = read_header(path)
    assert (header.size, header.alpha) == ((5, 7), False)
    assert np.array_equal(read_image(path), RGB)


@pytest.mark.parametrize("name", ["a.bmp", "a.tif"])
def test_grey_becomes_three_equal_channels(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path / name, RGB[:, :, 0])
    assert np.array_equal(read_image(path), np.repeat(RGB[:, :, :1], 3, axis=2))


def refusal(path: Path) -> str:
    with pytest.raises(ImageFileError) as caught:
        read_header(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "mode", "reason"),
    [
        ("a.tif", "RGBA", "has transparency"),
        ("a.bmp", "P", "has a palette"),
        ("a.tif", "P", "has a palette"),
        ("a.bmp", "1", "has 1 bit a pixel"),
        ("a.tif", "CMYK", "is of CMYK colours"),
        ("a.tif", "LAB", "is of Lab colours"),
        ("a.tif", "F", "has 32 bits a channel"),
    ],
)
def test_other_kinds_of_pixels_are_refused_with_the_reason(
    tmp_path: Path, name: str, mode: str, reason: str
) -> None:
    assert reason in refusal(saved(tmp_path / name, RGB, mode))


def test_deeper_samples_are_refused_and_never_cut(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "rgb.tif", RGB.astype(np.uint16) * 257, photometric="rgb")
    tifffile.imwrite(tmp_path / "signed.tif", RGB.astype(np.int8), photometric="rgb")
    assert "has 16 bits a channel" in refusal(tmp_path / "rgb.tif")
    assert "is no TIFF file that can be read" in refusal(tmp_path / "signed.tif")
    assert "has 16 bits" in refusal(saved(tmp_path / "grey.tif", RGB[:, :, 0].astype(np.uint16)))


def test_bmp_of_16_bits_a_pixel_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.bmp", RGB[:, :4])
    data = bytearray(path.read_bytes())
    data[28:30] = (16).to_bytes(2, "little")
    path.write_bytes(data)
    assert "has 16 bits a pixel" in refusal(path)


def test_lossy_turned_and_many_images_are_refused(tmp_path: Path) -> None:
    lossy = saved(tmp_path / "lossy.tif", RGB, compression="jpeg")
    assert "is compressed by jpeg, which is lossy" in refusal(lossy)
    turned = saved(tmp_path / "turned.tif", RGB, tiffinfo={274: 6})
    assert "is to be turned, by its Orientation" in refusal(turned)
    pages = [Image.fromarray(RGB)] * 2
    several = saved(tmp_path / "several.tif", RGB, save_all=True, append_images=pages)
    assert "holds 3 images" in refusal(several)


@pytest.mark.parametrize("name", ["a.bmp", "a.tif"])
@pytest.mark.parametrize("kept", [0, 1, 10, 60, -4])
def test_torn_files_are_found_before_anything_runs(tmp_path: Path, name: str, kept: int) -> None:
    path = saved(tmp_path / name, RGB)
    path.write_bytes(path.read_bytes()[:kept])
    assert "again" in refusal(path)


@pytest.mark.parametrize("name", ["a.bmp", "a.tif"])
def test_files_of_another_kind_are_told(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    assert "git lfs pull" in refusal(path)
    Image.fromarray(RGB).save(path, format="JPEG")
    assert f"is no {'BMP' if name == 'a.bmp' else 'TIFF'} file that can be read" in refusal(path)
    Image.fromarray(RGB).save(path, format="TIFF" if name == "a.bmp" else "BMP")
    assert "under another name" in refusal(path)
    assert "cannot be read: No such file" in refusal(tmp_path / f"absent{path.suffix}")
