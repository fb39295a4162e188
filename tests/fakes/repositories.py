"""Git repositories made for a test, with nobody's settings."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_NOBODY = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
_SETTINGS = (
    *("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"),
    *("-c", "protocol.file.allow=always"),
)


def git(folder: Path, *arguments: str) -> str:
    """What git answers in a folder."""
    done = subprocess.run(
        ["git", *_SETTINGS, "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **_NOBODY},
    )
    return done.stdout.strip()


def repository(top: Path) -> Path:
    """An empty one, whose branch is `main`."""
    top.mkdir(parents=True, exist_ok=True)
    git(top, "init", "-q", "-b", "main")
    return top


def commit(top: Path, message: str = "a change") -> str:
    """Commit all that is there, ignored files aside; the commit's name."""
    git(top, "add", "-A")
    git(top, "commit", "-qm", message)
    return git(top, "rev-parse", "HEAD")
