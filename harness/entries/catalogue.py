"""Read entries: a folder's manifest, every fault listed, and the digest of what it holds."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.core.outcome import MESSAGE_LIMIT, BadInput, Failed, failed
from harness.core.phrasing import nearest
from harness.core.submission import ID_PATTERN, NAME_CAP, Submission, text_faults
from harness.documents import file_names, plain_file
from harness.documents.typed import Faults
from harness.entries import folder_policy, manifest
from harness.entries.manifest import MANIFEST
from harness.entries.packages import package_lock, requirement_lines
from harness.entries.packages.package_lock import PackageLock

_PACKAGE = Path(__file__).parents[1]
_REFERENCES = (_PACKAGE / "_reference_models", _PACKAGE.parent / "reference_models")
SUBMISSIONS = Path("submissions")
"""Where entries lie unless a folder is named."""
_LIST = "; `esr entries` lists what can be named"
EntryRole = Literal["reference", "entry"]
EntryForm = Literal["entry", "ntire"]  # a folder with a manifest, or an id of an official checkout


class CatalogError(BadInput):
    """A name on the command line that stands for no entry; the message says what to do."""


@dataclass(frozen=True)
class Entry:
    """One variant of a folder, or one id of a checkout: a checked submission that can be run."""

    submission: Submission
    folder: Path
    role: EntryRole
    digest: str  # of the folder's files; in a checkout, of those that decide what the entry is
    form: EntryForm = "entry"
    lock: PackageLock | None = None  # of its own packages

    @property
    def id(self) -> str:
        """The submission's."""
        return self.submission.id

    @property
    def team(self) -> str:
        """The submission's."""
        return self.submission.team

    def rejected(self, fault: str) -> Rejected:
        """The entry where something other than its manifest forbids to run it."""
        return Rejected(self.id, self.team, self.folder, self.role, (fault,), self.form)


@dataclass(frozen=True)
class Rejected:
    """What was named and can't be run, under the id that a table shows, with every fault."""

    id: str
    team: str
    folder: Path
    role: EntryRole
    faults: tuple[str, ...]
    form: EntryForm = "entry"

    @property
    def failure(self) -> Failed:
        """The faults as one failure; a table has room for the first of many."""
        text = "; ".join(self.faults)
        if len(text) > MESSAGE_LIMIT:
            text = f"{len(self.faults)} faults, which `esr inspect` lists: {text}"
        return failed("manifest", "bad_manifest", text)


def reference_folder() -> Path:
    """Where the reference models lie: in a checkout beside the package, in a wheel inside it."""
    return next((path for path in _REFERENCES if path.is_dir()), _REFERENCES[-1])


def references(ids: Sequence[str]) -> tuple[Entry | Rejected, ...]:
    """The reference models of those ids, in that order; CatalogError names an unknown one."""
    known = {entry.id: entry for entry in all_references()}
    unknown = [name for name in ids if name not in known]
    if unknown:
        near = nearest(unknown[0], known)
        raise CatalogError(f"no reference model {unknown[0]!r}: known are {', '.join(known)}{near}")
    return tuple(known[name] for name in ids)


def all_references() -> tuple[Entry | Rejected, ...]:
    """Every variant of every reference model."""
    return tuple(
        entry
        for folder in sorted(reference_folder().iterdir())
        if (folder / MANIFEST).is_file()
        for entry in read_folder(folder)
    )


def read_named(name: str) -> tuple[Entry | Rejected, ...]:
    """The entries that an argument names: a folder, `folder:variant`, or a reference's id."""
    path, _, variant = name.rpartition(":")
    folder, before = (file_names.within(Path(), it) for it in (name, path))
    if path and has_manifest(before):
        found = read_folder(before)
        chosen = tuple(entry for entry in found if entry.id == variant)
        if not chosen and len(found) == 1 and isinstance(found[0], Rejected):
            return found  # its variants can't be told
        if not chosen:
            known = [entry.id for entry in found]
            near = nearest(variant, known)
            raise CatalogError(
                f"{path} has no variant {variant!r}: it has {', '.join(known)}{near}"
            )
        return chosen
    if has_manifest(folder):
        return read_folder(folder)
    references = all_references()
    matching = tuple(it for it in references if name in (it.id, it.folder.name))
    if matching:
        return matching
    if folder.is_dir():
        return (_rejected(folder, [f"{MANIFEST} is missing; `esr new NAME` writes one"]),)
    near = nearest(name, [text for it in references for text in (it.folder.name, it.id)])
    near = near or _folder_nearest(folder)
    raise CatalogError(
        f"{name}: neither a folder with {MANIFEST} nor a reference model's id{near or _LIST}"
    )


