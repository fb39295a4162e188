"""Every command that starts an entry's code starts it confined, and says so where it can't."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from fakes.challenges import write_challenge, write_set5
from fakes.checkouts import NETWORK, write_checkout
from fakes.entries import CONV, write_entry

from harness.sandbox.isolation import NOT_ISOLATED

MARK = "an_entry_was_here"
WRITES = """
from pathlib import Path
for folder in {folders}:
    try:
        (Path(folder) / "{mark}").write_text("by an entry")
    except OSError:
        pass
"""
MEASURED = (0, 1, 4)  # a check of a few seconds may say anything of the time
RUN = ("--challenge", "tiny.toml", "--data-dir", "data", "--no-references", "--rounds", "1")
CHECKOUT = ("--ntire", "official", "--ids", "0")
COMMANDS = {
    "run": ("run", "acme", *RUN),
    "run_captured": ("run", "acme", *RUN, "--challenge", "captured.toml"),
    "run_ntire": ("run", *CHECKOUT, *RUN),
    "inspect": ("inspect", "acme", "--size", "32", "32"),
    "inspect_ntire": ("inspect", *CHECKOUT, "--size", "32", "32"),
    "check": (
        *("check", "acme", "--against", "acme", "--budget", "5", "--size", "16", "16"),
        *("--images", "1", "--complexity", "16", "16"),
    ),
    "adopt": ("adopt", "official", "--ids", "0", "--to", "adopted"),
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An entry and a checkout that write into every folder that they know of, if they can."""
    folders = [tmp_path / name for name in ("outside", "acme", "official", "data", "reports")]
    writes = WRITES.format(folders=[*map(str, folders), str(tmp_path)], mark=MARK)
    write_entry(tmp_path / "acme", writes + CONV)
    plain = write_checkout(tmp_path / "official") / "models" / "plain.py"
    plain.write_text(writes + NETWORK, encoding="utf-8")
    write_set5(tmp_path / "data")
    write_challenge(tmp_path / "tiny.toml", deadline_s=120)
    write_challenge(tmp_path / "captured.toml", deadline_s=120, capture="required")
    for name in ("outside", "reports"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def checkpoint(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """acme's network pickled as a whole: to read it, its code is run."""
    module = ModuleType("model")
    exec(CONV, module.__dict__)  # noqa: S102 - our own
    monkeypatch.setitem(sys.modules, "model", module)
    torch.save(module.Network(), place / "last.ckpt")
    return place / "last.ckpt"


def _run(place: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", *words],
        capture_output=True,
        text=True,
        cwd=place,
        timeout=280,
        check=False,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "1000", **more},
    )


def _esr(place: Path, command: str, *sandbox: str, **more: str) -> str:
    """What it says on standard error; what it was asked must have come about."""
    done = _run(place, *COMMANDS[command], *sandbox, **more)
    assert done.returncode in (MEASURED if command == "check" else (0,)), done.stdout + done.stderr
    return done.stderr


def _marks(place: Path) -> set[str]:
    return {path.parent.name for path in place.rglob(MARK)} - {place.name}


@pytest.mark.usefixtures("sandbox_works")
@pytest.mark.parametrize("command", COMMANDS)
def test_an_entry_that_writes_outside_its_folder_writes_nothing(place: Path, command: str) -> None:
    said = _esr(place, command, "--sandbox", "require")
    assert list(place.rglob(MARK)) == []
    assert NOT_ISOLATED not in said


@pytest.mark.parametrize("command", COMMANDS)
def test_where_no_sandbox_is_there_every_command_says_so(place: Path, command: str) -> None:
    said = _esr(place, command, PATH="")
    assert f"{NOT_ISOLATED} (bubblewrap is not installed)." in " ".join(said.split())
    # and so it does write: the test above would find it
    assert {"outside", "official", "acme", "data", "reports"} <= _marks(place)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_sandbox_that_is_required_and_missing_starts_nothing(place: Path, command: str) -> None:
    done = _run(place, *COMMANDS[command], "--sandbox", "require", PATH="")
    assert done.returncode == 2
    assert "--sandbox require: bubblewrap is not installed" in done.stderr
    assert list(place.rglob(MARK)) == []


CONVERT = ("weights", "convert", "last.ckpt", "--reports", "reports")


@pytest.mark.usefixtures("sandbox_works", "checkpoint")
def test_code_that_a_conversion_needs_writes_nothing_outside_its_sandbox(place: Path) -> None:
    done = _run(place, *CONVERT, "--code", "acme", "--sandbox", "require")
    assert done.returncode == 0, done.stderr
    assert (place / "last.safetensors").is_file()
    assert list(place.rglob(MARK)) == []


@pytest.mark.usefixtures("checkpoint")
def test_a_conversion_without_a_sandbox_says_so_and_runs_no_code(place: Path) -> None:
    done = _run(place, *CONVERT, "--code", "acme", PATH="")
    assert done.returncode == 2
    assert "--code runs that folder's code, in the sandbox alone" in " ".join(done.stderr.split())
    done = _run(place, *CONVERT, PATH="")
    assert f"{NOT_ISOLATED} (bubblewrap is not installed)." in " ".join(done.stderr.split())
    assert list(place.rglob(MARK)) == []


@pytest.mark.parametrize("words", [("intake", "acme"), ("lock", "acme"), ("entries",)])
def test_commands_that_only_read_an_entry_run_nothing_of_it(
    place: Path, words: tuple[str, ...]
) -> None:
    setup = (place / "acme" / "model.py").read_text("utf-8")
    for name in ("setup.py", "conftest.py", "sitecustomize.py", "tomllib.py", "json.py"):
        (place / "acme" / name).write_text(setup, encoding="utf-8")
    done = _run(place, *words, PATH="")
    assert done.returncode == (2 if words[0] == "lock" else 0), done.stderr  # it requires nothing
    assert list(place.rglob(MARK)) == []


READS = """
from pathlib import Path
import sys
here = Path(__file__).parent
truths = [*here.rglob("*.png"), *here.rglob("*.log"), *Path("{data}").rglob("*.png")]
for entry in sys.path:
    if (Path(entry) / "skimage").is_dir():
        truths += (Path(entry) / "skimage" / "data").glob("*.png")
for path in truths:
    try:
        if path.stat().st_size > 4096 or path.suffix == ".log":
            path.read_bytes()
            print("read", path, flush=True)
    except OSError:
        pass
print("looked at", len(truths), flush=True)
"""


@pytest.mark.usefixtures("sandbox_works")
def test_an_entry_with_the_data_in_its_own_folder_reads_no_truth(tmp_path: Path) -> None:
    entry = tmp_path / "acme"
    write_entry(entry, READS.format(data=entry / "data") + CONV)
    write_set5(entry / "data", detail=30.0)
    write_challenge(entry / "tiny.toml", deadline_s=120)
    for name, expected in (("require", 0), ("none", 20)):
        done = subprocess.run(
            [sys.executable, "-m", "harness.cli", "run", ".", *RUN, "--sandbox", name],
            capture_output=True,
            text=True,
            cwd=entry,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        logs = [
            path.read_text(encoding="utf-8")
            for path in entry.rglob("reports/tiny/logs/**/*")
            if path.is_file()
        ]
        read = [line for log in logs for line in log.splitlines() if line.startswith("read ")]
        assert any("looked at" in log for log in logs)
        assert len(read) > expected if expected else read == []
