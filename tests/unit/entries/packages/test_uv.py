"""uv with an index of wheels made by hand: what is locked, what is refused, what is installed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.wheels import write_sdist, write_wheel

from harness.entries.packages import package_lock, uv
from harness.entries.packages.uv_process import PackagesError

DATE = "2026-01-31"


def test_a_lock_holds_what_is_needed_each_by_its_hash(package_index: Path) -> None:
    inner = write_wheel(package_index, "inner", "2.0")
    write_wheel(package_index, "outer", "1.0", requires=["inner>=1", "torch>=2"])
    lock = uv.lock(("outer",), DATE)
    assert [(it.name, it.version) for it in lock.packages] == [("inner", "2.0"), ("outer", "1.0")]
    digest = hashlib.sha256(inner.read_bytes()).hexdigest()
    assert lock.packages[0].hashes == (f"sha256:{digest}",)
    # torch is the organiser's: part of the question, not of the answer
    assert lock.beside == {"torch": package_lock.installed()["torch"]}
    assert lock == lock.sealed()


def test_of_versions_the_newest_is_taken_that_has_the_harness_s_torch(package_index: Path) -> None:
    write_wheel(package_index, "layers", "1.0", requires=["torch>=2"])
    write_wheel(package_index, "layers", "2.0", requires=["torch<2"])
    assert [it.version for it in uv.lock(("layers",), DATE).packages] == ["1.0"]


@pytest.mark.parametrize("required", ["torch<2", "needs_old_torch", "nobody-has-it"])
def test_what_can_not_be_had_says_why(package_index: Path, required: str) -> None:
    write_wheel(package_index, "needs_old_torch", "1.0", requires=["torch==1.13"])
    with pytest.raises(PackagesError, match=r"uv compile: .*(torch==|nobody-has-it was not found)"):
        uv.lock((required,), DATE)


def test_a_package_without_a_wheel_is_refused_and_not_a_line_of_it_is_run(
    package_index: Path, tmp_path: Path
) -> None:
    marker = tmp_path / "was-run"
    write_sdist(package_index, "source", "1.0", marker)
    with pytest.raises(PackagesError, match=r"source.*(no usable wheels|no wheels|building)"):
        uv.lock(("source",), DATE)
    assert not marker.exists()


def test_packages_are_installed_as_they_were_locked(package_index: Path, tmp_path: Path) -> None:
    write_wheel(package_index, "inner", "2.0", files={"inner/__init__.py": "A = 1\n"})
    lock = uv.lock(("inner",), DATE)
    uv.install(lock, tmp_path / "made")
    assert (tmp_path / "made" / "inner" / "__init__.py").read_text(encoding="utf-8") == "A = 1\n"
    assert (tmp_path / "made" / "inner" / "__init__.py").stat().st_nlink > 1  # uv's cache has it
    other = replace(lock.packages[0], hashes=(f"sha256:{'0' * 64}",))
    write_wheel(package_index, "inner", "2.0", files={"inner/__init__.py": "A = 2\n"})
    with pytest.raises(PackagesError, match=r"uv install: .*[Hh]ash"):
        uv.install(replace(lock, packages=(other,)), tmp_path / "other")


def test_a_project_that_lies_around_configures_nothing(
    package_index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wheel(package_index, "inner", "2.0")
    (tmp_path / "uv.toml").write_text('index-url = "https://example.org"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert [it.name for it in uv.lock(("inner",), DATE).packages] == ["inner"]
