from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from harness.core.outcome import BadInput
from harness.gate.baseline import revision

NOBODY = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
WHO = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *WHO, "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **NOBODY},
    )
    return done.stdout.strip()


@pytest.fixture
def repository_of(tmp_path: Path) -> Path:
    """An entry that says "old" in its first commit and "new" in its second."""
    top = tmp_path / "project"
    entry = top / "entries" / "acme"
    entry.mkdir(parents=True)
    _git(tmp_path, "init", "-q", "-b", "main", str(top))
    for text in ("old", "new"):
        (entry / "model.py").write_text(text, encoding="utf-8")
        _git(top, "add", "-A")
        _git(top, "commit", "-qm", text)
    return top


def _worktrees(top: Path) -> int:
    return len(_git(top, "worktree", "list").splitlines())


def test_the_folder_is_that_of_the_revision_and_gone_afterwards(repository_of: Path) -> None:
    entry = repository_of / "entries" / "acme"
    with revision(entry, "HEAD~1") as folder:
        assert (folder / "model.py").read_text(encoding="utf-8") == "old"
        assert folder.name == "acme"
        assert _worktrees(repository_of) == 2
    assert not folder.exists()
    assert _worktrees(repository_of) == 1
    assert (entry / "model.py").read_text(encoding="utf-8") == "new"


def test_a_repository_that_is_the_entry_keeps_its_name(repository_of: Path) -> None:
    with revision(repository_of, "HEAD~1") as folder:
        assert folder.name == "project"


@pytest.mark.parametrize("how", [KeyboardInterrupt, ValueError])
def test_it_is_removed_after_an_error_and_after_ctrl_c(
    repository_of: Path, how: type[BaseException]
) -> None:
    with pytest.raises(how), revision(repository_of / "entries" / "acme", "HEAD"):
        raise how
    assert _worktrees(repository_of) == 1


def test_it_is_removed_after_sigterm_whose_handler_is_put_back(repository_of: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), revision(repository_of / "entries" / "acme", "HEAD"):
        signal.raise_signal(signal.SIGTERM)
    assert _worktrees(repository_of) == 1
    assert signal.getsignal(signal.SIGTERM) is before


def test_hooks_of_the_repository_are_not_run(repository_of: Path, tmp_path: Path) -> None:
    hook = repository_of / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", encoding="utf-8")
    hook.chmod(0o755)
    with revision(repository_of / "entries" / "acme", "HEAD"):
        pass
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["nowhere", "--help", "HEAD~7", ""])
def test_a_revision_that_is_none_is_bad_input(repository_of: Path, name: str) -> None:
    with (
        pytest.raises(BadInput, match="has no revision"),
        revision(repository_of / "entries" / "acme", name),
    ):
        pass


def test_a_folder_that_the_revision_lacks_is_bad_input(repository_of: Path) -> None:
    late = repository_of / "entries" / "late"
    late.mkdir()
    with pytest.raises(BadInput, match="is not in revision HEAD"), revision(late, "HEAD"):
        pass
    assert _worktrees(repository_of) == 1


def test_a_folder_without_repository_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is in no git repository"), revision(tmp_path, "HEAD"):
        pass
