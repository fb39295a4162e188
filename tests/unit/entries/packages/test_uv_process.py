"""What a wheel unpacks to is bounded, and a cache that was ended in the middle goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.wheels import write_wheel

from harness.entries.packages import uv, uv_process
from harness.entries.packages.uv_process import PackagesError

DATE = "2026-01-31"
MIB = 1 << 20


@pytest.mark.parametrize(
    ("bound", "files"),
    [
        ("MOST_BYTES", {"x/large.bin": bytes(64 * MIB)}),
        ("MOST_BYTES", {f"x/{number}.bin": bytes(MIB) for number in range(20)}),
        ("MOST_FILES", {f"x/{number}.py": b"" for number in range(2000)}),
    ],
)
def test_a_small_wheel_that_unpacks_to_too_much_is_refused_and_leaves_nothing(
    package_index: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bound: str,
    files: dict[str, bytes],
) -> None:
    write_wheel(package_index, "x", "1.0", files=files)
    lock = uv.lock(("x",), DATE)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "new"))
    usual = getattr(uv_process, bound)
    monkeypatch.setattr(uv_process, bound, 10 * MIB if bound == "MOST_BYTES" else 1000)
    for ask in (lambda: uv.install(lock, tmp_path / "made"), lambda: uv.lock(("x",), DATE)):
        with pytest.raises(PackagesError, match=r"come to more than .*: require fewer or smaller"):
            ask()
        kept = [*(tmp_path / "new").glob(".tmp*"), *(tmp_path / "new").glob("archive-*/*")]
        assert kept == []
    monkeypatch.setattr(uv_process, bound, usual)
    uv.install(lock, tmp_path / "again")
    assert len([*(tmp_path / "again" / "x").iterdir()]) == len(files)


def test_metadata_that_is_larger_than_a_memory_ends_uv_alone(
    package_index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = b"Metadata-Version: 2.1\nName: x\nVersion: 1.0\n\n" + b" " * (300 * MIB)
    write_wheel(package_index, "x", "1.0", files={"x-1.0.dist-info/METADATA": about})
    monkeypatch.setattr(uv_process, "MOST_MEMORY", 250 * MIB)
    with pytest.raises(PackagesError, match="uv compile: memory allocation"):
        uv.lock(("x",), DATE)


def test_an_answer_that_does_not_come_is_not_waited_for(
    package_index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wheel(package_index, "x", "1.0")
    monkeypatch.setattr(uv_process, "_DEADLINE_S", 0.0)
    with pytest.raises(PackagesError, match="uv gave no answer within 0 s"):
        uv.lock(("x",), DATE)
