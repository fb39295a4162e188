"""A process of uv, bounded: a small wheel may unpack to what fills a disk, or a memory."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from harness.core.outcome import BadInput

MOST_BYTES = 8 << 30  # that packages of a lock come to, unpacked
MOST_FILES = 200_000  # and their folders
MOST_MEMORY = 4 << 30  # bytes of uv's own: it reads the metadata of a wheel at once
_DEADLINE_S = 1800.0  # packages of gigabytes may come over a slow line
_LOOK_S = 0.2
_TOLD = 350  # characters of what uv says, of either end
_MOST_TOLD = 16 << 20  # bytes


class PackagesError(BadInput):
    """Packages can't be had; the message says why, and what to do."""


def run_uv(
    command: Sequence[str], place: Path, *, find_links: Path | None = None, into: Path | None = None
) -> str:
    """What uv prints, started in an empty folder, where no project of anybody's configures it.

    What it adds to its cache, and what is in the folder `into`, is bounded as above. PackagesError
    with uv's reason, or with the bound: then what was added to the cache is removed.
    """
    uv, environment = _executable(), dict(os.environ)
    if find_links:
        places = (str(find_links), environment.get("UV_FIND_LINKS", ""))
        environment["UV_FIND_LINKS"] = ",".join(filter(None, places))
    asked = [uv, "cache", "dir", "--no-config"]
    cache = Path(subprocess.check_output(asked, cwd=place, text=True).strip())
    before, began = {*_unpacked(cache)}, time.time()
    with (place / "answer").open("w+b") as answer, (place / "said").open("w+b") as said:
        child = subprocess.Popen(
            [uv, *command], cwd=place, env=environment, stdout=answer, stderr=said
        )
        try:
            for _ in _looks(child):
                _refuse_too_much({*_unpacked(cache)} - before)
                _refuse_too_much([into] if into else [])
        except BaseException:
            child.kill()
            child.wait()
            _remove(cache, {*_unpacked(cache)} - before, began)
            raise
        if child.returncode:
            raise PackagesError(f"uv {command[1]}: {_reason(child.returncode, said, place)}")
        return _text(answer)


def _looks(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Now and then while it runs, and once when it has ended; PackagesError at the deadline."""
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(child.pid, resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    ends, wait_s = time.monotonic() + _DEADLINE_S, _LOOK_S
    while time.monotonic() < ends:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(wait_s)
        began = time.monotonic()
        ended = child.returncode is not None
        yield
        if ended:
            return
        wait_s = max(_LOOK_S, 4.0 * (time.monotonic() - began))  # a look may be at many files
    raise PackagesError(f"uv gave no answer within {_DEADLINE_S:g} s")


def _unpacked(cache: Path) -> Iterator[Path]:
    """The folders into which uv unpacks wheels: first under a name for the time being."""
    yield from cache.glob(".tmp*")
    yield from cache.glob("archive-v*/*")


def _remove(cache: Path, folders: Iterable[Path], since: float) -> None:
    """Take out of the cache what was unpacked, and what points to it, which uv would trust."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    for path in cache.glob("wheels-v*/**/*"):
        with contextlib.suppress(OSError):
            if not path.is_dir() and path.lstat().st_mtime >= since - 1.0:
                path.unlink()


def _refuse_too_much(folders: Iterable[Path]) -> None:
    files = size = 0
    for top in folders:
        for folder, _, names in os.walk(top):
            files += 1 + len(names)
            for name in names:
                with contextlib.suppress(OSError):  # gone by now
                    size += Path(folder, name).lstat().st_size
            if files > MOST_FILES or size > MOST_BYTES:
                raise PackagesError(
                    f"the packages come to more than {MOST_BYTES >> 30} GiB or {MOST_FILES:,} "
                    "files: require fewer or smaller ones"
                )


def _reason(status: int, said: IO[bytes], place: Path) -> str:
    told = " ".join(_text(said).split()).replace(str(place), "")
    if len(told) > 2 * _TOLD:  # what it asked comes first, what it concludes last
        told = f"{told[:_TOLD]} … {told[-_TOLD:]}"
    return told or f"status {status}"


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(_MOST_TOLD).decode(errors="replace")


def _executable() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if found is None:
        raise PackagesError(
            "entries with requirements need uv: python -m pip install 'esr-harness[packages]'"
        )
    return found
