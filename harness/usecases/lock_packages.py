"""Compile what entries require, once: from then on an entry has those packages and no others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from harness.core.outcome import BadInput
from harness.documents.typed import Faults
from harness.entries import manifest
from harness.entries.packages import package_lock, requirement_lines, uv
from harness.entries.packages.package_lock import LOCK, PackageLock


@dataclass(frozen=True)
class LockedEntry:
    """A lock's file; `kept` if it was there and still holds."""

    path: Path
    lock: PackageLock
    kept: bool


def lock_packages(name: str, *, before: str | None = None, again: bool = False) -> LockedEntry:
    """Lock what an entry's folder, or a file of requirements for a checkout, asks for.

    A lock that holds is kept unless `again`. `before` is a date (YYYY-MM-DD, UTC), today by
    default: later packages are not looked at. BadInput with every requirement that may not be one,
    and with uv's reason where there are no such packages; WriteError where the disk refuses.
    """
    path = Path(name)
    try:
        if path.is_file():
            requirements, place = requirement_lines.read_file(path), package_lock.beside(path)
        else:
            requirements, place = manifest.requirements(path.resolve()), path / LOCK
    except Faults as error:
        raise BadInput("\n".join(f"{name}: {line}" for line in error.lines)) from None
    if not requirements:
        raise BadInput(f"{name} requires no packages, so that there is nothing to lock")
    if not again:
        try:
            return LockedEntry(place, package_lock.read(place, requirements, ""), kept=True)
        except Faults:
            pass  # it is made anew
    made = uv.lock(requirements, _date(before))
    package_lock.write(place, made)
    return LockedEntry(place, made, kept=False)


def _date(before: str | None) -> str:
    if before is None:
        return datetime.now(UTC).date().isoformat()
    try:
        return date.fromisoformat(before).isoformat()
    except ValueError:
        raise BadInput(f"--before must be a date as in 2026-01-31, got {before!r:.80}") from None
