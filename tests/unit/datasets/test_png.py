from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.datasets.png import ImageFileError, read_header, read_image

RGB, GREY, PALETTE, RGBA = 2, 0, 3, 6


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def png(
    *rows: bytes,
    width: int,
    colour: int = RGB,
    depth: int = 8,
    extra: bytes = b"",
    tail: bytes = b"",
) -> bytes:
    """A PNG file from the bytes of its rows, by the book: no encoder's habits in it."""
    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = chunk(b"IHDR", header) + extra + chunk(b"IDAT", pixels) + chunk(b"IEND", b"") + tail
    return b"\x89PNG\r\n\x1a\n" + chunks


def stored(folder: Path, data: bytes) -> Path:
    path = folder / "image.png"
    path.write_bytes(data)
    return path


def test_channels_come_in_the_order_red_green_blue(tmp_path: Path) -> None:
    path = stored(tmp_path, png(bytes([1, 2, 3, 4, 5, 6]), width=2))
    assert read_image(path).tolist() == [[[1, 2, 3], [4, 5, 6]]]


def test_the_header_gives_height_before_width(tmp_path: Path) -> None:
    path = stored(tmp_path, png(b"\1\2\3" * 5, b"\1\2\3" * 5, width=5))
    assert read_header(path).size == (2, 5)
    assert not read_header(path).alpha


def test_a_grey_image_becomes_three_equal_channels(tmp_path: Path) -> None:
    path = stored(tmp_path, png(bytes([7, 200]), width=2, colour=GREY))
    assert read_image(path).tolist() == [[[7, 7, 7], [200, 200, 200]]]


def test_a_one_bit_image_spans_black_to_white(tmp_path: Path) -> None:
    path = stored(tmp_path, png(bytes([0b10000000]), width=2, colour=GREY, depth=1))
    assert read_image(path).tolist() == [[[255, 255, 255], [0, 0, 0]]]


def test_a_palette_image_becomes_rgb(tmp_path: Path) -> None:
    palette = chunk(b"PLTE", bytes([255, 0, 0, 0, 0, 255]))
    path = stored(tmp_path, png(bytes([1, 0]), width=2, colour=PALETTE, extra=palette))
    assert read_image(path).tolist() == [[[0, 0, 255], [255, 0, 0]]]


def test_alpha_is_dropped_not_blended(tmp_path: Path) -> None:
    path = stored(tmp_path, png(bytes([10, 20, 30, 0]), width=1, colour=RGBA))
    assert read_image(path).tolist() == [[[10, 20, 30]]]
    assert read_header(path).alpha


def test_a_transparent_palette_counts_as_alpha(tmp_path: Path) -> None:
    extra = chunk(b"PLTE", bytes([9, 8, 7])) + chunk(b"tRNS", bytes([0]))
    path = stored(tmp_path, png(bytes([0]), width=1, colour=PALETTE, extra=extra))
    assert read_header(path).alpha
    assert read_image(path).tolist() == [[[9, 8, 7]]]


def test_exif_orientation_turns_nothing(tmp_path: Path) -> None:
    # TIFF, little endian, one entry: tag 0x0112 (orientation), type SHORT, count 1, value 6
    exif = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    path = stored(tmp_path, png(bytes(range(6)), width=2, extra=chunk(b"eXIf", exif)))
    assert read_image(path).tolist() == [[[0, 1, 2], [3, 4, 5]]]


def test_gamma_changes_no_pixel(tmp_path: Path) -> None:
    gamma = chunk(b"gAMA", struct.pack(">I", 100000))
    path = stored(tmp_path, png(bytes([10, 100, 200]), width=1, extra=gamma))
    assert read_image(path).tolist() == [[[10, 100, 200]]]


def test_16_bits_are_refused_before_decoding(tmp_path: Path) -> None:
    path = stored(tmp_path, png(bytes(6), width=1, depth=16))
    for read in (read_header, read_image):
        with pytest.raises(ImageFileError, match="is a 16-bit image; convert it to 8 bits"):
            read(path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\xff\xd8\xff\xe0 a JPEG under a PNG's name", "is no PNG file, but a JPEG, which has"),
        (b"BM6\0\0\0", "is no PNG file, but a BMP; name it .bmp"),
        (b"MM\0*\0\0\0\x08", "is no PNG file, but a TIFF; name it .tif"),
        (b"<!doctype html>", "is no PNG file, but a web page; get the file again"),
        (b"GIF89a", "is no PNG file; get the file again or convert it"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer and not the image"),
        (png(b"\1\2\3", width=1)[:-1], "was cut off"),
        (png(b"\1\2\3", width=1)[:20], "was cut off"),
        (b"\x89PNG\r\n\x1a\n", "was cut off"),
        (b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""), "first chunk is no IHDR"),
        (png(width=1), "holds no pixels"),
        (png(b"\1\2\3", width=1).replace(b"\0\0\0\1\0\0\0\1", b"\0\0\0\2\0\0\0\1"), "checksum"),
    ],
    ids=[
        "empty",
        "jpeg",
        "bmp",
        "tiff",
        "page",
        "gif",
        "pointer",
        "end",
        "begin",
        "signature",
        "headless",
        "no rows",
        "header",
    ],
)
def test_damage_that_the_header_shows_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    path = stored(tmp_path, data)
    with pytest.raises(ImageFileError, match=message):
        read_header(path)


def test_a_missing_file_is_refused_with_the_reason(tmp_path: Path) -> None:
    for read in (read_header, read_image):
        with pytest.raises(ImageFileError, match="cannot be read: No such file"):
            read(tmp_path / "absent.png")


def test_too_few_pixels_with_right_checksums_are_refused(tmp_path: Path) -> None:
    whole = png(b"\1\2\3" * 4, b"\1\2\3" * 4, width=4)
    half = whole.replace(
        chunk(b"IDAT", zlib.compress((b"\0" + b"\1\2\3" * 4) * 2)),
        chunk(b"IDAT", zlib.compress(b"\0\1\2\3")),
    )
    assert half != whole
    with pytest.raises(ImageFileError, match="pixel data is damaged"):
        read_image(stored(tmp_path, half))


def test_an_image_beyond_the_decoders_limits_is_refused(tmp_path: Path) -> None:
    data = png(b"\1\2\3", width=1 << 24)
    assert read_header(stored(tmp_path, data)).size == (1, 1 << 24)
    with pytest.raises(ImageFileError, match="cannot be decoded"):
        read_image(tmp_path / "image.png")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_is_noticed(tmp_path: Path, data: st.DataObject) -> None:
    whole = png(bytes(range(9)), bytes(range(9)), width=3)
    at = data.draw(st.integers(0, len(whole) - 1))
    flip = data.draw(st.integers(1, 255))
    damaged = whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :]
    with pytest.raises(ImageFileError):
        read_image(stored(tmp_path, damaged))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_pixels_survive_another_encoder(tmp_path: Path, height: int, width: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    path = tmp_path / "image.png"
    assert cv2.imwrite(str(path), image[:, :, ::-1])
    assert np.array_equal(read_image(path), image)
    assert read_header(path).size == (height, width)
