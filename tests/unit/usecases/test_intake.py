"""What is handed in: taken whole or not at all, and everything that is wrong is told at once."""

from __future__ import annotations

import os
import stat
import tarfile
import warnings
import zipfile
from io import BufferedReader
from pathlib import Path

import pytest
from fakes.entries import write_entry

from harness.core.outcome import BadInput
from harness.entries import folder_policy
from harness.entries.catalogue import Entry, read_folder
from harness.usecases import intake
from harness.usecases.intake import take_in

MANIFEST = (
    'id = "acme"\nteam = "Acme"\nentry = "model:Network"\nscale = 4\ndata_range = 1.0\n'
    'weights = "weights/best.pth"\n'
)
FILES = {"submission.toml": MANIFEST, "model.py": "Network = None\n", "weights/best.pth": "w"}


def zipped(path: Path, files: dict[str, str], **modes: int) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name that stands twice is meant
        for name, text in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = modes.get(name, 0o644) << 16
            archive.writestr(info, text)
    return path


def faults(source: Path, into: Path) -> list[str]:
    with pytest.raises(BadInput) as caught:
        take_in(source, into)
    assert [it.name for it in into.iterdir() if it.name != "acme"] == []
    return [line.removeprefix(f"{source}: ") for line in str(caught.value).split("\n")]


@pytest.mark.parametrize("beside", ["", "acme-main/", "Acme Team/"])
def test_an_archive_becomes_a_folder_of_the_manifest_s_id(tmp_path: Path, beside: str) -> None:
    junk = {"__MACOSX/._model.py": "x", f"{beside}.DS_Store": "x", f"{beside}__pycache__/a": "x"}
    files = {f"{beside}{name}": text for name, text in FILES.items()} | junk
    taken = take_in(zipped(tmp_path / "handed in.zip", files), tmp_path / "in")
    assert taken.folder == tmp_path / "in" / "acme"
    found = {str(it.relative_to(taken.folder)) for it in taken.folder.rglob("*") if it.is_file()}
    assert found == set(FILES)
    assert isinstance(read_folder(taken.folder)[0], Entry)


def test_a_folder_is_copied_without_rights_and_without_links_to_it(tmp_path: Path) -> None:
    source = write_entry(tmp_path / "acme")
    (source / "model.py").chmod(0o4777)
    os.link(source / "model.py", tmp_path / "elsewhere.py")
    taken = take_in(source, tmp_path / "in")
    about = (taken.folder / "model.py").stat()
    assert about.st_nlink == 1
    assert not about.st_mode & (stat.S_ISUID | stat.S_IXUSR)
    assert (source / "model.py").exists()


def test_a_tar_archive_is_taken_too(tmp_path: Path) -> None:
    source = write_entry(tmp_path / "acme")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.add(source, "acme")
    assert take_in(tmp_path / "a.tar.gz", tmp_path / "in").folder.name == "acme"


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    files = {
        **FILES,
        "submission.toml": MANIFEST.replace("scale = 4", "scale = 5").replace("team", "tame"),
        "../evil.py": "x",
        "/etc/evil": "x",
        "a\\b.py": "x",
        "link": "/etc/passwd",
        "./model.py": "again",
        "Model.py": "x",
        "poids_é": "x",
        "poids_e\u0301": "x",
        "od\u202ed": "x",
        "device": "",
    }
    source = zipped(tmp_path / "a.zip", files, link=stat.S_IFLNK | 0o777, device=stat.S_IFCHR)
    told = faults(source, tmp_path / "in")
    assert [it for it in told if it.startswith("the archive holds")] == [
        "the archive holds '../evil.py', which leads outside",
        "the archive holds '/etc/evil', which leads outside",
        "the archive holds 'a\\\\b.py', which leads outside",
        "the archive holds 'link', a link or a device",
        "the archive holds 'model.py' twice",
        "the archive holds 'device', a link or a device",
    ]
    text = "\n".join(told)
    assert "differs only in how accents are written" in text
    assert "od\\u202ed: the name holds characters that are no part of a file's ordinary" in text
    assert "model.py and Model.py differ in capital letters alone" in text
    assert "submission.toml: team: is missing" in text
    assert "submission.toml: tame: is no known field" in text
    assert not (tmp_path / "evil.py").exists()


