"""What a confined Python must be able to read: found from the running one, never the whole disk."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]  # harness
PACKAGE_PARTS = ("__init__.py", "wire", "worker")
SYSTEM = ("/usr/lib", "/usr/lib32", "/usr/lib64", "/lib", "/lib32", "/lib64")
# the loader's cache, Debian's choice among BLAS libraries, and what torch asks of the processor:
# without the last it would choose slower kernels than outside
SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/alternatives", "/sys/devices/system")
PACKAGES = ("site-packages", "dist-packages")


def libraries() -> tuple[Path, ...]:
    """Folders of the standard library, of installed packages and of shared libraries.

    A folder that a `.pth` file adds is left out unless it is one of installed packages: an editable
    install would bring a whole checkout with it.
    """
    prefixes = (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)
    lib = [Path(prefix) / name for prefix in prefixes for name in ("lib", "lib64")]
    installed = [Path(entry) for entry in sys.path if Path(entry).name in PACKAGES]
    return outermost(path for path in (*lib, *installed, *_loader_path()) if path.is_dir())


def unused() -> tuple[Path, ...]:
    """Folders of installed packages in what is shown that this Python does not look into: those of
    the interpreter below a virtual environment, and the system's.
    """
    looked = {Path(entry).resolve() for entry in sys.path}
    found = [
        folder.resolve()
        for root in (*libraries(), *system())
        for name in PACKAGES
        for pattern in (name, f"python*/{name}")
        for folder in root.glob(pattern)
    ]
    return tuple(
        folder
        for folder in outermost(found)
        if not any(path == folder or folder in path.parents for path in looked)
    )


def copies() -> tuple[Path, ...]:
    """Our package, and what an earlier install left of it: it holds the references' weights."""
    beside = (Path(entry) / PACKAGE.name for entry in sys.path if Path(entry).name in PACKAGES)
    return outermost((PACKAGE, *(path for path in beside if path.is_dir())))


def system() -> tuple[Path, ...]:
    """The system's shared libraries, and the few files that loaders and torch read."""
    return tuple(path for path in map(Path, (*SYSTEM, *SYSTEM_FILES)) if path.exists())


def outermost(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The paths, real ones, without those that lie in another one of them."""
    real = sorted({path.resolve() for path in paths})
    return tuple(it for it in real if not any(other in it.parents for other in real))


def _loader_path() -> list[Path]:
    """Folders of LD_LIBRARY_PATH that hold shared libraries themselves."""
    named = map(Path, filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(":")))
    return [path for path in named if path.is_absolute() and any(path.glob("*.so*"))]
