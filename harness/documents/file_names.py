"""Names of files as people write them: é is one character or two, and one name either way."""

from __future__ import annotations

import unicodedata
from pathlib import Path, PurePosixPath


def composed(name: str) -> str:
    """The name in composed Unicode (NFC), in which names are compared."""
    return unicodedata.normalize("NFC", name)


def within(folder: Path, relative: str) -> Path:
    """The path in a folder that a relative one stands for, however its characters are composed.

    One that is not there is returned as it is written.
    """
    path = folder
    for part in PurePosixPath(relative).parts:
        if not part.isascii() and not (path / part).exists() and path.is_dir():
            alike = (it for it in sorted(path.iterdir()) if composed(it.name) == composed(part))
            path = next(alike, path / part)
        else:
            path /= part
    return path