def _folder_nearest(folder: Path) -> str:
    """As `nearest` says it: an entry beside a folder that is not there, or in ./submissions."""
    for place in (folder.parent, SUBMISSIONS):
        entries = [str(it) for it in sorted(place.glob("*")) if has_manifest(it)]
        if near := nearest(str(place / folder.name), entries):
            return near
    return ""


def has_manifest(folder: Path) -> bool:
    """Whether anything is called like a manifest there, though it may not be one."""
    return os.path.lexists(folder / MANIFEST)


def read_folder(folder: Path) -> tuple[Entry | Rejected, ...]:
    """Every variant of a submission's folder; what is wrong becomes a Rejected, never an error."""
    folder = folder.resolve()
    try:
        digest, faults = folder_digest(folder), []
    except (OSError, ValueError) as error:
        digest, faults = "", [str(error)]
    try:
        said = manifest.document(folder)
    except (OSError, Faults) as error:
        lines = error.lines if isinstance(error, Faults) else (str(error),)
        return (_rejected(folder, [*lines, *(line for line in faults if line not in lines)]),)
    named = [(folder.name, said)]
    if "variants" in said:
        try:
            named = [(one["id"], one) for one in manifest.variants(folder, said)]
        except Faults as error:
            return (_rejected(folder, [*error.lines, *faults], said.get("team")),)
    return tuple(_entry(folder, one, digest, name, faults) for name, one in named)


def folder_digest(folder: Path) -> str:
    """sha256 over the names and contents of a folder's files.

    ValueError for what may not be in a submission, before any of it is read (see `folder_policy`).
    """
    folder_policy.check(folder)
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        if path.is_file() and folder_policy.IGNORED.isdisjoint(place.parts):
            total.update(json.dumps([place.as_posix(), file_digest(path)]).encode())
    return total.hexdigest()


def file_digest(path: Path) -> str:
    """sha256 of a plain file; OSError for anything else."""
    with plain_file.opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _entry(
    folder: Path, said: dict[str, Any], digest: str, name: str, faults: list[str]
) -> Entry | Rejected:
    """The entry called `name`, or its own faults before those of the folder."""
    lock = None
    try:
        submission = manifest.submission(folder, said, name)
        if submission.requirements:
            required = requirement_lines.read(folder, submission.requirements)
            lock = package_lock.of_folder(folder, required)
    except Faults as error:
        return _rejected(folder, [*error.lines, *faults], said.get("team"), name)
    if faults:
        return _rejected(folder, faults, submission.team, name)
    return Entry(submission, folder, _role(folder), digest, lock=lock)


def _rejected(folder: Path, faults: list[str], team: object = "", name: str = "") -> Rejected:
    """With the team that a manifest names, unless that is one of its faults."""
    shown = name if ID_PATTERN.fullmatch(name) else _safe_id(folder.name)
    told = isinstance(team, str) and team.strip() and not text_faults(team, "team", NAME_CAP)
    whose = str(team) if told else "unknown"
    return Rejected(shown, whose, folder, _role(folder), tuple(faults))


def _role(folder: Path) -> EntryRole:
    return "reference" if folder.parent == reference_folder().resolve() else "entry"


def _safe_id(text: str) -> str:
    """An id made of any folder name, distinct for distinct names."""
    if ID_PATTERN.fullmatch(text):
        return text
    kept = "".join(char if char.isascii() and char.isalnum() else "_" for char in text.lower())
    mark = hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:8]
    return f"{kept[:40].strip('_') or 'entry'}_{mark}"
