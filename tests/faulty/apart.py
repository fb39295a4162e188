"""Work done in a child with mounts of its own: nothing is left mounted, whatever happens there."""

from __future__ import annotations

import ctypes
import os
import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
NEWNS, NEWUSER = 0x00020000, 0x10000000


class NoMounts(Exception):
    """This machine lets us mount nothing, not even in a name space of our own."""


def apart(work: Callable[[], T]) -> T:
    """What `work` returns, done where mounts are private; NoMounts where there can be none."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        _child(work, write)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    kind, value = pickle.loads(said) if said else ("died", "the child said nothing")  # noqa: S301
    if kind == "done":
        found: T = value
        return found
    raise NoMounts(value) if kind == "no mounts" else AssertionError(value)


def mount(*arguments: str) -> None:
    """As the command; NoMounts where it is refused."""
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoMounts(done.stderr.strip())


def _child(work: Callable[[], object], write: int) -> None:
    try:
        _unshare()
        said: tuple[str, object] = ("done", work())
    except NoMounts as error:
        said = ("no mounts", str(error))
    except BaseException as error:  # noqa: BLE001 - told by the parent
        said = ("failed", f"{type(error).__name__}: {error}")
    with os.fdopen(write, "wb") as pipe:
        pickle.dump(said, pipe)
    os._exit(0)


def _unshare() -> None:
    """Mounts of our own; who may not have them becomes root of a name space first."""
    uid, gid = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEWNS):
        if libc.unshare(NEWUSER | NEWNS):
            raise NoMounts(os.strerror(ctypes.get_errno()))
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1", encoding="ascii")
    mount("--make-rprivate", "/")
