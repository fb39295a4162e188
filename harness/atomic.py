"""Files that are written at once or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

LEFTOVERS = "**/.*.partial"  # of processes that were killed while they wrote


class WriteError(Exception):
    """A file can't be written; the message says which, why, and what to do."""


def write(path: Path, data: bytes) -> None:
    """All of `data` at `path`, or what was there before, even across a power cut.

    The folder is made if it is missing. WriteError where the disk refuses.
    """
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}.partial"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write_durably(temporary, data)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        reason = error.strerror or str(error)
        raise WriteError(f"{path} can't be written: {reason}; choose another folder") from error


def make_folder(path: Path) -> None:
    """A folder and those above it, if they are missing; WriteError where that can't be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(
            f"the folder {path} can't be made: {error.strerror or error}; choose another folder"
        ) from error


def _write_durably(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
