"""What may be in a submission's folder: plain files of ordinary names, not too many, not too large.

There are no archives in the contract: an entry is a folder, and nothing in it is unpacked.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Collection, Iterator
from pathlib import Path

from harness.documents import file_names, plain_file

IGNORED = frozenset({"__pycache__", ".git", ".DS_Store"})  # not looked at, nor shown to a worker
FILES_CAP = 5_000  # files and folders
BYTES_CAP = 2 * 2**30  # of all files
HOLES_CAP = 16 * 2**20  # bytes of a file that no disk holds
DEPTH_CAP = 20  # folders in folders
NAME_CAP = 120  # characters
_EXTENTS = 10_000  # of a file, looked at


def check(folder: Path, *, ignored: Collection[str] = IGNORED) -> None:
    """ValueError that names the first thing that may not be there; nothing is opened before."""
    for fault in faults(folder, ignored=ignored):
        raise ValueError(fault)


def faults(folder: Path, *, ignored: Collection[str] = IGNORED) -> Iterator[str]:
    """Everything that may not be there, as far as there is not too much of it.

    Refused are links, devices, sockets and pipes, sparse and huge files, too many of them, names
    with control, direction-changing or invalid characters, and two names that are one in Unicode.
    """
    size, composed = 0, set[Path]()
    for count, (path, depth) in enumerate(_walk(folder, frozenset(ignored), 1), start=1):
        shown = _shown(path.relative_to(folder))
        if fault := _fault(path, depth):
            yield f"{shown}: {fault}"
        if (alike := path.with_name(file_names.composed(path.name))) in composed:
            yield (
                f"{shown}: another name there differs only in how accents are written, in composed "
                "or in decomposed Unicode: keep one"
            )
        composed.add(alike)
        size += path.lstat().st_size if path.is_file() else 0
        if count > FILES_CAP:
            yield f"more than {FILES_CAP} files and folders are in the submission"
        if size > BYTES_CAP:
            yield f"the files of the submission are larger than {BYTES_CAP >> 20} MiB"
        if count > FILES_CAP or size > BYTES_CAP:
            return


def _walk(folder: Path, ignored: Collection[str], depth: int) -> Iterator[tuple[Path, int]]:
    with os.scandir(folder) as listed:  # in any order: a folder may hold millions
        for found in listed:
            if found.name in ignored:
                continue
            path = Path(found.path)
            yield path, depth
            if depth <= DEPTH_CAP and found.is_dir(follow_symlinks=False):
                yield from _walk(path, ignored, depth + 1)


def _fault(path: Path, depth: int) -> str:
    name, about = path.name, path.lstat()
    size = about.st_size
    plain, folder = stat.S_ISREG(about.st_mode), stat.S_ISDIR(about.st_mode)
    hidden = "\\" in name or any(unicodedata.category(it).startswith("C") for it in name)
    faults = {
        f"the name is longer than {NAME_CAP} characters": len(name) > NAME_CAP,
        "the name holds characters that are no part of a file's ordinary name": hidden,
        "folders are nested too deeply": folder and depth > DEPTH_CAP,
        "only plain files and folders may be in a submission": not plain and not folder,
        f"the file is larger than {BYTES_CAP >> 20} MiB": plain and size > BYTES_CAP,
        "the file is sparse: it claims to be larger than what it holds": (
            plain and HOLES_CAP < size <= BYTES_CAP and _holes(path, size) > HOLES_CAP
        ),
    }
    return next((text for text, found in faults.items() if found), "")


def _holes(path: Path, size: int) -> int:
    """Bytes that the file system does not store; 0 where it can't tell."""
    data = at = 0
    with plain_file.opened(path) as file:
        for _ in range(_EXTENTS):
            try:
                start = os.lseek(file.fileno(), at, os.SEEK_DATA)
                at = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            except OSError:  # no data behind `at`, or a file system that does not tell
                break
            data += at - start
    # that there is no data at all is an answer only where no block is stored
    return size - data if data or path.lstat().st_blocks == 0 else 0


def _shown(path: Path) -> str:
    """The path with what can't be seen written as an escape."""
    text = "".join(it if it.isprintable() else ascii(it)[1:-1] for it in str(path))
    return text if len(text) <= NAME_CAP else f"{text[: NAME_CAP - 1]}…"
