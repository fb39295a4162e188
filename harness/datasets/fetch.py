"""A dataset's files from where its definition says that they are public."""

from __future__ import annotations

import filecmp
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from harness.core.dataset_definition import Definition
from harness.core.dataset_download import Download, FetchedFile
from harness.datasets import http_file
from harness.datasets.http_file import FetchError
from harness.documents import atomic
from harness.documents.unpack import ArchiveRefused, unpack


def downloadable(item: Definition) -> Download:
    """Where the dataset is had; FetchError for one that has no stated files."""
    if item.download is None:
        raise FetchError(
            f"{item.name}: no files with a known sha256 are public; get it from {item.source}"
        )
    return item.download


def fetch(item: Definition, data_dir: Path, told: Callable[[FetchedFile, str], None]) -> None:
    """Bring every file of a dataset that is not there into the data folder, each checked.

    `told` hears of each file whether it was "fetched" or is "at hand". A file that differs is
    never written over. FetchError ends it, and the next call goes on where this one was.
    """
    download = downloadable(item)
    for file in download.files:
        one = _fetch_archive if file.unpacked_bytes else _fetch_file
        try:
            news = one(download.address(file), file, data_dir)
        except OSError as error:
            raise atomic.refusal(data_dir / file.to, error) from error
        told(file, "fetched" if news else "at hand")


def _fetch_file(address: str, file: FetchedFile, data_dir: Path) -> bool:
    path = data_dir / file.to
    if http_file.at_hand(path, sha256=file.sha256):
        return False
    http_file.obtain(address, path, size=file.bytes, sha256=file.sha256)
    return True


def _fetch_archive(address: str, file: FetchedFile, data_dir: Path) -> bool:
    """Unpacked beside its place first, so that a refused archive leaves nothing there."""
    folder = data_dir / file.to
    name = f".{file.sha256[:16]}"
    receipt, archive, staging = (
        folder / f"{name}{end}" for end in (".unpacked", ".archive", ".new")
    )
    if _unpacked(receipt, folder):
        return False
    if not http_file.at_hand(archive, sha256=file.sha256):
        http_file.obtain(address, archive, size=file.bytes, sha256=file.sha256)
    shutil.rmtree(staging, ignore_errors=True)
    try:
        staging.mkdir()
        unpack(archive, staging, most_bytes=file.unpacked_bytes)
        placed = _placed(staging, folder)
    except ArchiveRefused as error:
        raise FetchError(str(error)) from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    atomic.write(receipt, json.dumps(placed).encode())
    archive.unlink()
    return True


def _placed(staging: Path, folder: Path) -> dict[str, int]:
    """Move the files into place, none over another one; their sizes by path."""
    files = {it.relative_to(staging): it for it in sorted(staging.rglob("*")) if it.is_file()}
    for relative, file in files.items():
        there = folder / relative
        if there.exists() and not (there.is_file() and filecmp.cmp(file, there, shallow=False)):
            raise FetchError(f"{there} is another file than the published one: move it away")
    sizes = {}
    for relative, file in files.items():
        sizes[relative.as_posix()] = file.stat().st_size
        (folder / relative).parent.mkdir(parents=True, exist_ok=True)
        file.replace(folder / relative)
    return sizes


def _unpacked(receipt: Path, folder: Path) -> bool:
    """Whether all files of an archive are still there, by their sizes."""
    try:
        placed = json.loads(receipt.read_text("utf-8"))
        return all((folder / path).stat().st_size == size for path, size in placed.items())
    except (OSError, ValueError, AttributeError, TypeError):
        return False
