"""What an entry was called in a revision, where git finds it plainly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from harness.entries.manifest import MANIFEST
from harness.gate.revision import Revision

_ALIKE = "--find-renames=75%"


def former_place(revision: Revision, place: PurePosixPath) -> PurePosixPath | None:
    """The one folder whose files git finds to be those at a place now; None where that is open.

    It was an entry then and is none any more: one that is still there was copied, not renamed. Its
    files went nowhere else.
    """
    moves = [*_moves(revision)]
    found = {old for old, new in moves if new == place and _was_entry(revision, old)}
    spread = {old for old, new in moves if new != place}
    return next(iter(found)) if len(found) == 1 and not found & spread else None


def _moves(revision: Revision) -> Iterator[tuple[PurePosixPath, PurePosixPath]]:
    """For each file that kept its name within its folder: which folder that was, and is.

    Each folder above the file may be it. Manifests tell nothing: they are all alike.
    """
    # what is staged and committed: that is what a pull request has, and git looks at nothing else
    asked = ("diff", "--cached", "-z", "--name-status", _ALIKE, "--diff-filter=R", "-l0")
    parts = iter([*revision.repository.lines(*asked, "--no-ext-diff", revision.commit)])
    for _score, before, after in zip(parts, parts, parts, strict=True):
        old, new = PurePosixPath(before), PurePosixPath(after)
        if MANIFEST in (old.name, new.name):
            continue
        while old.name == new.name and old.name:
            old, new = old.parent, new.parent
            yield old, new


def _was_entry(revision: Revision, place: PurePosixPath) -> bool:
    now = revision.repository.top / place / MANIFEST
    return not now.exists() and revision.repository.has(revision.commit, place / MANIFEST)
