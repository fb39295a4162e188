"""Files of strangers: only plain ones are opened, and nothing waits for what poses as one."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

PLAIN = "a plain file"
_KINDS = {
    stat.S_IFREG: PLAIN,
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def kind(path: Path) -> str:
    """What stands at a path, which is not followed if it is a link; "" where nothing can be seen.

    As in `a pipe`; PLAIN for an ordinary file.
    """
    try:
        return _kind(path.lstat().st_mode)
    except (OSError, ValueError):  # ValueError: a name that holds a NUL
        return ""


def opened(path: Path) -> BufferedReader:
    """A plain file, or what a link to one leads to, to be read.

    OSError for anything else, before it is opened: a pipe would wait for a writer, and a device may
    act on being opened. It may be exchanged meanwhile, so that the opening waits for nothing.
    """
    _refuse(path, path.stat().st_mode)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        _refuse(path, os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read(path: Path, most: int) -> bytes:
    """The bytes of a plain file, `most` of them at the most; OSError as `opened`."""
    with opened(path) as file:
        return file.read(most)


def _refuse(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, f"it is {_kind(mode)}, not {PLAIN}", str(path))


def _kind(mode: int) -> str:
    return _KINDS.get(stat.S_IFMT(mode), "something else")
