"""The composite action's own scripts, run as GitHub runs them, with stand-ins for esr and gh."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

MARKER = "<!-- esr-check -->"
STUB = '#!/bin/sh\nprintf "%s\\n" "$@" >>"$TOLD"\necho >>"$TOLD"\n{then}\n'


@pytest.fixture
def action(repository: Path) -> str:
    path = repository / ".github" / "actions" / "esr-check" / "action.yml"
    return path.read_text(encoding="utf-8")


def _script(action: str, step: str) -> str:
    """The shell script of a step: the lines below its `run: |`, or the one beside `run:`."""
    part = re.split(r"^    - name: ", action, flags=re.MULTILINE)
    (mine,) = (it for it in part if it.startswith(f"{step}\n"))
    _, _, text = mine.partition("      run: ")
    lines = text.splitlines()
    if lines[0] != "|":
        return lines[0]
    return "\n".join(line.removeprefix("        ") for line in lines[1:])


def _run(place: Path, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    path = f"{place}{os.pathsep}{os.environ['PATH']}"
    more = {"PATH": path, "TOLD": str(place / "told"), **variables}
    return subprocess.run(
        command, cwd=place, env={**os.environ, **more}, capture_output=True, text=True, check=False
    )


def _stub(place: Path, name: str, then: str) -> None:
    (place / name).write_text(STUB.replace("{then}", then), encoding="utf-8")
    (place / name).chmod(0o755)


@pytest.mark.parametrize("code", [0, 1, 5])
def test_the_exit_code_is_kept_for_the_last_step(action: str, tmp_path: Path, code: int) -> None:
    _stub(tmp_path, "esr", f"exit {code}")
    output = tmp_path / "output"
    done = _run(
        tmp_path,
        _script(action, "Check"),
        ENTRIES="submissions/one submissions/two",
        AGAINST="git:origin/main; echo $HOME",
        OPTIONS="--inconclusive pass --budget 60",
        REPORTS="out",
        GITHUB_OUTPUT=str(output),
    )
    assert done.returncode == 0, done.stderr
    assert output.read_text(encoding="utf-8") == f"exit-code={code}\n"
    # what was put in is arguments, whole, and never a command
    assert (tmp_path / "told").read_text(encoding="utf-8").split("\n")[:-2] == [
        *("check", "submissions/one", "submissions/two", "--against"),
        *("git:origin/main; echo $HOME", "--reports", "out"),
        *("--inconclusive", "pass", "--budget", "60"),
    ]
    verdict = _run(tmp_path, _script(action, "Verdict"), CODE=str(code))
    assert verdict.returncode == code


@pytest.mark.parametrize(("known", "asked"), [("42", "PATCH"), ("", "POST")])
def test_a_comment_is_written_once_and_then_replaced(
    action: str, tmp_path: Path, known: str, asked: str
) -> None:
    _stub(tmp_path, "gh", f'case "$*" in *--paginate*) echo "{known}";; esac')
    folder = tmp_path / "out" / "check"
    folder.mkdir(parents=True)
    (folder / "comment.md").write_text(f"{MARKER}\nfine\n", encoding="utf-8")
    script = _script(action, "Comment")
    assert MARKER in script
    done = _run(tmp_path, script, NUMBER="7", REPORTS="out", GITHUB_REPOSITORY="a/b")
    assert done.returncode == 0, done.stderr
    told = (tmp_path / "told").read_text(encoding="utf-8")
    assert told.count(asked) == 1
    where = "repos/a/b/issues/comments/42" if known else "repos/a/b/issues/7/comments"
    assert where in told
    assert "body=@out/check/comment.md" in told
