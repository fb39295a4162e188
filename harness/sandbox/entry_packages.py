"""The folder of packages that an entry's worker finds before the harness's own.

Built by uv outside of the sandbox, where nothing of it is run; first started inside.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

from harness.documents import atomic
from harness.entries.packages import package_lock, uv
from harness.entries.packages.package_lock import PackageLock
from harness.entries.packages.uv_process import PackagesError
from harness.entries.weights import cache
from harness.sandbox import shipped_images

UNUSED_S = 90 * 86400.0  # after which packages go that no entry was loaded with


def folder_of(lock: PackageLock) -> Path | None:
    """Where the packages of a lock lie, built if they are not there; None where there are none.

    Whoever has the same lock has the same folder; when one is built, those that nobody has asked
    for in a while are removed. Pictures that packages bring are left out, since truths may be among
    them. PackagesError where uv can't build it, WriteError where the disk refuses.
    """
    if not lock.packages:
        return None
    place = cache() / "environments" / lock.digest
    if place.is_dir():
        with contextlib.suppress(OSError):  # somebody else's, that may be read
            os.utime(place)
        return place
    atomic.make_folder(place.parent)
    _clear(place.parent)
    building = Path(tempfile.mkdtemp(prefix=".", dir=place.parent))
    try:
        uv.install(lock, building / "made")
        _refuse_ours(building / "made")
        for picture in shipped_images.below(building / "made"):
            picture.unlink(missing_ok=True)  # the cache's own link to it stays
        with contextlib.suppress(OSError):  # another run was quicker
            (building / "made").rename(place)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return place


def _clear(folder: Path) -> None:
    """Without what nobody has asked for, or was building, in a while."""
    for it in folder.iterdir():
        with contextlib.suppress(OSError):  # another run was quicker
            if time.time() - it.stat().st_mtime > UNUSED_S:
                shutil.rmtree(it)


def _refuse_ours(folder: Path) -> None:
    """A package of any name may bring a module called torch, which would be found before ours."""
    brought = {it.name.partition(".")[0] for it in folder.iterdir()}
    if taken := sorted(brought & package_lock.reserved()):
        raise PackagesError(
            f"the packages bring {', '.join(taken)}, which the harness has in its own version"
        )
