"""`esr check` with real workers: one process start after the other, so few of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from fakes.entries import CONV, write_entry

from harness.gate.measured_form import AS_GRAPHS, SAME_GRAPH
from harness.sandbox.isolation import NOT_ISOLATED, why_not

EXACT = """
defaults = false
gates = [
  { metric = "params", kind = "exact" },
  { metric = "macs", kind = "exact" },
  { metric = "digest", kind = "exact" },
]
"""
WIDER = CONV.replace(
    "return self.shuffle(self.conv(image))",
    "return self.shuffle(self.conv(image) + 0 * self.more(self.conv(image)))",
).replace("self.shuffle = ", "self.more = nn.Conv2d(48, 48, 3, padding=1)\n        self.shuffle = ")
FAST = ("--size", "16", "16", "--images", "1", "--complexity", "32", "32", "--threads", "1")


def esr(*arguments: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=240,
        check=False,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200", **more},
    )


def _git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    nobody = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    command = ["git", *who, "-C", str(folder), *arguments]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **nobody})


@pytest.fixture
def pull_request(tmp_path: Path) -> Path:
    """A repository whose entry was changed since its only commit: more convolutions."""
    entry = write_entry(tmp_path / "acme", CONV)
    (tmp_path / "gates.toml").write_text(EXACT, encoding="utf-8")
    _git(tmp_path, "init", "-q", "-b", "main")
    _git(tmp_path, "add", "-A")
    _git(tmp_path, "commit", "-qm", "first")
    (entry / "model.py").write_text(WIDER, encoding="utf-8")
    return tmp_path


def test_a_change_that_costs_more_is_a_regression_in_every_output(pull_request: Path) -> None:
    summary = pull_request / "summary.md"
    told = esr(
        *("check", "acme", "--against", "git:main", "--gates", "gates.toml", *FAST),
        cwd=pull_request,
        GITHUB_ACTIONS="true",
        GITHUB_STEP_SUMMARY=str(summary),
    )
    assert told.returncode == 1, told.stderr
    # 48 x 48 x 9 weights and 48 biases more; the output is the same
    assert "+20,784" in told.stdout
    assert "::error title=esr check%3A Params of acme::" in told.stdout
    assert summary.read_text(encoding="utf-8").startswith("<!-- esr-check -->")
    reports = pull_request / "reports" / "check"
    (entry,) = json.loads((reports / "check.json").read_text(encoding="utf-8"))["entries"]
    assert (entry["conditions"]["form"], AS_GRAPHS in entry["notes"]) == ("graph", True)
    junit = reports / "junit.xml"
    suite = ET.parse(junit).getroot()[0]  # noqa: S314
    assert (suite.get("tests"), suite.get("failures")) == ("3", "2")


@pytest.mark.measures
def test_an_entry_against_itself_passes_with_a_verdict(pull_request: Path) -> None:
    told = esr(
        *("check", "acme", "--against", "acme", "--budget", "15", "--inconclusive", "pass"),
        *(*FAST, "--json"),
        cwd=pull_request,
    )
    (entry,) = json.loads(told.stdout)["entries"]
    assert told.returncode == 0, (told.stderr, entry["runtime"], entry["findings"])
    assert entry["runtime"]["verdict"] in ("SAME", "INCONCLUSIVE")
    assert {it["level"] for it in entry["findings"]} <= {"pass", "inconclusive"}
    assert (entry["conditions"]["form"], SAME_GRAPH in entry["notes"]) == ("code", True)
    held = why_not() == ""
    assert (entry["isolation"], NOT_ISOLATED in told.stderr) == (
        ("bubblewrap", False) if held else ("none", True)
    )


@pytest.mark.measures
def test_python_that_is_in_no_graph_is_found_where_it_is_all_that_changed(
    pull_request: Path,
) -> None:
    slow = CONV.replace("    return self", "    import time; time.sleep(0.01)\n        return self")
    (pull_request / "acme" / "model.py").write_text(slow, encoding="utf-8")
    told = esr(
        *("check", "acme", "--against", "git:main", "--budget", "15", *FAST, "--json"),
        cwd=pull_request,
    )
    (entry,) = json.loads(told.stdout)["entries"]
    assert (told.returncode, entry["runtime"]["verdict"]) == (1, "SLOWER"), told.stderr


def test_what_was_asked_wrongly_is_bad_input_and_what_fails_is_not_measured(
    pull_request: Path,
) -> None:
    nowhere = esr("check", "acme", "--against", "git:nowhere", cwd=pull_request)
    assert (nowhere.returncode, "no revision 'nowhere'" in nowhere.stderr) == (2, True)
    (pull_request / "acme" / "model.py").write_text("import nothing_at_all\n", encoding="utf-8")
    broken = esr(
        *("check", "acme", "--against", "git:main", "--gates", "gates.toml", *FAST),
        cwd=pull_request,
    )
    assert broken.returncode == 3
    assert "the candidate: load: ModuleNotFoundError" in " ".join(broken.stdout.split())


def test_the_doctor_looks_without_sampling(tmp_path: Path) -> None:
    told = esr("doctor", "--sample", "0", "--json", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert (found["forecast"], found["problem"]) == (None, "not sampled")
    assert {"cores", "load", "sandbox"} <= {it["name"] for it in found["sights"]}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_check_leaves_nothing_behind(
    pull_request: Path, tmp_path_factory: pytest.TempPathFactory, number: signal.Signals
) -> None:
    temporary = tmp_path_factory.mktemp("temporary")
    command = [sys.executable, "-m", "harness.cli", "check", "acme", "--against", "git:main", *FAST]
    with subprocess.Popen(
        command,
        cwd=pull_request,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    ) as check:
        until = time.monotonic() + 60.0
        while not [*temporary.glob("esr-baseline-*/*/acme")]:
            assert check.poll() is None, check.communicate()[1]
            assert time.monotonic() < until
            time.sleep(0.05)
        check.send_signal(number)
        _, said = check.communicate(timeout=60)
    assert (check.returncode, [*temporary.glob("esr-*")]) == (130, []), said
    assert "nothing was judged" in said
