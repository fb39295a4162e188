"""What every test may need: the repository, the evaluation material, and skips that can fail."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
from chromium import Browser

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_configure() -> None:
    """Ctrl-C is under test: have it even where nohup or a shell's `&` left it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """The two halves of a run may be told one file, which is in one of them alone."""
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and session.config.option.markexpr:
        session.exitstatus = pytest.ExitCode.OK


def skip_or_fail(reason: str) -> None:
    """Skip where something is missing, but fail where CI promised that it is there."""
    if os.environ.get("ESR_NO_SKIP") == "1":
        pytest.fail(f"ESR_NO_SKIP is set: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Set5, Set14, DIV2K test images, official weights and printed tables; not in the project."""
    folder = Path(os.environ.get("ESR_SHARED", REPOSITORY.parent / "shared"))
    if not (folder / "data").is_dir():
        skip_or_fail("the evaluation material is missing: set ESR_SHARED to its folder")
    return folder


@pytest.fixture(scope="session")
def sandbox_works() -> None:
    """Skip without a sandbox that holds; CI installs one."""
    from harness.sandbox.isolation import why_not

    if trouble := why_not():
        skip_or_fail(f"no sandbox: {trouble}")


@pytest.fixture(scope="session")
def jq() -> None:
    """Runs the filters that the action gives to gh; CI installs it."""
    if shutil.which("jq") is None:
        skip_or_fail("jq is missing: install the package jq")


@pytest.fixture
def package_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that is all that uv asks, with a cache of the test's own; needs uv."""
    if not Path(sys.executable).with_name("uv").exists() and shutil.which("uv") is None:
        skip_or_fail("uv is missing: install esr-harness[packages]")
    index, nothing = tmp_path / "index", tmp_path / "nothing"
    index.mkdir()
    nothing.mkdir()
    monkeypatch.setenv("UV_FIND_LINKS", str(index))
    monkeypatch.setenv("UV_DEFAULT_INDEX", nothing.as_uri())
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return index


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    """Chromium, which CI installs."""
    binary = shutil.which("chromium")
    if binary is None:
        skip_or_fail("the browser is missing: install the package chromium")
    assert binary is not None
    return Browser(binary, tmp_path_factory.mktemp("profile"))


@pytest.fixture(scope="session")
def pdflatex() -> str:
    """A TeX, which CI installs with the packages that tables need."""
    binary = shutil.which("pdflatex")
    if binary is None:
        skip_or_fail("no TeX: install texlive-latex-base and texlive-latex-recommended")
    assert binary is not None
    return binary
