"""Another revision of an entry, checked out beside the repository for as long as it is needed."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.core.outcome import BadInput

_DEADLINE_S = 300.0
# a checkout runs none of the repository's hooks: they are nobody's business here
_QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false")


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
