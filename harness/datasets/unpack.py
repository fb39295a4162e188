"""Archives of images, unpacked as if a stranger had made them: files alone, inside, bounded."""

from __future__ import annotations

import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import IO

from harness.datasets.http_file import FetchError

MOST_FILES = 100_000
_BLOCK = 1 << 20
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    LZMAError,
    EOFError,
    RuntimeError,  # encrypted
    UnicodeError,
)
_LONGEST = 255  # bytes of a name in a folder
_LONGEST_PATH = 1000  # characters of all its folders and its own
_Member = tuple[str, IO[bytes] | None]  # None for a folder


def unpack(archive: Path, folder: Path, *, most_bytes: int) -> None:
    """The files of a zip or tar archive into an empty folder.

    FetchError for a link or a device, a name that leads outside or stands twice, more than
    `most_bytes` in all, an encrypted or a damaged archive.
    """
    left = most_bytes
    try:
        with _opened(archive) as members:
            for number, (name, content) in enumerate(members, start=1):
                if number > MOST_FILES:
                    raise _refused(archive, f"more than {MOST_FILES} files")
                if content is not None:
                    left = _write(archive, content, _inside(archive, folder, name), left)
    except _BROKEN as error:
        raise _refused(archive, f"what can't be unpacked: {error}") from error


@contextmanager
def _opened(archive: Path) -> Iterator[Iterator[_Member]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            yield _zipped(archive, zipped)
    else:
        with tarfile.open(archive) as tarred:
            yield _tarred(archive, tarred)


def _zipped(archive: Path, zipped: zipfile.ZipFile) -> Iterator[_Member]:
    for info in zipped.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _refused(archive, f"{info.filename!r:.80}, a link or a device")
        if info.is_dir():
            yield info.filename, None
        else:
            with zipped.open(info) as content:
                yield info.filename, content


def _tarred(archive: Path, tarred: tarfile.TarFile) -> Iterator[_Member]:
    for info in tarred:
        if not (info.isreg() or info.isdir()):
            raise _refused(archive, f"{info.name!r:.80}, a link or a device")
        content = tarred.extractfile(info)
        with content or nullcontext():
            yield info.name, content


def _inside(archive: Path, folder: Path, name: str) -> Path:
    parts = PurePosixPath(name)
    odd = "\\" in name or "\0" in name or not parts.parts
    if odd or parts.is_absolute() or ".." in parts.parts:
        raise _refused(archive, f"{name!r:.80}, which leads outside")
    if max(len(part.encode()) for part in parts.parts) > _LONGEST or len(name) > _LONGEST_PATH:
        raise _refused(archive, f"{name!r:.80}, a longer name than folders take")
    return folder.joinpath(*parts.parts)


def _write(archive: Path, content: IO[bytes], path: Path, left: int) -> int:
    """Copy a member; the bytes that may still come."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("xb")
    except (FileExistsError, NotADirectoryError):
        raise _refused(archive, f"{path.name!r:.80} twice") from None
    with file:
        while block := content.read(_BLOCK):
            left -= len(block)
            if left < 0:
                raise _refused(archive, "more bytes than its description says")
            file.write(block)
    return left


def _refused(archive: Path, why: str) -> FetchError:
    return FetchError(f"{archive.name} is not unpacked: it holds {why}")
