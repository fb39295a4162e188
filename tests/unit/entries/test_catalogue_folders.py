"""What the catalogue makes of folders: links, digests, odd names, and names on a command line."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.outcome import BadInput
from harness.entries import catalogue
from harness.entries.catalogue import Entry, Rejected

MANIFEST = """
id = "acme"
team = "Acme"
entry = "model:Net"
scale = 4
data_range = 1.0
"""
VARIANTS = """
team = "Acme"
entry = "model:Net"
data_range = 1.0
[[variants]]
id = "acme_x2"
scale = 2
[[variants]]
id = "acme_x4"
scale = 4
"""


def _folder(place: Path, manifest: str = MANIFEST, name: str = "acme") -> Path:
    folder = place / name
    folder.mkdir()
    (folder / "submission.toml").write_text(manifest, encoding="utf-8")
    (folder / "model.py").write_text("class Net: ...\n", encoding="utf-8")
    return folder


def _rejected(folder: Path) -> Rejected:
    (rejected,) = catalogue.read_folder(folder)
    assert isinstance(rejected, Rejected), rejected
    return rejected


def test_a_link_in_the_folder_is_refused(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (folder / "deep").mkdir()
    (folder / "deep" / "w.pth").symlink_to("/etc/hostname")
    expected = ("deep/w.pth: only plain files and folders may be in a submission",)
    assert _rejected(folder).faults == expected


def test_a_manifest_that_is_a_link_is_refused(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (folder / "submission.toml").rename(tmp_path / "elsewhere.toml")
    (folder / "submission.toml").symlink_to(tmp_path / "elsewhere.toml")
    assert "submission.toml is missing" in _rejected(folder).faults[0]


def test_a_pipe_in_the_folder_is_refused_and_not_read(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    os.mkfifo(folder / "weights.pth")
    assert "weights.pth: only plain files" in _rejected(folder).faults[0]


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made, contextlib.chdir(path.parent):  # its path is short
        made.bind(path.name)


STRANGE: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a socket": _socket,
    "a folder": Path.mkdir,
    "a link": lambda path: path.symlink_to(path.name),  # to itself
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", STRANGE)
def test_a_manifest_that_is_no_plain_file_is_a_row_and_not_waited_for(
    tmp_path: Path, kind: str
) -> None:
    folder = _folder(tmp_path)
    (folder / "submission.toml").unlink()
    STRANGE[kind](folder / "submission.toml")
    fault = f"submission.toml is missing: what stands there is {kind}"
    named: tuple[str, ...]
    for named in ((str(folder),), (f"{folder}:acme_x4",)):
        (row,) = catalogue.read_named(*named)
        assert isinstance(row, Rejected)
        assert (row.id, row.faults[0]) == ("acme", fault)


@pytest.mark.timeout(20)
def test_a_manifest_that_is_a_device_is_a_row_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _folder(tmp_path)
    manifest = folder / "submission.toml"
    looked = Path.lstat

    def as_device(path: Path) -> os.stat_result:  # to make one takes a right that few have
        return looked(Path("/dev/zero") if path.name == manifest.name else path)

    monkeypatch.setattr(Path, "lstat", as_device)
    assert _rejected(folder).faults[0] == (
        "submission.toml is missing: what stands there is a device"
    )


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.parametrize("name", ["weights.pth", "model.py"])
def test_weights_and_code_that_are_no_plain_file_are_a_row_and_not_waited_for(
    tmp_path: Path, name: str, kind: str
) -> None:
    folder = _folder(tmp_path, f'{MANIFEST}weights = "weights.pth"\n')
    (folder / "weights.pth").write_bytes(b"")
    (folder / name).unlink()
    STRANGE[kind](folder / name)
    fault, *others = _rejected(folder).faults
    assert "which is not in the folder" in fault or "is not in the folder" in fault
    refused = f"{name}: only plain files and folders may be in a submission"
    assert others == ([] if kind == "a folder" else [refused])


@pytest.mark.parametrize("name", ["submission.toml", "weights.pth"])
def test_a_file_that_may_not_be_read_is_a_row(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _folder(tmp_path, f'{MANIFEST}weights = "weights.pth"\n')
    (folder / "weights.pth").write_bytes(b"")
    right = os.open

    def refused(path: Path, flags: int) -> int:  # root may read whatever its mode is
        if path.name == name:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return right(path, flags)

    monkeypatch.setattr(os, "open", refused)
    assert "Permission denied" in _rejected(folder).faults[0]


def test_a_link_to_a_folder_is_that_folder(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (tmp_path / "alias").symlink_to(folder)
    assert catalogue.read_folder(tmp_path / "alias") == catalogue.read_folder(folder)


def test_the_digest_follows_contents_and_names_and_ignores_caches(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    seen = [catalogue.folder_digest(folder)]

    def changed() -> bool:
        seen.append(catalogue.folder_digest(folder))
        return seen[-1] not in seen[:-1]

    for cache in ("__pycache__", ".git"):
        (folder / cache).mkdir()
        (folder / cache / "x").write_text("x", encoding="utf-8")
    (folder / "model.py").touch()
    assert not changed()
    (folder / "model.py").write_text("class Net: pass\n", encoding="utf-8")
    assert changed()
    (folder / "deep").mkdir()
    (folder / "deep" / "a.py").write_text("a", encoding="utf-8")
    assert changed()
    (folder / "deep" / "a.py").rename(folder / "deep" / "b.py")
    assert changed()
    (folder / "deep" / "b.py").rename(folder / "b.py")
    assert changed()


def test_the_digest_does_not_depend_on_where_the_folder_lies(tmp_path: Path) -> None:
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        _folder(tmp_path / place)
    assert catalogue.folder_digest(tmp_path / "a") == catalogue.folder_digest(tmp_path / "b")


@pytest.mark.parametrize("name", ["Ac me", "-", "Größe", "a.b", "x" * 100, os.fsdecode(b"a\xff")])
def test_an_odd_folder_name_is_a_fault_with_a_safe_id(tmp_path: Path, name: str) -> None:
    candidate = _rejected(_folder(tmp_path, MANIFEST, name))
    assert candidate.faults == (f"submission.toml: id 'acme' is not the folder's name, {name!r}",)
    broken = _rejected(_folder(tmp_path, "", f"{name}2"))
    assert re.fullmatch(r"[a-z0-9][a-z0-9_]{0,63}", broken.id)


def test_odd_folder_names_that_look_alike_get_different_ids(tmp_path: Path) -> None:
    names = ["a b", "a-b", "A-b", "a_b"]
    ids = {_rejected(_folder(tmp_path, "", name)).id for name in names}
    assert len(ids) == 4
    assert "a_b" in ids


@pytest.mark.parametrize("after", ["", ":acme"])
def test_a_folder_is_found_however_the_accents_of_its_path_are_composed(
    tmp_path: Path, after: str
) -> None:
    (tmp_path / "be\u0301be\u0301").mkdir()
    folder = _folder(tmp_path / "be\u0301be\u0301")
    typed = f"{tmp_path}/b\u00e9b\u00e9/acme{after}"
    assert [it.folder for it in catalogue.read_named(typed)] == [folder]


def test_a_variant_is_named_after_a_colon(tmp_path: Path) -> None:
    folder = _folder(tmp_path, VARIANTS)
    assert [it.id for it in catalogue.read_named(str(folder))] == ["acme_x2", "acme_x4"]
    assert [it.id for it in catalogue.read_named(f"{folder}:acme_x4")] == ["acme_x4"]
    with pytest.raises(BadInput, match="has no variant 'x3': it has acme_x2, acme_x4"):
        catalogue.read_named(f"{folder}:x3")


def test_a_folder_with_a_colon_in_its_name_is_a_folder(tmp_path: Path) -> None:
    (found,) = catalogue.read_named(str(_folder(tmp_path, MANIFEST, "a:b")))
    assert isinstance(found, Rejected)


def test_an_unknown_name_says_what_a_name_can_be() -> None:
    with pytest.raises(BadInput, match=r"nobody: neither a folder with submission\.toml nor a"):
        catalogue.read_named("nobody")
    with pytest.raises(BadInput, match=r"`esr entries` lists what can be named$"):
        catalogue.read_named("nobody")


@pytest.mark.parametrize("typed", ["acne", "submision/acme", "submissions/akme"])
def test_a_mistyped_folder_is_answered_with_the_entry_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "submissions").mkdir()
    _folder(tmp_path / "submissions")
    with pytest.raises(BadInput, match=r"; did you mean submissions/acme\?$"):
        catalogue.read_named(typed)


def test_references_are_read_by_id_in_the_order_asked_for() -> None:
    found = catalogue.references(["rlfn_x4", "imdn_x2"])
    assert [(type(it), it.id, it.role) for it in found] == [
        (Entry, "rlfn_x4", "reference"),
        (Entry, "imdn_x2", "reference"),
    ]
    assert catalogue.read_named("rlfn_x4") == found[:1]
    assert "imdn_x2" in {it.id for it in catalogue.read_named("imdn")}


def test_an_unknown_reference_names_the_known_ones() -> None:
    with pytest.raises(BadInput, match=r"no reference model 'best': known are .*rlfn_x4"):
        catalogue.references(["rlfn_x4", "best"])


def test_a_mistyped_id_is_answered_with_the_nearest() -> None:
    with pytest.raises(BadInput, match=r"did you mean rlfn_x4 or .*\?$"):
        catalogue.references(["RLFN-x4", "imdn_x2"])
    with pytest.raises(BadInput, match=r"a reference model's id; did you mean imdn_x2 or imdn"):
        catalogue.read_named("imdnx2")
