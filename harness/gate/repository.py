"""The git repository that an entry lies in, asked by git itself."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from harness.core.outcome import BadInput
from harness.core.phrasing import nearest

_DEADLINE_S = 300.0
# of a hook or an alias that runs the harness: they name one repository, and we ask several
_OF_ONE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR")
_UNWANTED = (*_OF_ONE, "GIT_LFS_SKIP_SMUDGE")  # what we ask git-lfs for we need
_GITLINK = "160000"  # the mode of a submodule's place in a tree


class GitRefused(BadInput):
    """Git ended with an error; `said` is what it wrote."""

    def __init__(self, message: str, said: str) -> None:
        super().__init__(message)
        self.said = said


@dataclass(frozen=True)
class Submodule:
    """Where another repository's `commit` belongs, relative to the top."""

    place: PurePosixPath
    commit: str


@dataclass(frozen=True)
class Repository:
    """A repository's data, and the folder that it is checked out to."""

    data: Path
    top: Path

    @classmethod
    def around(cls, folder: Path) -> Repository:
        """That which `folder` is in; BadInput where it is in none, or git refuses to look."""
        try:
            told = _run(["-C", str(folder), "rev-parse", "--show-toplevel", "--absolute-git-dir"])
        except GitRefused as error:
            if "safe.directory" not in error.said:
                raise BadInput(f"{folder} is in no git repository ({_line(error.said)})") from None
            # the remedy is git's own, whole: it is to be copied
            raise BadInput(
                f"git does not read the repository of {folder}, which belongs to another user:\n"
                f"{error.said.strip().expandtabs(4)}"
            ) from None
        top, data = told.decode(errors="surrogateescape").splitlines()[:2]
        return cls(Path(data), Path(top))

    def ask(self, *arguments: str, index: Path | None = None, given: bytes = b"") -> bytes:
        """What git answers in this repository; GitRefused where it ends with an error."""
        where = [f"--git-dir={self.data}", f"--work-tree={self.top}", "--literal-pathspecs"]
        # paths are from the top; a submodule that has left the checkout has none
        cwd = self.top if self.top.is_dir() else self.data
        return _run([*where, *arguments], index=index, given=given, cwd=cwd)

    def lines(self, *arguments: str, index: Path | None = None) -> Iterator[str]:
        """The parts of an answer that git ends with NUL (-z)."""
        for part in self.ask(*arguments, index=index).split(b"\0"):
            if part:
                yield os.fsdecode(part)

    def revisions(self) -> tuple[str, ...]:
        """The names that it has for commits: HEAD, then branches, remote ones and tags."""
        asked = (
            "for-each-ref",
            "--format=%(refname:short)",
            "refs/heads",
            "refs/remotes",
            "refs/tags",
        )
        return ("HEAD", *self.ask(*asked).decode(errors="replace").splitlines())

    def commit(self, name: str) -> str:
        """The commit that a revision's name stands for; BadInput where there is none."""
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        try:
            return self.ask(*asked).decode().strip()
        except GitRefused:
            if name == "HEAD":
                raise BadInput(
                    f"{self.top} has no commit that git can read: see `git log`"
                ) from None
            raise BadInput(
                f"{self.top} has no revision {name!r:.80}: fetch it first (a shallow clone has "
                f"one commit only){nearest(name, self.revisions())}"
            ) from None

    def inside(self, folder: Path) -> PurePosixPath:
        """A folder's place below the top; ValueError where it is elsewhere."""
        return PurePosixPath(folder.resolve().relative_to(self.top.resolve()))

    def has(self, commit: str, place: PurePosixPath) -> bool:
        """Whether something stands at that place in a commit."""
        return any(self.lines("ls-tree", "-z", commit, "--", str(place)))

    def submodule_around(self, commit: str, place: PurePosixPath) -> Submodule | None:
        """The submodule that a place lies in, or is."""
        for part in (*reversed(place.parents), place):
            if part == PurePosixPath():
                continue
            for line in self.lines("ls-tree", "-z", commit, "--", str(part)):
                mode, _, name = line.split("\t")[0].split(" ")
                if mode == _GITLINK:
                    return Submodule(part, name)
        return None

    def submodules(self, index: Path, place: PurePosixPath) -> Iterator[Submodule]:
        """Those at or below a place of an index."""
        for line in self.lines("ls-files", "-z", "--stage", "--", str(place), index=index):
            about, _, path = line.partition("\t")
            mode, name, _ = about.split(" ")
            if mode == _GITLINK:
                yield Submodule(PurePosixPath(path), name)

    def of_submodule(self, commit: str, module: Submodule) -> Repository:
        """The repository of a submodule of a commit, as far as it is here.

        BadInput where it was never fetched. One that has moved since lies under its name.
        """
        try:
            there = self.top / module.place
            if (there / ".git").exists():
                return Repository.around(there)
            return Repository(self._data_of(commit, module), there)
        except BadInput as error:
            raise BadInput(
                f"{module.place} is a submodule that is not here: run "
                f"`git submodule update --init --recursive` first ({_line(str(error))})"
            ) from None

    def _data_of(self, commit: str, module: Submodule) -> Path:
        settings = ("--get-regexp", r"^submodule\..*\.path$")
        for line in self.lines("config", "-z", "--blob", f"{commit}:.gitmodules", *settings):
            key, _, path = line.partition("\n")
            name = key.removeprefix("submodule.").removesuffix(".path")
            kept = self.common / "modules" / name
            if PurePosixPath(path) == module.place and ".." not in name.split("/"):
                if kept.is_dir():
                    return kept
                break
        raise BadInput("it was never fetched")

    @property
    def common(self) -> Path:
        """The data that all worktrees share."""
        told = self.ask("rev-parse", "--git-common-dir").decode(errors="surrogateescape").strip()
        return (self.top / told).resolve()

    def fetch(self, commit: str) -> bool:
        """Whether a commit is here, or could be fetched from where the repository came from."""
        try:
            self.ask("cat-file", "-e", f"{commit}^{{commit}}")
        except GitRefused:
            try:
                self.ask("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "origin", commit)
            except GitRefused:
                return False
        return True


def _run(
    arguments: list[str], *, index: Path | None = None, given: bytes = b"", cwd: Path | None = None
) -> bytes:
    plain = {name: value for name, value in os.environ.items() if name not in _UNWANTED}
    # no question on a terminal, and messages as they are known here
    plain |= {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    if index is not None:
        plain["GIT_INDEX_FILE"] = str(index)
    try:
        done = subprocess.run(
            # nobody's hooks are our business
            ["git", "-c", "core.hooksPath=/dev/null", *arguments],
            input=given,
            capture_output=True,
            check=False,
            timeout=_DEADLINE_S,
            env=plain,
            cwd=cwd,
        )
    except FileNotFoundError:
        raise BadInput("git is not installed, and --against git:REV needs it") from None
    except subprocess.TimeoutExpired:
        raise BadInput(f"git took longer than {_DEADLINE_S:g} s: {' '.join(arguments)}") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace")
        raise GitRefused(f"git {arguments[-1]:.80}: {_line(said)}", said)
    return done.stdout


def _line(text: str) -> str:
    return f"{' '.join(text.split()):.300}"
