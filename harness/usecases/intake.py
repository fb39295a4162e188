"""A stranger's folder or archive becomes an entry's folder, or a list of all that is wrong."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from harness.core.outcome import BadInput
from harness.core.submission import ID_PATTERN
from harness.documents import atomic, plain_file
from harness.documents.typed import Faults
from harness.documents.unpack import ArchiveRefused, unpack
from harness.entries import folder_policy, manifest
from harness.entries.manifest import MANIFEST

_OF_SYSTEMS = ("__MACOSX", "Thumbs.db", "desktop.ini")  # which archives of a desktop bring
_IGNORED = frozenset({*folder_policy.IGNORED, *_OF_SYSTEMS})
_SHOWN = 100  # faults
_BLOCK = 1 << 20


@dataclass(frozen=True)
class TakenIn:
    """Where an entry lies now, and what it requires of packages."""

    folder: Path
    requirements: tuple[str, ...]


def take_in(source: Path, into: Path) -> TakenIn:
    """Copy a folder, or what is in a zip or tar archive, to `into`/ID if nothing is wrong with it.

    Plain files alone are copied, without links, rights and owners. BadInput with everything that is
    wrong: what is no plain file, names, sizes, damaged or encrypted members, and the manifest's
    faults. WriteError where the disk refuses.
    """
    if not source.exists():
        raise BadInput(f"{source} is not there: name a folder or an archive with {MANIFEST}")
    atomic.make_folder(into)
    try:
        with tempfile.TemporaryDirectory(prefix=".intake-", dir=into) as place:
            return _taken(source, into, Path(place))
    except OSError as error:
        raise atomic.refusal(into, error) from error


def _taken(source: Path, into: Path, place: Path) -> TakenIn:
    faults: list[str] = []
    root = source.resolve() if source.is_dir() else _unpacked(source, place / "unpacked", faults)
    root = _innermost(root)
    faults += folder_policy.faults(root, ignored=_IGNORED)
    staged = place / "entry" / _id(root, source)
    whole = _copy(root, staged)
    if not faults:  # as it was when it was copied
        faults += folder_policy.faults(staged)
        faults += () if whole else ["it became too large while it was copied"]
    faults += _alike_names(staged)
    target, required = into / staged.name, tuple[str, ...]()
    if os.path.lexists(target):
        faults.append(f"{target} is there already: move it away, or name another folder by --into")
    try:
        required = manifest.requirements(staged)
    except Faults as error:
        faults += error.lines
    if faults:
        more = [f"and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        raise BadInput("\n".join(f"{source}: {it}" for it in (*faults[:_SHOWN], *more)))
    staged.rename(target)
    return TakenIn(target, required)


def _unpacked(archive: Path, folder: Path, faults: list[str]) -> Path:
    """The folder with what of an archive may be unpacked."""
    folder.mkdir()
    try:
        unpack(
            archive,
            folder,
            most_bytes=folder_policy.BYTES_CAP,
            most_files=folder_policy.FILES_CAP,
            told=lambda fault: faults.append(f"the archive holds {fault}"),
        )
    except ArchiveRefused as error:
        faults.append(str(error))
    return folder


def _innermost(folder: Path) -> Path:
    """The folder itself, or the only one in it, as archives of a folder have."""
    inside = [it for it in folder.iterdir() if it.name not in _IGNORED]
    lone = len(inside) == 1 and plain_file.kind(inside[0]) == "a folder"
    return inside[0] if lone and not (folder / MANIFEST).exists() else folder


def _id(root: Path, source: Path) -> str:
    """The folder's name as its manifest says it, else that of the source."""
    try:
        said = manifest.document(root).get("id")
    except Faults:
        said = None
    named = source.name.partition(".")[0] if source.is_file() else source.resolve().name
    return next(
        (it for it in (said, named) if isinstance(it, str) and ID_PATTERN.fullmatch(it)), "entry"
    )


def _copy(root: Path, to: Path) -> bool:
    """The plain files below a folder, up to its caps, and whether these are all.

    Somebody may exchange them meanwhile: each is opened in the folder that was listed, and no link
    is followed.
    """
    left, files_left = folder_policy.BYTES_CAP, folder_policy.FILES_CAP
    for folder, folders, files, listed in os.fwalk(root):
        folders[:] = [name for name in folders if name not in _IGNORED]
        inside = to / Path(folder).relative_to(root)
        if len(inside.relative_to(to).parts) > folder_policy.DEPTH_CAP:
            folders.clear()
            continue
        inside.mkdir(parents=True, exist_ok=True)
        for name in files:
            content = None if name in _IGNORED else _opened(name, listed)
            if content is not None:
                with content:
                    left, files_left = _copied(content, inside / name, left), files_left - 1
                if min(left, files_left) < 0:
                    return False
    return True


def _opened(name: str, folder: int) -> BufferedReader | None:
    """A plain file of a folder's descriptor; None for what is none, or is none any more."""
    try:
        if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            return None  # a device may act on being opened
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW
        return os.fdopen(os.open(name, flags, dir_fd=folder), "rb")
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP):
            return None
        raise


def _copied(content: BufferedReader, to: Path, left: int) -> int:
    """Copy a file; the bytes that may still come, below 0 where it was cut off."""
    with to.open("xb") as file:
        while block := content.read(_BLOCK):
            left -= len(block)
            if left < 0:
                break
            file.write(block)
    return left


def _alike_names(folder: Path) -> Iterator[str]:
    """Names that are one where capitals are no difference, as on most desktops."""
    seen: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        other = seen.setdefault(str(place).casefold(), place)
        if other != place:
            yield f"{place} and {other} differ in capital letters alone: rename one"
