"""What packages of an entry's own cost: seconds and bytes of disk for the first, a second, offline.

    python tests/benchmarks/entry_packages.py

It asks the package index for einops, numpy below 2 and timm, with an empty cache of uv in a
temporary folder. Bytes are of files that no earlier line has counted: hard links cost none.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from harness.entries.packages import uv
from harness.sandbox.entry_packages import folder_of

DATE = "2026-11-01"  # of a torchvision for the torch here
FIRST, SECOND = ("einops", "numpy<2"), ("einops", "numpy<2", "timm")


def main() -> None:
    """Lock and build, once with an empty cache, then with what is there."""
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        os.environ |= {"UV_CACHE_DIR": str(home / "uv"), "XDG_CACHE_HOME": str(home / "first")}
        seen: set[int] = set()
        _told("first", FIRST, home, seen)
        _told("the same again", FIRST, home, seen)
        _told("second, with more", SECOND, home, seen)
        os.environ |= {"UV_OFFLINE": "1", "XDG_CACHE_HOME": str(home / "offline")}
        _told("first, offline on a new node", FIRST, home, seen)


def _told(name: str, requirements: tuple[str, ...], home: Path, seen: set[int]) -> None:
    began = time.perf_counter()
    lock = uv.lock(requirements, DATE)
    locked = time.perf_counter()
    folder = folder_of(lock)
    built = time.perf_counter()
    if folder is None:
        raise SystemExit(f"{requirements} bring no packages")
    size = sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
    print(
        f"{name}: {len(lock.packages)} packages, lock {locked - began:.2f} s, "
        f"build {built - locked:.2f} s, {size / 1e6:.1f} MB shown, "
        f"{_new_bytes(home, seen) / 1e6:.1f} MB more on the disk"
    )


def _new_bytes(home: Path, seen: set[int]) -> int:
    total = 0
    for path in home.rglob("*"):
        about = path.lstat()
        if about.st_ino not in seen:
            seen.add(about.st_ino)
            total += about.st_blocks * 512
    return total


if __name__ == "__main__":
    main()
