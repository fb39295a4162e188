"""The workflow of a leaderboard by pull request: who may do what, and its script at work."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes.entries import write_entry
from fakes.repositories import commit, git, repository

Document = dict[str, Any]
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def workflow() -> Document:
    readme = (REPOSITORY / "harness" / "rules" / "README.md").read_text(encoding="utf-8")
    (found,) = (
        yaml.load(block, yaml.BaseLoader)  # noqa: S506 - `on` stays a text and is no truth value
        for block in re.findall(r"```yaml\n(.*?)```", readme, flags=re.DOTALL)
    )
    return dict(found)


def steps(workflow: Document, job: str) -> list[Document]:
    return list(workflow["jobs"][job]["steps"])


def test_a_maintainers_label_starts_it_and_nothing_else(workflow: Document) -> None:
    assert workflow["on"] == {"pull_request_target": {"types": ["labeled"]}}
    assert workflow["jobs"]["measure"]["if"] == "github.event.label.name == 'measure'"


def test_where_strangers_code_runs_there_is_nothing_to_steal(workflow: Document) -> None:
    measure = workflow["jobs"]["measure"]
    assert workflow["permissions"] == {}
    assert measure["permissions"] == {"contents": "read"}
    text = yaml.safe_dump(measure)
    assert not re.search(r"secrets|token|environment:", text)
    run = " ".join(it.get("run", "") for it in steps(workflow, "measure"))
    assert run.count("--sandbox require") == 2


def test_the_code_of_the_base_branch_is_checked_out_and_no_other(workflow: Document) -> None:
    checkouts = [it for job in workflow["jobs"] for it in steps(workflow, job)]
    checkouts = [it for it in checkouts if it.get("uses", "").startswith("actions/checkout@")]
    (mine,) = checkouts
    assert mine["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert mine["with"]["persist-credentials"] == "false"


def test_no_name_of_a_strangers_reaches_a_shell_but_as_a_value(workflow: Document) -> None:
    for job in workflow["jobs"]:
        for step in steps(workflow, job):
            script = step.get("run", "")
            assert "${{" not in script
            subprocess.run(["bash", "-n", "-c", script], check=True)


def test_the_changed_entries_are_taken_out_of_the_store(workflow: Document, tmp_path: Path) -> None:
    (script,) = (it["run"] for it in steps(workflow, "measure") if it.get("name") == "Take in")
    origin, here, told = repository(tmp_path / "origin"), tmp_path / "here", tmp_path / "told"
    entries = origin / "submissions"
    write_entry(entries / "old")
    base = commit(origin)
    git(origin, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(tmp_path, "clone", "-q", str(origin), str(here))
    git(origin, "checkout", "-qb", "theirs")
    write_entry(entries / "new")
    (entries / "$(touch hacked)").mkdir()
    for file in ("$(touch hacked)/a", "README.md", "../conftest.py"):
        (entries / file).touch()
    git(origin, "rm", "-rq", "submissions/old")
    head = commit(origin)
    stub = tmp_path / "bin" / "esr"
    stub.parent.mkdir()
    stub.write_text(f'#!/bin/sh\necho "$@" >>{told}\ntar tf "$2" >>{told}\n', encoding="utf-8")
    stub.chmod(0o755)
    path = f"{stub.parent}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    variables = {**os.environ, "PATH": path, "BASE": base, "HEAD": head}
    subprocess.run(command, cwd=here, env=variables, check=True)
    lines = told.read_text(encoding="utf-8").split("\n")
    intake = "intake handed-in.tar --into taken"
    assert lines == [intake, "a", intake, "model.py", "submission.toml", ""]
    assert not [it for it in here.iterdir() if it.name in ("hacked", "conftest.py")]
