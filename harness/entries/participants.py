"""Who takes part in a run: references, named entries, an official checkout's; each id once."""

from __future__ import annotations

import itertools
from pathlib import Path

from harness.core.challenge import Challenge
from harness.core.outcome import BadInput
from harness.core.run import FLOOR_ID
from harness.entries import catalogue, checkouts
from harness.entries.catalogue import Entry, Rejected

SUBMISSIONS = Path("submissions")


def participants(
    challenge: Challenge,
    *,
    entries: tuple[str, ...] | None = None,
    references: bool = True,
    checkout: Path | None = None,
    ids: tuple[int, ...] | None = None,
) -> tuple[Entry | Rejected, ...]:
    """References first, then the entries; what can't run in this challenge is rejected.

    Without named `entries` all of ./submissions, or of an official `checkout` those of `ids`.
    BadInput where nobody takes part.
    """
    found = list(catalogue.references(challenge.references)) if references else []
    if checkout is not None:
        read = checkouts.candidates(checkout, ids)
        found += _fitting(read, challenge.scale) or _misfits(read, challenge.scale)
    for name in _default_entries() if entries is None and checkout is None else entries or ():
        read = catalogue.read_named(name)
        # whoever names an entry wants a row; of all of ./submissions those of the scale are meant
        found += _fitting(read, challenge.scale) or (
            [] if entries is None else _misfits(read, challenge.scale)
        )
    if not found:
        raise BadInput("no entry to measure: name folders with submission.toml, or references")
    return _unique(found)


def _default_entries() -> tuple[str, ...]:
    if not SUBMISSIONS.is_dir():
        return ()
    return tuple(
        str(path)
        for path in sorted(SUBMISSIONS.iterdir())
        if path.is_dir() and not path.name.startswith((".", "_"))
    )


def _fitting(found: tuple[Entry | Rejected, ...], scale: int) -> list[Entry | Rejected]:
    """A folder's variants of the challenge's scale, and what can't be read of it."""
    return [it for it in found if isinstance(it, Rejected) or it.submission.scale == scale]


def _misfits(found: tuple[Entry | Rejected, ...], scale: int) -> list[Entry | Rejected]:
    """The variants of a folder that has none of the challenge's scale, as rows that say so."""
    return [
        it.rejected(f"scale {it.submission.scale}, the challenge is x{scale}")
        for it in found
        if isinstance(it, Entry)
    ]


def _unique(found: list[Entry | Rejected]) -> tuple[Entry | Rejected, ...]:
    """Distinct ids. A folder named twice counts once; of two owners of an id the first keeps it."""
    taken = {FLOOR_ID}
    seen: dict[tuple[str, Path], Entry | Rejected] = {}
    for candidate in found:
        owner = (candidate.id, candidate.folder)
        if owner in seen:
            continue
        if candidate.id in taken:
            fault = f"the id {candidate.id!r} is taken by another entry of this run"
            faults = (fault, *(candidate.faults if isinstance(candidate, Rejected) else ()))
            name = _free(candidate.id, taken | {it.id for it in found})
            candidate = Rejected(  # noqa: PLW2901
                name, candidate.team, candidate.folder, candidate.role, faults, candidate.form
            )
        taken.add(candidate.id)
        seen[owner] = candidate
    return tuple(seen.values())


def _free(name: str, taken: set[str]) -> str:
    return next(
        tried for number in itertools.count(2) if (tried := f"{name}_{number}") not in taken
    )
