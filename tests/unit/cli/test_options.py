from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli.app import app


def offered(*words: str, incomplete: str) -> set[str]:
    """What a shell is offered after `esr` and these words."""
    typed = " ".join(("esr", *words, incomplete))
    asked = {
        "_ESR_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(words) + 1),
    }
    return set(CliRunner().invoke(app, prog_name="esr", env=asked).stdout.split())


@pytest.mark.parametrize("command", ["run", "check", "inspect"])
def test_entries_are_completed(command: str) -> None:
    assert {"rlfn_x2", "rlfn_x4"} <= offered(command, incomplete="rlfn_x")


def test_a_check_may_be_of_all_that_changed() -> None:
    assert offered("check", incomplete="au") == {"auto"}


def test_baselines_are_entries_and_the_revisions_of_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert offered("check", "x", "--against", incomplete="git:") == set()
    assert "rlfn_x4" in offered("check", "x", "--against", incomplete="rlfn")
    for arguments in (
        ("init", "-q", "-b", "main"),
        ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x"),
        ("branch", "feature"),
        ("tag", "v1.0"),
    ):
        subprocess.run(["git", *arguments], check=True)
    found = offered("check", "x", "--against", incomplete="git:")
    assert found == {"git:HEAD", "git:main", "git:feature", "git:v1.0"}
    assert offered("check", "x", "--against", incomplete="git:f") == {"git:feature"}


def test_datasets_that_can_be_fetched_are_completed() -> None:
    assert offered("data", "fetch", incomplete="Set") == {"Set5", "Set14"}
