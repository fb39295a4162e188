"""The entries of an official checkout as they stand, without running any of its code."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.core.outcome import BadInput
from harness.core.submission import Submission
from harness.documents import plain_file
from harness.documents.typed import Faults
from harness.entries.catalogue import Entry, Rejected
from harness.entries.checkouts import files
from harness.entries.checkouts.branches import FUNCTION, Branch, Script, read_script
from harness.entries.packages import package_lock
from harness.entries.packages.package_lock import PackageLock

SCRIPT = "test_demo.py"
SCALE = 4  # of every official ESR challenge
SCRIPT_CAP = 4 * 1024 * 1024  # bytes
_TITLE_CAP = 80  # characters


def candidates(
    folder: Path, ids: Sequence[int] | None = None, requirements: Path | None = None
) -> tuple[Entry | Rejected, ...]:
    """The entries of a checkout: those of `ids`, or of all ids that its script knows.

    All find the packages first that a file of `requirements` is locked to. An id of the script that
    holds no model is rejected with that fault. BadInput where the script is missing or can't be
    read, where it names no ids and none were asked for, for ids that it does not know, and where
    the requirements or their lock can't be used.
    """
    folder, lock = folder.resolve(), _lock(requirements)
    script = read(folder)
    if ids is None and not script.branches:
        raise BadInput(
            f"{folder / SCRIPT}: the ids of its entries can't be read off {FUNCTION}; name them "
            "with --ids"
        )
    known = sorted(script.branches)
    unknown = [str(number) for number in dict.fromkeys(ids or ()) if number not in known]
    if known and unknown:  # where the script names no ids, any may do
        what = "id" if len(unknown) == 1 else "ids"
        raise BadInput(
            f"{SCRIPT} knows no {what} {', '.join(unknown)}: it has {len(known)}, "
            f"{known[0]} to {known[-1]}; name those with --ids"
        )
    tree = files.tree(folder)
    asked = script.branches if ids is None else dict.fromkeys(ids)
    found = (_entry(folder, script, tree, number) for number in asked)
    return tuple(it if lock is None else _with_packages(it, lock) for it in found)


def _lock(requirements: Path | None) -> PackageLock | None:
    try:
        return None if requirements is None else package_lock.of_file(requirements)
    except Faults as error:
        raise BadInput("\n".join(error.lines)) from None


def _with_packages(candidate: Entry | Rejected, lock: PackageLock) -> Entry | Rejected:
    """The entry with packages that its digest tells of: the checkout's files don't."""
    if isinstance(candidate, Rejected):
        return candidate
    digest = hashlib.sha256(f"{candidate.digest} {lock.digest}".encode()).hexdigest()
    return replace(candidate, digest=digest, lock=lock)


def read(folder: Path) -> Script:
    """A checkout's script; BadInput where it is missing or can't be read."""
    path = folder / SCRIPT
    try:
        data = plain_file.read(path, SCRIPT_CAP + 1)
    except OSError as error:
        raise BadInput(
            f"{folder} has no {SCRIPT} ({error.strerror}): name the folder of an official NTIRE "
            "ESR repository"
        ) from None
    if len(data) > SCRIPT_CAP:
        raise BadInput(f"{path} is larger than {SCRIPT_CAP} bytes")
    try:
        return read_script(re.sub("\r\n?", "\n", data.decode(errors="replace")))
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from None


def _entry(folder: Path, script: Script, tree: files.Tree, number: int) -> Entry | Rejected:
    branch = script.branches.get(number, Branch(number, ()))
    title = plain_name(branch.name)
    name = entry_id(number, title)
    team = branch.team or f"Team {number:02}"
    if script.branches and branch.empty:
        fault = f"{SCRIPT} has no model for id {number}: its branch is empty"
        return Rejected(name, team, folder, "entry", (fault,), "ntire")
    submission = Submission(
        id=name,
        team=team,
        entry=f"{Path(SCRIPT).stem}:{FUNCTION}",
        kwargs={"model_id": number},
        scale=SCALE,
        # what the model says once it is loaded goes before this
        data_range=branch.data_range if branch.data_range in (1.0, 255.0) else 1.0,
        title=title or name,
    )
    try:
        digest = files.digest(tree, script, branch)
    except (OSError, RecursionError) as error:
        fault = f"its files can't be read: {error}"
        return Rejected(name, team, folder, "entry", (fault,), "ntire")
    return Entry(submission, folder, "entry", digest, "ntire")


def plain_name(name: str) -> str:
    """The name that an official script gives a model, `04_RLFN`, without the id in front."""
    plain = "".join(char for char in name if char.isprintable()).strip()
    return re.sub(r"^-?\d+_", "", plain)[:_TITLE_CAP]


def entry_id(number: int, title: str) -> str:
    """An id that begins with the number, so that no two of a checkout are the same."""
    sign = "m" if number < 0 else ""
    kept = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:40].strip("_")
    return f"id{sign}{abs(number):02}" + (f"_{kept}" if kept else "")
