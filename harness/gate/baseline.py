"""What a candidate is held against: an entry, a revision of itself, or a stored record."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from harness.core.outcome import BadInput
from harness.entries import catalogue
from harness.entries.catalogue import Entry, Rejected
from harness.gate import stored_baseline as records
from harness.gate.stored_baseline import Stored
from harness.gate.worktree import revision

GIT = "git:"


@dataclass(frozen=True)
class Baseline:
    """Who runs beside the candidate, under which name, and the record if there is one."""

    name: str
    entry: Entry
    stored: Stored | None = None
    path: Path | None = None


def candidates(names: tuple[str, ...]) -> tuple[Entry | Rejected, ...]:
    """Every variant of the named entries, once. BadInput for a name of nothing."""
    found = [it for name in names for it in catalogue.read_named(name)]
    if not found:
        raise BadInput("no entry to check: name a folder with submission.toml")
    return tuple({(it.folder, it.id): it for it in found}.values())


def baseline(against: str, candidate: Entry | Rejected, stack: ExitStack) -> Baseline:
    """The baseline of a candidate; what it needs on disk is there until `stack` is left.

    BadInput for what can't be a baseline of this candidate, CatalogError of any.
    """
    if against.startswith(GIT):
        name = against.removeprefix(GIT)
        if not name:
            raise BadInput("--against git: needs a revision, as in git:origin/main")
        folder = stack.enter_context(revision(candidate.folder, name))
        return Baseline(against, _variant(catalogue.read_folder(folder), candidate, against))
    path = Path(against)
    if path.suffix == ".json" and not path.is_dir():
        stored = records.load(path)
        (reference,) = catalogue.references((stored.reference,))
        if isinstance(reference, Rejected) or reference.digest != stored.reference_digest:
            raise BadInput(f"{path}: {stored.reference} has changed since: save the baseline again")
        return Baseline(f"{stored.entry} in {path.name}", reference, stored, path)
    return Baseline(against, _variant(catalogue.read_named(against), candidate, against))


def _variant(found: tuple[Entry | Rejected, ...], candidate: Entry | Rejected, name: str) -> Entry:
    """Of several variants that with the candidate's id."""
    if len(found) > 1:
        same = [it for it in found if it.id == candidate.id]
        if not same:
            known = ", ".join(it.id for it in found)
            raise BadInput(f"{name} has several variants, none called {candidate.id}: {known}")
        found = (same[0],)
    (only,) = found
    if isinstance(only, Rejected):
        raise BadInput(f"the baseline {name} can't be used: {'; '.join(only.faults)}")
    if isinstance(candidate, Entry) and only.submission.scale != candidate.submission.scale:
        raise BadInput(
            f"{candidate.id} is x{candidate.submission.scale}, the baseline {name} is "
            f"x{only.submission.scale}: they have no input in common"
        )
    return only
