"""`--sandbox` and `esr sandbox` as an organiser meets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.challenges import write_challenge, write_set5
from fakes.entries import write_entry
from schemas import faults

NOT_ISOLATED = "The entries were not isolated"


def esr(*arguments: str | Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness.cli", *map(str, arguments)]
    variables = {**os.environ, "NO_COLOR": "1", "COLUMNS": "1000", **more}
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, timeout=240, check=False, env=variables
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_challenge(tmp_path / "tiny.toml")
    write_set5(tmp_path / "data")
    write_entry(tmp_path / "good")
    return tmp_path


def _run(place: Path, mode: str, **more: str) -> subprocess.CompletedProcess[str]:
    options = ("--challenge", "tiny.toml", "--data-dir", "data", "--sandbox", mode)
    return esr("run", "good", *options, cwd=place, **more)


def _isolations(place: Path) -> set[str]:
    records = place.glob("reports/tiny/records/*/*.json")
    return {json.loads(it.read_text())["environment"]["stable"]["isolation"] for it in records}


@pytest.mark.usefixtures("sandbox_works")
def test_an_isolated_run_says_so_in_each_record(place: Path) -> None:
    done = _run(place, "require")
    assert done.returncode == 0, done.stderr
    assert _isolations(place) == {"bubblewrap"}
    assert NOT_ISOLATED not in done.stderr
    assert NOT_ISOLATED not in (place / "reports/tiny/index.html").read_text(encoding="utf-8")
    figures = json.loads((place / "reports/tiny/leaderboard.json").read_text(encoding="utf-8"))
    memory = next(row["memory_bytes"] for row in figures["rows"] if row["id"] == "good")
    assert memory is not None  # of the worker's own process, read from outside the sandbox


def test_a_run_that_is_not_isolated_says_so_everywhere(place: Path) -> None:
    done = _run(place, "auto", PATH="")
    assert done.returncode == 0, done.stderr
    assert f"{NOT_ISOLATED}" in done.stderr
    assert "(bubblewrap is not installed)" in done.stderr
    assert _isolations(place) == {"none"}
    assert NOT_ISOLATED in (place / "reports/tiny/index.html").read_text(encoding="utf-8")
    figures = json.loads((place / "reports/tiny/leaderboard.json").read_text(encoding="utf-8"))
    assert any(NOT_ISOLATED in note for note in figures["notes"])


def test_what_is_required_and_missing_ends_the_run_before_it_begins(place: Path) -> None:
    run = ("run", "good", "--challenge", "tiny.toml", "--data-dir", "data")
    for command in (run, ("inspect", "good")):
        done = esr(*command, "--sandbox", "require", cwd=place, PATH="")
        assert done.returncode == 2
        assert "--sandbox require: bubblewrap is not installed" in done.stderr
        assert "Traceback" not in done.stderr
    assert not list(place.glob("reports/tiny/records/*"))


@pytest.mark.usefixtures("sandbox_works")
def test_the_trial_is_a_table_or_a_document(place: Path) -> None:
    shown = esr("sandbox", "--strict", cwd=place)
    assert shown.returncode == 0, shown.stdout
    assert "NOT held" not in shown.stdout
    assert "read an HR image" in shown.stdout
    document = json.loads(esr("sandbox", "--json", cwd=place).stdout)
    assert faults("sandbox", document) == []
    assert document["usable"] is True
    assert all(it["held"] for it in document["attempts"])
    assert len(document["attempts"]) >= 20


def test_without_bubblewrap_the_trial_says_what_is_missing(place: Path) -> None:
    done = esr("sandbox", "--json", cwd=place, PATH="")
    assert done.returncode == 3
    assert json.loads(done.stdout)["trouble"] == "bubblewrap is not installed"
