"""The folder of an entry as it is in a git revision, written out beside the repository."""

from __future__ import annotations

import dataclasses
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from harness.core.outcome import BadInput
from harness.entries import folder_policy
from harness.gate import lfs
from harness.gate.repository import Repository

# contents of LFS are looked for by us, in more places, and their lack is told with its remedy
_NO_LFS = ("filter.lfs.process=", "filter.lfs.smudge=", "filter.lfs.required=false")
_PLAIN = tuple(part for setting in _NO_LFS for part in ("-c", setting))
_MORE = 3  # names in a sentence


class NotInRevision(BadInput):
    """A revision that does not have an entry: the entry is new, or had another name."""


@dataclass(frozen=True)
class Revision:
    """A commit, and what it was called."""

    name: str
    commit: str
    repository: Repository

    @classmethod
    def of(cls, folder: Path, name: str) -> Revision:
        """What `name` is in the repository of the command's folder, if the entry is in it too.

        Else in the entry's own: a submodule's `main` is not that of the project which has it.
        BadInput where there is none.
        """
        repository = _around(folder)
        return cls(name, repository.commit(name), repository)

    @contextmanager
    def written(self, place: PurePosixPath) -> Iterator[Path]:
        """The folder at a place below the top, in a temporary one that is removed in any case.

        Nothing of the repository changes: an index of its own is read, and only this folder is
        written. BadInput where it can't be had, NotInRevision where it isn't there.
        """
        with _terminable(), tempfile.TemporaryDirectory(prefix="esr-baseline-") as parent:
            # an entry may be the repository itself, and its id is its folder's name
            top = Path(parent) / (self.repository.top.name or "repository")
            top.mkdir()
            _write(self, place, top)
            if not (top / place).is_dir():
                raise NotInRevision(f"{place} is not in revision {self.name}")
            yield top / place


def lacking(revision: Revision, folder: Path) -> str:
    """Which files of today's folder git does not track, as a clause; "" for none."""
    repository = revision.repository
    try:
        place = repository.inside(folder)
        found = [*repository.lines("ls-files", "-z", "--others", "--", str(place))]
    except (BadInput, ValueError):
        return ""
    names = [PurePosixPath(it).relative_to(place) for it in found]
    shown = [str(it) for it in names if folder_policy.IGNORED.isdisjoint(it.parts)]
    if not shown:
        return ""
    more = f" and {len(shown) - _MORE} more" if len(shown) > _MORE else ""
    return (
        f"not committed: {', '.join(shown[:_MORE])}{more} of {folder.name}, which git does not "
        "track (`git add -f` takes what a rule of .gitignore keeps out, Git LFS what is large)"
    )


def refuse_pointer(revision: Revision, folder: Path, weights: str) -> None:
    """BadInput for weights that are still a pointer of Git LFS."""
    if weights and lfs.pointer(folder / weights):
        raise BadInput(
            f"{weights} of {folder.name} is a pointer of Git LFS in {revision.name}, and what it "
            "points to is not here: install git-lfs, or run "
            f"`git lfs fetch origin {revision.name}` where it is"
        )


def _write(revision: Revision, place: PurePosixPath, top: Path) -> None:
    """The files below a place; of submodules as well, and what is kept in LFS."""
    repository, commit = revision.repository, revision.commit
    with tempfile.TemporaryDirectory(prefix="esr-index-") as own:
        index = Path(own) / "index"
        repository.ask("read-tree", commit, index=index)
        names = [*repository.lines("ls-files", "-z", "--", str(place), index=index)]
        modules = {*repository.submodules(index, place)}
        places = {str(it.place) for it in modules}
        files = [name for name in names if name not in places]
        given = b"".join(os.fsencode(name) + b"\0" for name in files)
        written = dataclasses.replace(repository, top=top)
        written.ask(*_PLAIN, "checkout-index", "--force", "-z", "--stdin", index=index, given=given)
    for name in files:
        if found := lfs.pointer(top / name):
            lfs.replace(found, repository, repository.top / name)
    around = repository.submodule_around(commit, place)
    for module in modules | ({around} if around else set()):
        mine = repository.of_submodule(commit, module)
        if not mine.fetch(module.commit):
            raise BadInput(
                f"{module.place} is a submodule whose commit {module.commit[:12]} of revision "
                f"{revision.name} is not here: run `git -C {module.place} fetch` first"
            )
        inside = place.relative_to(module.place) if module == around else PurePosixPath()
        (top / module.place).mkdir(parents=True, exist_ok=True)
        _write(Revision(revision.name, module.commit, mine), inside, top / module.place)


def _around(folder: Path) -> Repository:
    with suppress(BadInput):  # which is told of the folder's own
        here = Repository.around(Path.cwd())
        if folder.resolve().is_relative_to(here.top.resolve()):
            return here
    return Repository.around(folder)


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
