from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from harness.entries import folder_policy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "acme"
    (made / "parts").mkdir(parents=True)
    (made / "model.py").write_text("x = 1\n", encoding="utf-8")
    (made / "parts" / "Gewichte der Schicht – 2.bin").write_bytes(b"abc")
    return made


def _fault(folder: Path) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        folder_policy.check(folder)
    return str(caught.value)


def test_plain_files_of_ordinary_names_are_fine(folder: Path) -> None:
    folder_policy.check(folder)


def test_two_names_that_differ_in_composition_alone_are_refused(folder: Path) -> None:
    for name in ("poids_é.pth", "poids_e\u0301.pth"):
        (folder / name).write_bytes(b"")
    if len(list(folder.glob("poids*"))) < 2:
        pytest.skip("the file system takes both for one name")
    assert "another name there differs only in how accents are written" in _fault(folder)


@pytest.mark.parametrize("target", ["model.py", "/etc/passwd", "nowhere", "."])
def test_a_link_is_refused_wherever_it_leads(folder: Path, target: str) -> None:
    (folder / "parts" / "link").symlink_to(target)
    assert _fault(folder) == "parts/link: only plain files and folders may be in a submission"


def test_a_pipe_is_refused_and_never_opened(folder: Path) -> None:
    os.mkfifo(folder / "weights.pth")  # opening it would wait for ever
    assert _fault(folder) == "weights.pth: only plain files and folders may be in a submission"


def test_a_socket_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("talk")
        assert _fault(folder).startswith("talk: only plain files")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb.py", r"a\nb.py"),
        ("a\x1b[31m.py", r"a\x1b[31m.py"),
        ("a\u202egpj.py", r"a\u202egpj.py"),
        ("a\u200b.py", r"a\u200b.py"),
        ("a\\..\\b.py", "a\\..\\b.py"),
        (b"a\xff.py", r"a\udcff.py"),
    ],
)
def test_a_name_of_odd_characters_is_refused(folder: Path, name: str | bytes, shown: str) -> None:
    (folder / os.fsdecode(name)).write_text("", encoding="utf-8")
    expected = "the name holds characters that are no part of a file's ordinary name"
    assert _fault(folder) == f"{shown}: {expected}"


def test_a_very_long_name_is_refused_and_cut(folder: Path) -> None:
    (folder / ("x" * 200)).write_text("", encoding="utf-8")
    assert _fault(folder) == f"{'x' * 119}…: the name is longer than 120 characters"


def test_a_sparse_file_is_refused(folder: Path) -> None:
    path = folder / "weights.safetensors"
    path.write_bytes(b"header")
    os.truncate(path, 64 * 2**20)
    assert _fault(folder).startswith("weights.safetensors: the file is sparse")


def test_a_file_with_small_holes_is_fine(folder: Path) -> None:
    path = folder / "weights.safetensors"
    path.write_bytes(b"header")
    os.truncate(path, 2**20)
    folder_policy.check(folder)


def test_a_huge_file_is_refused_by_its_size_alone(folder: Path) -> None:
    (folder / "weights.safetensors").touch()
    os.truncate(folder / "weights.safetensors", folder_policy.BYTES_CAP + 1)
    assert _fault(folder) == "weights.safetensors: the file is larger than 2048 MiB"


def test_huge_files_together_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_policy, "BYTES_CAP", 2**20)
    for number in range(3):
        (folder / f"part{number}").write_bytes(bytes(2**19))
    assert "larger than 1 MiB" in _fault(folder)


def test_too_many_files_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_policy, "FILES_CAP", 5)
    for number in range(6):
        (folder / f"part{number}").touch()
    assert _fault(folder) == "more than 5 files and folders are in the submission"


def test_a_deep_nest_is_refused(folder: Path) -> None:
    folder.joinpath(*["d"] * 40).mkdir(parents=True)
    assert _fault(folder).endswith("folders are nested too deeply")


def test_what_no_digest_covers_is_not_looked_at(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "link").symlink_to("/etc/passwd")
    folder_policy.check(folder)
    with pytest.raises(ValueError, match=r"\.git/link"):
        folder_policy.check(folder, ignored=())
