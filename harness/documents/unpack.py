"""Archives, unpacked as if a stranger had made them, as many have: files alone, inside, bounded."""

from __future__ import annotations

import bz2
import gzip
import lzma
import math
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Protocol, cast

MOST_FILES = 100_000
_BLOCK = 1 << 20
_ENCRYPTED = 1  # of a member's flags
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,  # what zipfile can't undo
    NotImplementedError,
    ArithmeticError,  # and what tarfile makes of fields of headers that lie
    LookupError,
    ValueError,
)
_MEMORY = 128 << 20  # bytes for what an .xz was compressed with; xz -9 needs half of it
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LONGEST = 255  # bytes of a name in a folder
_LONGEST_PATH = 1000  # characters of all its folders and its own
_DEEPEST = 32  # folders in folders: each member may bring as many
_HEADER = 4096  # bytes for each file that may be there, which libraries keep in memory


class ArchiveRefused(ValueError):
    """An archive is not unpacked; the message says what it holds."""


class _MemberRefused(ValueError):
    """A member is not unpacked; the message says what it is."""


@dataclass(frozen=True)
class _Member:
    """A file or a folder of an archive; a `fault` is why it can't be read."""

    name: str
    folder: bool
    open: Callable[[], IO[bytes] | None]
    fault: str = ""


