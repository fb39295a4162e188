"""PNG files: size without decoding, and pixels that do not depend on a decoder's taste.

Every chunk's checksum is verified, so that damage never depends on a decoder's leniency, and only
the critical chunks (IHDR, PLTE, IDAT, IEND) reach the decoder, so that colour profiles, gamma, EXIF
orientation, transparency and animation never change a pixel (PNG specification, sections 5 and 11).

Pillow does a part of this and decodes a fifth faster, but it sees that a file was cut off only by
reading all of it, leaves the last chunk's checksum alone, refuses whole pixels for an odd text or
profile, brings 16-bit RGB down to 8 in silence, and tells kinds of damage apart in prose alone.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from harness.datasets.image_header import Header, ImageFileError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LFS = b"version https://git-lfs"
_OTHERS = {  # how other files begin, what they are, and what to do
    b"\xff\xd8\xff": ", but a JPEG, which has lost detail; get the PNG file",
    b"BM": ", but a BMP; name it .bmp",
    b"II*\0": ", but a TIFF; name it .tif",
    b"MM\0*": ", but a TIFF; name it .tif",
    b"<": ", but a web page; get the file again",
    b"": "; get the file again or convert it",
}
_WITH_ALPHA = (4, 6)  # colour types: grey with alpha, RGB with alpha
_ANCILLARY = 0x20  # the bit of a chunk's first letter that says: not needed for the pixels


def read_header(path: Path) -> Header:
    """The header of a PNG file, the checksums of all its chunks verified but no pixel decoded.

    Raises ImageFileError for a file that can't be opened, is no PNG, is damaged, or has 16 bits.
    """
    try:
        if path.stat().st_size == 0:
            raise ImageFileError("is empty; get the file again")
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            return _header(data)
    except OSError as error:
        raise ImageFileError(f"cannot be read: {error.strerror}") from error


def read_image(path: Path) -> NDArray[np.uint8]:
    """The pixels of a PNG file: H x W x 3 RGB; grey in three equal channels, alpha dropped.

    Raises ImageFileError for what `read_header` refuses and for damaged pixels.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageFileError(f"cannot be read: {error.strerror}") from error
    return pixels(data)


def pixels(data: bytes, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """The same of a file's bytes; another height and width than `size` are refused unread."""
    found = _header(data).size
    if size not in (None, found):
        raise ImageFileError(f"has another size than was told: {found}")
    critical = np.frombuffer(_critical(data), np.uint8)
    try:
        image = cv2.imdecode(critical, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise ImageFileError(f"cannot be decoded: {error.err}") from error
    if image is None or image.shape != (*found, 3) or image.dtype != np.uint8:
        raise ImageFileError("cannot be decoded: its pixel data is damaged; get the file again")
    return np.ascontiguousarray(image[:, :, ::-1], dtype=np.uint8)


def _header(data: bytes | mmap) -> Header:
    chunks = list(_chunks(data))
    kind, start, stop = chunks[0]
    if kind != b"IHDR" or stop - start != 13:
        raise ImageFileError("is damaged: its first chunk is no IHDR; get the file again")
    for _, start, stop in chunks:
        _check(data, start, stop)
    start = chunks[0][1]
    width, height, depth, colour = struct.unpack_from(">IIBB", data, start)
    kinds = {kind for kind, _, _ in chunks}
    if not width or not height or b"IDAT" not in kinds:
        raise ImageFileError("is damaged: it holds no pixels; get the file again")
    if depth > 8:
        raise ImageFileError(f"is a {depth}-bit image; convert it to 8 bits a channel")
    return Header(height, width, colour in _WITH_ALPHA or b"tRNS" in kinds)


def _critical(data: bytes) -> bytes:
    parts = [_SIGNATURE]
    for kind, start, stop in _chunks(data):
        if not kind[0] & _ANCILLARY:
            parts.append(data[start - 8 : stop + 4])
    return b"".join(parts)


def _check(data: bytes | mmap, start: int, stop: int) -> None:
    (stored,) = struct.unpack_from(">I", data, stop)
    if zlib.crc32(data[start - 4 : stop]) != stored:
        raise ImageFileError("is damaged: a checksum does not match; get the file again")


def _chunks(data: bytes | mmap) -> Iterator[tuple[bytes, int, int]]:
    """Kind, first byte and end of each chunk's content, to IEND."""
    if data[: len(_LFS)] == _LFS:
        raise ImageFileError("is a Git LFS pointer and not the image: run `git lfs pull`")
    if data[:8] != _SIGNATURE:
        what = next(it for head, it in _OTHERS.items() if data[: len(head)] == head)
        raise ImageFileError(f"is no PNG file{what}")
    at, kind = len(_SIGNATURE), b""
    while kind != b"IEND":
        length = struct.unpack_from(">I", data, at)[0] if at + 12 <= len(data) else len(data)
        start, stop = at + 8, at + 8 + length
        if stop + 4 > len(data):
            raise ImageFileError("was cut off before its end; get the file again")
        kind = bytes(data[at + 4 : start])
        yield kind, start, stop
        at = stop + 4
