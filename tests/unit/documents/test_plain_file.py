"""What is opened of strangers' files, and that nothing else is waited for."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.documents import plain_file


def socket_at(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


STRANGE: dict[str, Callable[[Path], object]] = {
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a socket": socket_at,
}
LINKS = {"/dev/zero": "it is a device, not a plain file", "loop": "Too many levels of symbolic"}


def test_a_plain_file_is_read_as_far_as_asked(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert plain_file.kind(tmp_path / "file") == plain_file.PLAIN
    assert plain_file.read(tmp_path / "file", 3) == b"123"
    assert plain_file.read(tmp_path / "file", 9) == b"12345"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", STRANGE)
def test_anything_else_is_told_and_not_opened(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    STRANGE[kind](Path("it"))
    assert plain_file.kind(Path("it")) == kind
    with pytest.raises(OSError, match=f"it is {kind}, not a plain file"):
        plain_file.opened(Path("it"))


@pytest.mark.timeout(20)
@pytest.mark.parametrize("target", LINKS)
def test_a_link_is_a_link_and_what_it_leads_to_must_be_plain(tmp_path: Path, target: str) -> None:
    link = tmp_path / "loop"
    link.symlink_to(target)
    assert plain_file.kind(link) == "a link"
    with pytest.raises(OSError, match=LINKS[target]):
        plain_file.opened(link)


def test_a_link_to_a_plain_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("file")
    assert plain_file.read(tmp_path / "link", 9) == b"12345"


@pytest.mark.timeout(20)
def test_a_file_that_becomes_a_pipe_while_it_is_opened_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    right = os.open

    def exchanged(name: Path, flags: int) -> int:
        path.unlink()
        os.mkfifo(path)
        return right(name, flags)

    monkeypatch.setattr(os, "open", exchanged)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - the folder's own is counted twice
    with pytest.raises(OSError, match="it is a pipe"):
        plain_file.opened(path)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - as above


def test_nothing_and_names_that_no_file_has_are_no_kind(tmp_path: Path) -> None:
    for name in ("absent", "a\0b", "x" * 300):
        assert plain_file.kind(tmp_path / name) == ""
