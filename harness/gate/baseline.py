"""What a candidate is held against: an entry, a revision of itself, or a stored record."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.core.outcome import BadInput
from harness.entries import catalogue
from harness.entries.catalogue import Entry, Rejected
from harness.gate import stored_baseline as records
from harness.gate.stored_baseline import Stored

GIT = "git:"
_DEADLINE_S = 300.0
# a checkout runs none of the repository's hooks: they are nobody's business here
_QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false")


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


@contextmanager
def revision(folder: Path, name: str) -> Iterator[Path]:
    """The folder of an entry as it was in the git revision `name`, in a temporary worktree.

    The worktree is removed in any case: after an error, Ctrl-C or SIGTERM. BadInput where the
    folder is in no repository, or the revision or the folder in it does not exist.
    """
    top = Path(_git(folder, "rev-parse", "--show-toplevel", wrong="is in no git repository"))
    inside = folder.resolve().relative_to(top.resolve())
    commit = _git(
        top,
        *("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"),
        wrong=f"has no revision {name!r:.80}: fetch it first (a shallow clone has one commit only)",
    )
    with _terminable(), tempfile.TemporaryDirectory(prefix="esr-baseline-") as parent:
        # an entry may be the repository itself, and its id is its folder's name
        place = Path(parent) / top.name
        try:
            _git(top, "worktree", "add", "--detach", str(place), commit, wrong="has no worktree")
            if not (place / inside).is_dir():
                raise BadInput(f"{inside} is not in revision {name}: name an older baseline")
            yield place / inside
        finally:
            # git holds a checkout that was cut short locked, which needs force twice; what can't be
            # removed so loses its files with the temporary folder, and git forgets it some day
            subprocess.run(
                ["git", "-C", str(top), "worktree", "remove", "--force", "--force", str(place)],
                capture_output=True,
                check=False,
                timeout=_DEADLINE_S,
            )


def _git(folder: Path, *arguments: str, wrong: str) -> str:
    try:
        done = subprocess.run(
            ["git", *_QUIET, "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            check=True,
            timeout=_DEADLINE_S,
        )
    except FileNotFoundError:
        raise BadInput("git is not installed, and --against git:REV needs it") from None
    except subprocess.TimeoutExpired:
        raise BadInput(f"git took longer than {_DEADLINE_S:g} s in {folder}") from None
    except subprocess.CalledProcessError as error:
        said = " ".join(error.stderr.split())
        raise BadInput(f"{folder} {wrong}" + (f" ({said:.300})" if said else "")) from None
    return done.stdout.strip()


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM, by which CI ends a job, cleans up as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
