"""The composite action's own scripts, run as GitHub runs them, with stand-ins for esr and gh."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

MARKER = "<!-- esr-check -->"
STUB = '#!/bin/sh\nprintf "%s\\n" "$@" >>"$TOLD"\necho >>"$TOLD"\n{then}\n'


Document = dict[str, Any]


@pytest.fixture
def action(repository: Path) -> Document:
    path = repository / ".github" / "actions" / "esr-check" / "action.yml"
    document: Document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


def _step(action: Document, name: str) -> Document:
    (mine,) = (it for it in action["runs"]["steps"] if it["name"] == name)
    return dict(mine)


def _script(action: Document, step: str) -> str:
    mine = _step(action, step)
    assert "${{" not in mine["run"]  # what is put in reaches the shell as values alone
    return str(mine["run"])


def test_the_readmes_workflow_gives_the_action_what_it_takes(
    action: Document, repository: Path
) -> None:
    readme = (repository / "harness" / "gate" / "README.md").read_text(encoding="utf-8")
    (workflow,) = (
        yaml.safe_load(block)
        for block in re.findall(r"```yaml\n(.*?)```", readme, flags=re.DOTALL)
        if "esr-check" in block
    )
    steps = workflow["jobs"]["speed"]["steps"]
    (mine,) = (it for it in steps if it.get("uses", "").endswith("/actions/esr-check"))
    needed = {name for name, it in action["inputs"].items() if it.get("required")}
    assert needed <= set(mine["with"]) <= set(action["inputs"])


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


def _check(action: Document, place: Path, **changes: str) -> None:
    """The step that checks, with lists over several lines and what a shell might obey."""
    done = _run(
        place,
        _script(action, "Check"),
        ENTRIES="submissions/one\nsubmissions/two\n",
        AGAINST="git:origin/main; echo $HOME",
        OPTIONS="--effect 3\n--budget 60",
        REPORTS="out",
        **{"INCONCLUSIVE": "pass", "MISSING": "fail", "MINUTES": "1", **changes},
        GITHUB_OUTPUT=str(place / "output"),
        GITHUB_STEP_SUMMARY=str(place / "summary"),
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("code", [0, 1, 5])
def test_the_exit_code_is_kept_for_the_last_step(
    action: Document, tmp_path: Path, code: int
) -> None:
    _stub(tmp_path, "esr", f"exit {code}")
    _check(action, tmp_path)
    assert (tmp_path / "output").read_text(encoding="utf-8") == f"exit-code={code}\n"
    # what was put in is arguments, whole, and never a command
    assert (tmp_path / "told").read_text(encoding="utf-8").split("\n")[:-2] == [
        *("check", "submissions/one", "submissions/two", "--against"),
        *("git:origin/main; echo $HOME", "--reports", "out"),
        *("--inconclusive", "pass", "--missing-baseline", "fail", "--effect", "3"),
        *("--budget", "60"),
    ]
    verdict = _run(tmp_path, _script(action, "Verdict"), CODE=str(code))
    assert verdict.returncode == code


def test_what_was_left_by_an_earlier_run_is_no_result_of_this_one(
    action: Document, tmp_path: Path
) -> None:
    _stub(tmp_path, "esr", "exit 2")
    left = tmp_path / "out" / "check" / "comment.md"
    left.parent.mkdir(parents=True)
    left.write_text(f"{MARKER}\nall is well\n", encoding="utf-8")
    _check(action, tmp_path)
    text = left.read_text(encoding="utf-8")
    assert text.startswith(f"{MARKER}\n")
    assert "Nothing was judged (exit code 2), see the log." in text
    assert (tmp_path / "summary").read_text(encoding="utf-8") == text


def test_what_is_left_out_is_as_the_command_has_it(action: Document, tmp_path: Path) -> None:
    _stub(tmp_path, "esr", "exit 0")
    inputs = action["inputs"]
    names = {"INCONCLUSIVE": "inconclusive", "MISSING": "missing-baseline"}
    _check(action, tmp_path, **{name: inputs[key]["default"] for name, key in names.items()})
    told = (tmp_path / "told").read_text(encoding="utf-8")
    assert not {"--inconclusive", "--missing-baseline"} & {*told.split()}
    assert inputs["entries"]["default"] == "auto"
    # its folder of reports is the command's
    assert inputs["reports"]["default"] == "reports"


def test_a_check_that_takes_too_long_is_ended_and_says_so(action: Document, tmp_path: Path) -> None:
    _stub(tmp_path, "esr", "exec sleep 20")
    _check(action, tmp_path, MINUTES="0.005")
    assert (tmp_path / "output").read_text(encoding="utf-8") == "exit-code=3\n"
    assert "Nothing was judged (exit code 3)" in (tmp_path / "summary").read_text(encoding="utf-8")


PIP = """case "$*" in
*' wheel '*) mkdir -p packages; touch packages/torch-1.whl packages/esr_harness-1.whl;;
esac"""


@pytest.mark.parametrize(
    ("torch", "index"),
    [
        ("cpu", "--extra-index-url https://download.pytorch.org/whl/cpu "),
        ("default", ""),
        ("https://a.org/b", "--extra-index-url https://a.org/b "),
    ],
)
def test_packages_are_fetched_once_and_the_harness_is_todays(
    action: Document, tmp_path: Path, torch: str, index: str
) -> None:
    _stub(tmp_path, "python", PIP)
    more = {"TORCH": torch, "HARNESS": "here", "PACKAGES": "packages"}
    for cached in ("false", "true"):
        done = _run(tmp_path, _script(action, "Install the harness"), CACHED=cached, **more)
        assert done.returncode == 0, done.stderr
    told = (tmp_path / "told").read_text(encoding="utf-8").split("\n\n")
    installed = [
        "-m pip install --quiet --no-index packages/torch-1.whl",
        "-m pip install --quiet --no-deps here",
    ]
    assert [" ".join(call.split()) for call in told if call] == [
        f"-m pip wheel --quiet --wheel-dir packages {index}here",
        *installed * 2,
    ]


def test_the_caches_name_depends_on_what_is_to_be_installed(
    action: Document, tmp_path: Path
) -> None:
    _stub(tmp_path, "python", "echo Python 3.12.1")
    (tmp_path / "pyproject.toml").write_text("first", encoding="utf-8")
    script = _script(action, "Name the cache")

    def key(torch: str) -> str:
        (tmp_path / "output").unlink(missing_ok=True)
        output = str(tmp_path / "output")
        done = _run(tmp_path, script, HARNESS=str(tmp_path), TORCH=torch, GITHUB_OUTPUT=output)
        assert done.returncode == 0, done.stderr
        return (tmp_path / "output").read_text(encoding="utf-8")

    first = key("cpu")
    assert re.fullmatch(r"key=[0-9a-f]{64}\n", first)
    assert key("cpu") == first
    assert key("default") != first
    (tmp_path / "pyproject.toml").write_text("second", encoding="utf-8")
    assert key("cpu") != first


def test_every_action_that_is_used_is_pinned_by_its_digest(
    action: Document, repository: Path
) -> None:
    pages = (repository / it / "README.md" for it in ("harness/gate", "harness/rules", "reports"))
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    used = re.findall(r"uses: (\S+)( # v[\d.]+)?", text)
    used += [(it["uses"], " # v") for it in action["runs"]["steps"] if "uses" in it]
    foreign = [(name, version) for name, version in used if not name.startswith("./")]
    assert len(foreign) >= 8
    for name, version in foreign:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", name)
        assert version


def test_reports_are_uploaded_whatever_the_check_said(action: Document) -> None:
    upload = _step(action, "Upload the reports")
    assert upload["if"].startswith("always() && ")
    assert upload["with"]["path"] == "${{ inputs.reports }}/check"
    steps = [it["name"] for it in action["runs"]["steps"]]
    assert steps.index("Upload the reports") < steps.index("Verdict")


COMMENTS = """[
  {"id": 41, "user": {"login": "stranger"}, "body": "MARKER all is well"},
  {"id": 42, "user": {"login": "OURS"}, "body": "a word"},
  {"id": 43, "user": {"login": "OURS"}, "body": "MARKER an earlier result"}
]"""


def _commented(
    action: Document, place: Path, *, ours: str, who: str = "exit 1", writes: str = ":"
) -> str:
    """What gh was asked, and the log: `who` and `writes` are run for the user and for a comment.

    The filter of the listing is run on three comments, one of a stranger and two of `ours`.
    """
    comments = COMMENTS.replace("MARKER", MARKER).replace("OURS", ours)
    (place / "comments.json").write_text(comments, encoding="utf-8")
    listing = 'shift 4; jq "$1" comments.json'  # api --paginate WHERE --jq FILTER
    cases = f'"api user"*) {who};; *--paginate*) {listing};; *) {writes};;'
    _stub(place, "gh", f'case "$*" in {cases} esac')
    folder = place / "out" / "check"
    folder.mkdir(parents=True)
    (folder / "comment.md").write_text(f"{MARKER}\nfine\n", encoding="utf-8")
    script = _script(action, "Comment")
    done = _run(place, script, NUMBER="7", REPORTS="out", GITHUB_REPOSITORY="a/b")
    assert done.returncode == 0, done.stderr
    return (place / "told").read_text(encoding="utf-8") + done.stdout


@pytest.mark.usefixtures("jq")
@pytest.mark.parametrize(
    ("ours", "who"), [("github-actions[bot]", "exit 1"), ("me", "echo me")], ids=["job", "person"]
)
def test_our_own_comment_is_replaced_and_no_strangers(
    action: Document, tmp_path: Path, ours: str, who: str
) -> None:
    told = _commented(action, tmp_path, ours=ours, who=who)
    assert "PATCH\nrepos/a/b/issues/comments/43\n" in told
    assert "POST" not in told
    assert "body=@out/check/comment.md" in told
    assert "::warning::" not in told


@pytest.mark.usefixtures("jq")
def test_where_there_is_none_of_ours_a_comment_is_written(action: Document, tmp_path: Path) -> None:
    told = _commented(action, tmp_path, ours="another")
    assert "POST\nrepos/a/b/issues/7/comments\n" in told
    assert "PATCH" not in told


def test_comments_that_can_not_be_read_get_no_second_one(action: Document, tmp_path: Path) -> None:
    _stub(tmp_path, "jq", "exit 1")
    told = _commented(action, tmp_path, ours="me")
    assert "::warning::esr check: the comments could not be read" in told
    assert "POST" not in told


@pytest.mark.usefixtures("jq")
def test_a_comment_that_can_not_be_written_is_a_warning(action: Document, tmp_path: Path) -> None:
    told = _commented(action, tmp_path, ours="another", writes="exit 1")
    assert "::warning::esr check: the comment could not be written" in told


def test_forks_get_no_comment_and_a_verdict_all_the_same(action: Document) -> None:
    guard = _step(action, "Comment")["if"]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in guard
    assert "inputs.comment == 'true'" in guard
    assert _step(action, "Verdict")["if"].startswith("always() && ")
