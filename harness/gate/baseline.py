"""What a candidate is held against: an entry, a revision of itself, or a stored record."""

from __future__ import annotations

import dataclasses
import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from harness.core.outcome import BadInput
from harness.entries import catalogue
from harness.entries.catalogue import Entry, Rejected
from harness.gate import stored_baseline as records
from harness.gate.renames import former_place
from harness.gate.revision import NotInRevision, Revision, lacking, refuse_pointer
from harness.gate.stored_baseline import Stored

GIT = "git:"
# git's own REV:PATH; no name of a revision has a colon but in braces, as in HEAD^{/fix: it}
_WITH_PATH = re.compile(r"((?:[^:{]|\{[^}]*\})+):(.*)", re.DOTALL)


@dataclass(frozen=True)
class Baseline:
    """Who runs beside the candidate, under which name, and the record if there is one."""

    name: str
    entry: Entry
    stored: Stored | None = None
    path: Path | None = None
    notes: tuple[str, ...] = ()  # on where it was found


def baseline(against: str, candidate: Entry | Rejected, stack: ExitStack) -> Baseline:
    """The baseline of a candidate; what it needs on disk is there until `stack` is left.

    BadInput for what can't be a baseline of this candidate, CatalogError of any. NotInRevision for
    a candidate that a revision does not have.
    """
    if against.startswith(GIT):
        return _of_revision(against, candidate, stack)
    path = Path(against)
    if path.suffix == ".json" and not path.is_dir():
        stored = records.load(path)
        (reference,) = catalogue.references((stored.reference,))
        if isinstance(reference, Rejected) or reference.digest != stored.reference_digest:
            raise BadInput(f"{path}: {stored.reference} has changed since: save the baseline again")
        return Baseline(f"{stored.entry} in {path.name}", reference, stored, path)
    try:
        found = catalogue.read_named(against)
    except catalogue.CatalogError as error:
        text = f"{error}; a revision is named as in git:{against}, a stored baseline ends in .json"
        raise catalogue.CatalogError(text) from None
    return Baseline(against, _variant(found, candidate, against))


def revision_of(folder: Path, against: str) -> Revision:
    """The revision that `git:REV` or `git:REV:PATH` names, for what is in a folder."""
    name = against.removeprefix(GIT)
    if not name:
        raise BadInput("--against git: needs a revision, as in git:origin/main")
    parts = _WITH_PATH.fullmatch(name)
    return Revision.of(folder, parts[1] if parts else name)


def _of_revision(against: str, candidate: Entry | Rejected, stack: ExitStack) -> Baseline:
    revision = revision_of(candidate.folder, against)
    if parts := _WITH_PATH.fullmatch(against.removeprefix(GIT)):
        place = _place(parts[2], revision)
        try:
            return _read(against, revision, place, candidate, stack)
        except NotInRevision as error:
            raise BadInput(str(error)) from None
    place = revision.repository.inside(candidate.folder)
    try:
        return _read(against, revision, place, candidate, stack)
    except NotInRevision as error:
        former = former_place(revision, place)
        if former is None:
            absent = lacking(revision, candidate.folder)  # a rename is found once it is staged
            raise NotInRevision(f"{error}; {absent}" if absent else str(error)) from None
        try:
            found = _read(f"{GIT}{revision.name}:{former}", revision, former, candidate, stack)
        except BadInput as unusable:
            raise NotInRevision(
                f"{error}; git finds that it was {former}, which is no baseline: {unusable}"
            ) from None
    note = f"git finds that it was {former} in {revision.name}"
    return dataclasses.replace(found, notes=(note, *found.notes))


def _place(path: str, revision: Revision) -> PurePosixPath:
    """A path as git reads it after a revision: from the top, or from here with a dot first."""
    repository = revision.repository
    try:
        if path.startswith(("./", "../")) or path in (".", ".."):
            return repository.inside(Path(path))
        return repository.inside(repository.top / path)
    except ValueError:
        raise BadInput(f"{path} is outside of the repository {repository.top}") from None


def _read(
    name: str,
    revision: Revision,
    place: PurePosixPath,
    candidate: Entry | Rejected,
    stack: ExitStack,
) -> Baseline:
    """The entry at a place of a revision, which is there until `stack` is left."""
    folder = stack.enter_context(revision.written(place))
    if not catalogue.has_manifest(folder):
        raise NotInRevision(f"{place} is no entry in revision {revision.name}")
    absent = lacking(revision, candidate.folder)
    try:
        entry = _variant(catalogue.read_folder(folder), candidate, name)
    except _Unlike as error:
        raise NotInRevision(str(error)) from None
    except BadInput as error:
        raise BadInput(f"{error}; {absent}" if absent else str(error)) from None
    refuse_pointer(revision, folder, entry.submission.weights_file)
    return Baseline(name, entry, notes=(absent,) if absent else ())


class _Unlike(BadInput):
    """What was named is an entry, and has nothing to compare a candidate with."""


def _variant(found: tuple[Entry | Rejected, ...], candidate: Entry | Rejected, name: str) -> Entry:
    """Of several variants that with the candidate's id, or what follows the folder's name in it."""
    if len(found) > 1:
        same = [it for it in found if it.id == candidate.id] or [
            it for it in found if _suffix(it) == _suffix(candidate)
        ]
        if not same:
            known = ", ".join(it.id for it in found)
            raise _Unlike(f"{name} has several variants, none called {candidate.id}: {known}")
        found = (same[0],)
    (only,) = found
    if isinstance(only, Rejected):
        raise BadInput(f"the baseline {name} can't be used: {'; '.join(only.faults)}")
    if isinstance(candidate, Entry) and only.submission.scale != candidate.submission.scale:
        raise _Unlike(
            f"{candidate.id} is x{candidate.submission.scale}, the baseline {name} is "
            f"x{only.submission.scale}: they have no input in common"
        )
    return only


def _suffix(entry: Entry | Rejected) -> str:
    return entry.id.removeprefix(entry.folder.name)
