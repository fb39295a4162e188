"""Files that are written at once or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

SUFFIX = ".partial"
LEFTOVERS = f"**/.*{SUFFIX}"  # of processes that were killed while they wrote
_ADVICE = {
    errno.ENOSPC: "make room on that disk",
    errno.EDQUOT: "make room in your quota",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f)",
    errno.EROFS: "mount it writable, or choose another folder",
    errno.EACCES: "get the right to write there, or choose another folder",
    errno.EPERM: "get the right to write there, or choose another folder",
}


class WriteError(Exception):
    """A file can't be written; the message says which, why, and what to do."""


def write_texts(folder: Path, texts: Mapping[str, str]) -> tuple[Path, ...]:
    """`write` each text into the folder, by its file's name; the paths in that order."""
    for name, text in texts.items():
        write(folder / name, text.encode())
    return tuple(folder / name for name in texts)


def write(path: Path, data: bytes) -> None:
    """All of `data` at `path`, or what was there before, even across a power cut.

    The folder is made if it is missing. WriteError where the disk refuses.
    """
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}{SUFFIX}"
    try:
        missing = [it for it in path.parents if not it.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        for made in reversed(missing):  # that a new folder is there must survive a power cut too
            _sync_folder(made.parent)
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):  # what stands in the way matters, not this
                temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise refusal(path, error) from error


def write_changed(path: Path, data: bytes) -> None:
    """`write`, unless that is what lies at `path` already: the disk is spared a thousand files."""
    try:
        same = path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        same = False
    if not same:
        write(path, data)


def remove(path: Path) -> None:
    """The file is gone, if it was there; WriteError where the disk refuses."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise refusal(path, error) from error


def refusal(path: Path, error: OSError) -> WriteError:
    """What to tell of a file or folder that can't be written."""
    reason = error.strerror or str(error)
    advice = _ADVICE.get(error.errno or 0, "choose another folder")
    return WriteError(f"{path} can't be written: {reason}; {advice}")


def make_folder(path: Path) -> None:
    """A folder and those above it, if they are missing; WriteError where that can't be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(
            f"the folder {path} can't be made: {error.strerror or error}; choose another folder"
        ) from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
