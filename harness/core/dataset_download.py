"""Where a dataset's files are had, and what they must be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import quote, urlsplit

from harness.core.values import refuse, value

_HERE = ("127.0.0.1", "localhost", "::1")


@value
class FetchedFile:
    """A file of a dataset, or an archive of its files.

    `path` is below the download's `base`; `to` is a file's path under the data folder, or the
    folder that an archive is unpacked in. `unpacked_bytes` above 0 says that it is an archive, and
    how much it may hold at most.
    """

    path: str
    to: str
    bytes: int
    sha256: str
    unpacked_bytes: int = 0

    def __post_init__(self) -> None:
        to = PurePosixPath(self.to)
        inside = bool(to.parts) and not to.is_absolute() and ".." not in to.parts
        refuse(
            {
                f"to must lie within the data folder, got {self.to!r:.80}": not inside,
                f"path must not be empty, for {self.to!r:.80}": not self.path,
                f"bytes must be at least 1, got {self.bytes}": self.bytes < 1,
                f"sha256 must be 64 digits 0-9a-f, got {self.sha256!r:.80}": (
                    not re.fullmatch(r"[0-9a-f]{64}", self.sha256)
                ),
                f"unpacked_bytes must be at least 0, got {self.unpacked_bytes}": (
                    self.unpacked_bytes < 0
                ),
            }
        )


@value
class Download:
    """The files that make up a dataset, at a public address; nothing is fetched unasked.

    `terms` is what who fetches them has to accept, in words of the source.
    """

    base: str
    terms: str
    files: tuple[FetchedFile, ...]

    def __post_init__(self) -> None:
        refuse(_faults(self))

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(file.bytes for file in self.files)

    def address(self, file: FetchedFile) -> str:
        """Of one file."""
        return self.base + quote(file.path)


def _faults(download: Download) -> Iterator[str]:
    parts = urlsplit(download.base)
    local = parts.scheme == "http" and parts.hostname in _HERE
    if not (parts.scheme == "https" and parts.hostname) and not local:
        yield f"base must begin with https://, got {download.base!r:.80}"
    if not download.base.endswith("/"):
        yield f"base must end in /, got {download.base!r:.80}"
    if not download.terms.strip():
        yield "terms must say what the source asks of its users"
    if not download.files:
        yield "files must name at least one file"
    kept = [file.to for file in download.files if not file.unpacked_bytes]
    if len(set(kept)) < len(kept):
        yield "two files have the same place (to)"
