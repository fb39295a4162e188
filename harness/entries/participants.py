"""Who takes part in a run: references, named entries, an official checkout's; each id once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
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
        found += _of_scale(read, challenge.scale, misfits=True)
    named: Sequence[str] = entries or ()
    if entries is None and checkout is None:
        named = sorted(str(path) for path in SUBMISSIONS.glob("[!._]*") if path.is_dir())
    for name in named:
        read = catalogue.read_named(name)
        # whoever names an entry wants a row; of all of ./submissions those of the scale are meant
        found += _of_scale(read, challenge.scale, misfits=entries is not None)
    if not found:
        raise BadInput("no entry to measure: name folders with submission.toml, or references")
    return _unique(found)


def _of_scale(
    found: tuple[Entry | Rejected, ...], scale: int, *, misfits: bool
) -> list[Entry | Rejected]:
    """A folder's variants of the challenge's scale, and what can't be read of it.

    Of a folder that has neither, if `misfits`, its variants as rows that say so.
    """
    fitting = [it for it in found if isinstance(it, Rejected) or it.submission.scale == scale]
    if fitting or not misfits:
        return fitting
    return [
        candidate.rejected(f"scale {candidate.submission.scale}, the challenge is x{scale}")
        for candidate in found
        if isinstance(candidate, Entry)
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
            ids = taken | {it.id for it in found}
            numbered = (f"{candidate.id}_{number}" for number in itertools.count(2))
            name = next(tried for tried in numbered if tried not in ids)
            candidate = Rejected(  # noqa: PLW2901
                name, candidate.team, candidate.folder, candidate.role, faults, candidate.form
            )
        taken.add(candidate.id)
        seen[owner] = candidate
    return tuple(seen.values())