def unpack(
    archive: Path,
    folder: Path,
    *,
    most_bytes: int,
    most_files: int = MOST_FILES,
    told: Callable[[str], object] | None = None,
) -> None:
    """The files of a zip or tar archive into an empty folder.

    ArchiveRefused for a link or a device, a name that leads outside or stands twice, more than
    `most_files` files and folders, more than `most_bytes` in all, an encrypted or a damaged
    archive, and what may take far more memory to be decompressed. Where somebody is `told` of
    members that are refused, the others are unpacked.
    """
    left = most_bytes
    try:
        with _opened(archive, most_bytes, _BLOCK + _HEADER * most_files) as members:
            for number, member in enumerate(members, start=1):
                if number > most_files:
                    raise _refused(archive, f"more than {most_files} files")
                try:
                    left = _unpacked(archive, member, folder, left)
                except _MemberRefused as error:
                    if told is None:
                        raise _refused(archive, str(error)) from None
                    told(str(error))
    except ArchiveRefused:
        raise
    except (*_BROKEN, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk: gzip and bz2 know no number
        raise _refused(archive, f"what can't be unpacked: {error}") from error


def _unpacked(archive: Path, member: _Member, folder: Path, left: int) -> int:
    """Write a member; the bytes that may still come."""
    path = _inside(folder, member.name)
    if member.fault:
        raise _MemberRefused(f"{member.name!r:.80}, {member.fault}")
    if member.folder:
        return left
    with member.open() or nullcontext() as content:
        return left if content is None else _write(archive, content, path, left)


@contextmanager
def _opened(archive: Path, most_bytes: int, headers: int) -> Iterator[Iterator[_Member]]:
    if zipfile.is_zipfile(archive):
        with archive.open("rb") as file:
            bounded = _Bounded(file, at_once=headers)  # it reads all headers at once
            with zipfile.ZipFile(cast("IO[bytes]", bounded)) as zipped:
                yield _zipped(zipped)
    else:
        with closing(_decompressed(archive)) as stream:
            bounded = _Bounded(stream, _BLOCK, headers, most_bytes + headers)
            with tarfile.open(fileobj=cast("IO[bytes]", bounded), mode="r:") as tarred:
                yield _tarred(tarred, bounded)


class _Stream(Protocol):
    """What is read of an archive's stream: forwards alone."""

    def read(self, size: int, /) -> bytes: ...

    def seek(self, place: int, whence: int = ..., /) -> int: ...

    def tell(self) -> int: ...

    def close(self) -> None: ...


def _decompressed(archive: Path) -> _Stream:
    with archive.open("rb") as file:
        begins = file.read(_LONGEST_MAGIC)
    opened = next((it for magic, it in _COMPRESSED.items() if begins.startswith(magic)), None)
    return opened(archive) if opened else archive.open("rb")


class _Xz:
    """An .xz, which says itself how much memory it takes: `lzma.open` gives it 4 GiB if it asks."""

    def __init__(self, archive: Path) -> None:
        self._file, self._place = archive.open("rb"), 0
        self._unpacker = lzma.LZMADecompressor(memlimit=_MEMORY)

    def read(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size > 0 and (more := self._more(size)):
            parts.append(more)
            size -= len(more)
        found = b"".join(parts)
        self._place += len(found)
        return found

    def seek(self, place: int, _whence: int = os.SEEK_SET) -> int:
        while self._place < place and self.read(min(place - self._place, _BLOCK)):
            pass
        return self._place

    def tell(self) -> int:
        return self._place

    def close(self) -> None:
        self._file.close()

    def _more(self, most: int) -> bytes:
        """Some bytes, none at the end; streams, and zeros between them, may follow each other."""
        found = b""
        while not found:
            packed = b""
            if self._unpacker.eof:
                packed = (self._unpacker.unused_data or self._file.read(_BLOCK)).lstrip(b"\0")
                if not packed:
                    return b""
                self._unpacker = lzma.LZMADecompressor(memlimit=_MEMORY)
            elif self._unpacker.needs_input and not (packed := self._file.read(_BLOCK)):
                raise EOFError("it ends too early")
            found = self._unpacker.decompress(packed, most)
        return found


_COMPRESSED: dict[bytes, Callable[[Path], _Stream]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": _Xz,
}
_LONGEST_MAGIC = max(map(len, _COMPRESSED))


@dataclass
class _Bounded:
    """The stream of an archive, which says itself how long its headers are and where they end.

    `at_once` bytes are read in one go, `headers` in all unless `in_content`, and none that lie
    behind the place `most`: to skip a member is to decompress it.
    """

    stream: _Stream
    at_once: int
    headers: float = math.inf
    most: float = math.inf
    in_content: bool = False

    def read(self, size: int | None = None) -> bytes:
        size = self.at_once if size is None else size  # zipfile's look at the last 64 KiB
        self.headers -= 0 if self.in_content else size
        if size > self.at_once or self.headers < 0:
            raise tarfile.ReadError(f"a header of {size:,} bytes, or too many headers")
        return self.stream.read(size)

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        if place > self.most:
            raise tarfile.ReadError(f"more than {self.most:,} bytes")
        return self.stream.seek(place, whence)

    def tell(self) -> int:
        return self.stream.tell()

    def seekable(self) -> bool:
        return True


def _zipped(zipped: zipfile.ZipFile) -> Iterator[_Member]:
    for info in zipped.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        faults = {
            "a link or a device": kind not in (0, stat.S_IFREG, stat.S_IFDIR),
            "encrypted": bool(info.flag_bits & _ENCRYPTED),
            # bzip2 and LZMA have no bound on what a few bytes of theirs take in memory
            "compressed otherwise than by deflate": info.compress_type not in _METHODS,
        }
        fault = next((text for text, so in faults.items() if so), "")
        yield _Member(info.filename, info.is_dir(), partial(zipped.open, info), fault)


def _tarred(tarred: tarfile.TarFile, stream: _Bounded) -> Iterator[_Member]:
    for info in tarred:
        stream.in_content = True
        fault = "" if info.isreg() or info.isdir() else "a link or a device"
        yield _Member(info.name, info.isdir(), partial(tarred.extractfile, info), fault)
        stream.in_content = False


def _inside(folder: Path, name: str) -> Path:
    parts = PurePosixPath(name)
    odd = "\\" in name or "\0" in name or not parts.parts
    if odd or parts.is_absolute() or ".." in parts.parts:
        raise _MemberRefused(f"{name!r:.80}, which leads outside")
    if max(len(part.encode()) for part in parts.parts) > _LONGEST or len(name) > _LONGEST_PATH:
        raise _MemberRefused(f"{name!r:.80}, a longer name than folders take")
    if len(parts.parts) > _DEEPEST:
        raise _MemberRefused(f"{name!r:.80}, in more than {_DEEPEST} folders")
    return folder.joinpath(*parts.parts)


def _write(archive: Path, content: IO[bytes], path: Path, left: int) -> int:
    """Copy a member; the bytes that may still come."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("xb")
    except (FileExistsError, NotADirectoryError):
        raise _MemberRefused(f"{path.name!r:.80} twice") from None
    with file:
        while block := content.read(_BLOCK):
            left -= len(block)
            if left < 0:
                raise _refused(archive, "more bytes than its description says")
            file.write(block)
    return left


def _refused(archive: Path, why: str) -> ArchiveRefused:
    return ArchiveRefused(f"{archive.name} is not unpacked: it holds {why}")