def test_links_pipes_and_names_in_a_folder_are_told_at_once(tmp_path: Path) -> None:
    source = write_entry(tmp_path / "acme")
    (source / "link.py").symlink_to("model.py")
    (source / "out").symlink_to("/etc")
    os.mkfifo(source / "pipe")
    (source / "a\nb").touch()
    plain = "only plain files and folders may be in a submission"
    odd = "a\\nb: the name holds characters that are no part of a file's ordinary name"
    assert sorted(faults(source, tmp_path / "in"))[:4] == sorted(
        [f"link.py: {plain}", f"out: {plain}", f"pipe: {plain}", odd]
    )


def test_a_folder_that_is_exchanged_for_a_link_is_copied_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, private = write_entry(tmp_path / "acme"), tmp_path / "private"
    for folder, text in ((source / "sub", "mine"), (private, "the organiser's")):
        folder.mkdir()
        (folder / "notes.txt").write_text(text)
    opened = intake._opened

    def exchanged(name: str, folder: int) -> BufferedReader | None:
        if name == "notes.txt":
            (source / "sub").rename(tmp_path / "away")
            (source / "sub").symlink_to(private)
        return opened(name, folder)

    monkeypatch.setattr(intake, "_opened", exchanged)
    assert (take_in(source, tmp_path / "in").folder / "sub/notes.txt").read_text() == "mine"


def test_a_file_that_grows_while_it_is_copied_is_cut_off_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_entry(tmp_path / "acme")
    (source / "log").touch()
    monkeypatch.setattr(folder_policy, "BYTES_CAP", 100_000)
    opened = intake._opened

    def grown(name: str, folder: int) -> BufferedReader | None:
        if name == "log":
            (source / "log").write_bytes(bytes(200_000))
        return opened(name, folder)

    monkeypatch.setattr(intake, "_opened", grown)
    assert faults(source, tmp_path / "in")[0] == "it became too large while it was copied"


def test_bombs_are_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_policy, "BYTES_CAP", 100_000)
    source = zipped(tmp_path / "a.zip", {**FILES, "zeros": "0" * 10_000_000})
    told = faults(source, tmp_path / "in")
    assert told == ["a.zip is not unpacked: it holds more bytes than its description says"]
    monkeypatch.setattr(folder_policy, "FILES_CAP", 10)
    many = zipped(tmp_path / "b.zip", {**FILES, **{f"f{number}": "" for number in range(20)}})
    assert "b.zip is not unpacked: it holds more than 10 files" in faults(many, tmp_path / "in")


def test_an_encrypted_member_is_told(tmp_path: Path) -> None:
    source = zipped(tmp_path / "a.zip", FILES)
    data = bytearray(source.read_bytes())
    at = data.rfind(b"PK\1\2")  # the weights', the last one
    data[at + 8] |= 1
    source.write_bytes(data)
    told = faults(source, tmp_path / "in")
    assert told == [
        "the archive holds 'weights/best.pth', encrypted",
        "submission.toml: weights 'weights/best.pth' is not in the folder",
    ]


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\3\4" + bytes(40)])
def test_what_is_no_archive_says_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    assert (
        "a.zip is not unpacked: it holds what can't be unpacked"
        in faults(tmp_path / "a.zip", tmp_path / "in")[0]
    )


def test_an_entry_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    source = zipped(tmp_path / "a.zip", FILES)
    take_in(source, tmp_path / "in")
    (told,) = faults(source, tmp_path / "in")
    assert "acme is there already: move it away" in told


def test_a_missing_source_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is not there: name a folder or an archive"):
        take_in(tmp_path / "nothing", tmp_path / "in")


def test_packages_that_may_not_be_required_are_refused(tmp_path: Path) -> None:
    source = write_entry(tmp_path / "acme", requirements='["-r /etc/passwd", "fine"]')
    (told,) = faults(source, tmp_path / "in")
    assert told.startswith("submission.toml: requirement '-r /etc/passwd': is an option")
