"""Which entries are checked: those that are named, or all that were changed since a revision."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from harness.core.outcome import BadInput
from harness.core.progress import Progress
from harness.entries import catalogue
from harness.entries.catalogue import Entry, Rejected
from harness.entries.manifest import MANIFEST
from harness.gate.baseline import GIT, revision_of
from harness.gate.repository import GitRefused
from harness.gate.revision import Revision

AUTO = "auto"


def candidates(
    names: tuple[str, ...], against: str, progress: Progress
) -> tuple[Entry | Rejected, ...]:
    """Every variant of the named entries, once. BadInput for a name of nothing.

    `auto` names all entries below the current folder, `auto:FOLDER` below another one, that differ
    from what they were; there may be none.
    """
    found: list[Entry | Rejected] = []
    for name in names:
        word, _, below = name.partition(":")
        if word == AUTO and not catalogue.has_manifest(Path(AUTO)):
            for folder in _changed(Path(below or "."), against, progress):
                found += catalogue.read_folder(folder)
        else:
            found += catalogue.read_named(name)
    if not names:
        raise BadInput("no entry to check: name a folder with submission.toml, or auto")
    return tuple({(it.folder, it.id): it for it in found}.values())


def _changed(below: Path, against: str, progress: Progress) -> list[Path]:
    """Folders of the entries that are not as they were where today's work began.

    That is the last commit that the revision has in common with what is checked out: what others
    have done there since is no change of ours.
    """
    if not against.startswith(GIT):
        raise BadInput(f"{AUTO} checks what changed since a revision: name it, --against git:REV")
    if not below.is_dir():
        raise BadInput(f"{AUTO}:{below} names no folder")
    revision = revision_of(below, against)
    repository, place = revision.repository, revision.repository.inside(below)
    paths = [PurePosixPath(it) for it in _different(revision, place)]
    entries = sorted({PurePosixPath(it).parent for it in _manifests(revision, place)})
    mine = [it for it in entries if any(_concerns(path, it) for path in paths)]
    progress.warn(f"{len(mine)} of {len(entries)} entries changed since {revision.name}")
    return [repository.top / it for it in mine]


def _different(revision: Revision, place: PurePosixPath) -> Iterator[str]:
    """What is committed, staged, changed and not yet known to git, at or below a place."""
    repository = revision.repository
    try:
        began = repository.ask("merge-base", revision.commit, "HEAD").decode().strip()
    except GitRefused:  # a shallow clone, or nothing in common
        began = revision.commit
    # what a submodule's folder holds beside its commit is not told by this
    plain = ("--name-only", "--no-renames", "--no-ext-diff", "--ignore-submodules=dirty")
    yield from repository.lines("diff", "-z", *plain, began, "--", str(place))
    yield from repository.lines(
        "ls-files", "-z", "--others", "--exclude-standard", "--", str(place)
    )


def _manifests(revision: Revision, place: PurePosixPath) -> Iterator[str]:
    """The entries' manifests, whether git knows them yet or not, in submodules as well."""
    repository = revision.repository
    for kind in ("--recurse-submodules", "--others"):
        names = repository.lines("ls-files", "-z", kind, "--exclude-standard", "--", str(place))
        for name in names:
            if PurePosixPath(name).name == MANIFEST and (repository.top / name).exists():
                yield name


def _concerns(path: PurePosixPath, entry: PurePosixPath) -> bool:
    """Whether a path is in an entry's folder, or is the submodule that the entry lies in."""
    return path.is_relative_to(entry) or entry.is_relative_to(path)
