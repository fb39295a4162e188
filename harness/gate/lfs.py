"""Git LFS: files that a repository holds as pointers, and where their contents may be."""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from harness.core.outcome import BadInput
from harness.documents import plain_file
from harness.entries.catalogue import file_digest
from harness.gate.repository import Repository

_POINTER = re.compile(
    rb"version https://[^\n]+\n(?:[a-z0-9.-]+ [^\n]*\n)*?oid sha256:([0-9a-f]{64})\n"
)
_CAP = 1024  # bytes; the specification's


@dataclass(frozen=True)
class LfsPointer:
    """A file that stands for one of another content, which `sha256` tells."""

    path: Path
    sha256: str


def pointer(path: Path) -> LfsPointer | None:
    """What a file is a pointer to, None where it is a file of its own."""
    if plain_file.kind(path) != plain_file.PLAIN or path.stat().st_size >= _CAP:
        return None
    found = _POINTER.match(path.read_bytes())
    return LfsPointer(path, found[1].decode()) if found else None


def replace(found: LfsPointer, repository: Repository, other: Path) -> bool:
    """Put the content in a pointer's place; False where it can't be had.

    It is in the repository's own store, or the same as `other`, a file of today; else git-lfs is
    asked, which fetches it.
    """
    digest = found.sha256
    kept = repository.common / "lfs" / "objects" / digest[:2] / digest[2:4] / digest
    for path in (kept, other):
        if plain_file.kind(path) == plain_file.PLAIN and file_digest(path) == digest:
            shutil.copyfile(path, found.path)
            return True
    try:
        content = repository.ask("lfs", "smudge", given=found.path.read_bytes())
    except BadInput:
        return False
    if hashlib.sha256(content).hexdigest() != digest:
        return False
    found.path.write_bytes(content)
    return True
