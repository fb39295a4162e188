from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.outcome import BadInput
from harness.entries import one_file
from harness.entries.catalogue import Entry, read_folder


def _file(folder: Path, name: str, data: bytes = b"bytes") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def _entry(file: Path, into: Path, *, spandrel: bool = False) -> Entry:
    folder, new = one_file.folder_of(file, into, scale=2, spandrel=spandrel)
    assert new
    (entry,) = read_folder(folder)
    assert isinstance(entry, Entry), entry.faults
    return entry


def test_an_onnx_file_becomes_an_entry_of_its_name(tmp_path: Path) -> None:
    entry = _entry(_file(tmp_path, "My Net-v2.ONNX"), tmp_path / "submissions")
    assert (entry.id, entry.submission.entry, entry.submission.scale) == (
        "my_net_v2",
        "network.onnx",
        2,
    )
    assert (entry.folder / "network.onnx").read_bytes() == b"bytes"


@pytest.mark.parametrize("suffix", [".pth", ".pth.tar", ".safetensors"])
def test_a_checkpoint_for_spandrel_is_loaded_by_it_and_by_the_harness(
    tmp_path: Path, suffix: str
) -> None:
    entry = _entry(_file(tmp_path, f"net{suffix}"), tmp_path / "submissions", spandrel=True)
    assert (entry.submission.entry, entry.submission.weights) == (
        "model:network",
        f"network{suffix}",
    )
    code = (entry.folder / "model.py").read_text()
    assert f'with_name("network{suffix}")' in code
    compile(code, "model.py", "exec")


def test_a_checkpoint_alone_says_what_it_lacks(tmp_path: Path) -> None:
    file = _file(tmp_path, "net.pth")
    with pytest.raises(BadInput, match=r"holds weights and no network.*--spandrel"):
        one_file.folder_of(file, tmp_path, scale=4, spandrel=False)


def test_a_manifest_that_was_edited_stays(tmp_path: Path) -> None:
    file, into = _file(tmp_path, "net.onnx"), tmp_path / "submissions"
    manifest = _entry(file, into).folder / "submission.toml"
    manifest.write_text("edited")
    assert one_file.folder_of(file, into, scale=2, spandrel=False) == (into / "net", False)
    assert manifest.read_text() == "edited"


def test_what_was_cut_off_before_its_manifest_is_completed(tmp_path: Path) -> None:
    file, into = _file(tmp_path, "net.onnx"), tmp_path / "submissions"
    (_entry(file, into).folder / "submission.toml").unlink()
    _entry(file, into)


@pytest.mark.parametrize(
    ("name", "said"), [("___.onnx", "makes no id"), ("taken.onnx", "is there already")]
)
def test_names_that_can_not_be_had_are_bad_input(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "taken").mkdir()
    _file(tmp_path / "taken", "network.onnx", b"other bytes")
    with pytest.raises(BadInput, match=said):
        one_file.folder_of(_file(tmp_path, name), tmp_path, scale=4, spandrel=False)


def test_folders_and_ids_are_no_such_files(tmp_path: Path) -> None:
    (tmp_path / "folder.onnx").mkdir()
    named = [str(tmp_path / "folder.onnx"), "rlfn_x4", str(tmp_path / "absent.onnx")]
    assert not any(map(one_file.is_one, named))
