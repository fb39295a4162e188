"""Who takes part in a run: references, named entries, an official checkout's; each id once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from harness.core.challenge import Challenge
from harness.core.outcome import BadInput
from harness.core.phrasing import listed, nearest
from harness.core.run import FLOOR_ID
from harness.entries import catalogue, checkouts
from harness.entries.catalogue import SUBMISSIONS, Entry, Rejected


def participants(
    challenge: Challenge,
    *,
    entries: tuple[str, ...] | None = None,
    references: bool = True,
    rows: tuple[str, ...] | None = None,
    checkout: Path | None = None,
    ids: tuple[int, ...] | None = None,
    requirements: Path | None = None,
) -> tuple[Entry | Rejected, ...]:
    """References first, then the entries; what can't run in this challenge is rejected.

    Of the references `rows`, if told, and the baseline. Without named `entries` all of
    ./submissions, or of an official `checkout` those of `ids`, with the packages that a file of
    `requirements` is locked to. BadInput where nobody takes part, where all that were named are of
    another scale, and for rows that the challenge does not have.
    """
    read = [] if checkout is None else [checkouts.candidates(checkout, ids, requirements)]
    named: Sequence[str] = entries or ()
    if entries is None and checkout is None:
        named = submitted()
    read += [catalogue.read_named(name) for name in named]
    # whoever names an entry wants a row; of all of ./submissions those of the scale are meant
    by_name = entries is not None or checkout is not None
    if by_name and read:
        _refuse_strangers([it for one in read for it in one], challenge)
    found = list(catalogue.references(_picked(challenge, rows))) if references else []
    for one in read:
        found += _of_scale(one, challenge.scale, misfits=by_name)
    if not found:
        raise BadInput("no entry to measure: name folders with submission.toml, or references")
    return _unique(found)


def _picked(challenge: Challenge, rows: tuple[str, ...] | None) -> tuple[str, ...]:
    """The challenge's references, or those of `rows` and the baseline."""
    strange = [it for it in rows or () if it not in challenge.references]
    if strange:
        raise BadInput(
            "\n".join(
                f"{name!r:.80} is no row of {challenge.id}, whose rows are "
                f"{', '.join(challenge.references)}{nearest(name, challenge.references)}"
                for name in strange
            )
        )
    kept = challenge.references if rows is None else (*rows, challenge.baseline)
    return tuple(it for it in challenge.references if it in kept)


def submitted() -> tuple[str, ...]:
    """The folders of ./submissions."""
    return tuple(sorted(str(path) for path in SUBMISSIONS.glob("[!._]*") if path.is_dir()))


def _refuse_strangers(named: Sequence[Entry | Rejected], challenge: Challenge) -> None:
    """BadInput where no entry that was named can be measured, since all have another scale."""
    scales = {it.id: it.submission.scale for it in named if isinstance(it, Entry)}
    if len(scales) == len({it.id for it in named}) and challenge.scale not in scales.values():
        told = listed(tuple(f"{name} is x{scale}" for name, scale in scales.items()))
        raise BadInput(
            f"the challenge {challenge.id} is x{challenge.scale}, and {told}: name entries of its "
            "scale, or another challenge (`esr challenges list`)"
        )


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
