from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from harness.documents.unpack import ArchiveRefused, unpack

FILES = {"HR/a.png": b"a" * 10, "HR/b.png": b"b" * 20}


def zipped(path: Path, files: dict[str, bytes], mode: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, data)
    return path


def tarred(path: Path, files: dict[str, bytes], kind: bytes = tarfile.REGTYPE) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(data), "/etc/passwd"
            archive.addfile(info, io.BytesIO(data))
    return path


MAKERS = {"a.zip": zipped, "a.tar.gz": tarred}


def refusal(archive: Path, folder: Path, most_bytes: int = 1000, **limits: int) -> str:
    folder.mkdir(exist_ok=True)
    with pytest.raises(ArchiveRefused) as caught:
        unpack(archive, folder, most_bytes=most_bytes, **limits)
    return str(caught.value)


@pytest.mark.parametrize("name", MAKERS)
def test_files_come_out_as_they_went_in(tmp_path: Path, name: str) -> None:
    (tmp_path / "out").mkdir()
    unpack(MAKERS[name](tmp_path / name, FILES), tmp_path / "out", most_bytes=30)
    out = {path: (tmp_path / "out" / path).read_bytes() for path in FILES}
    assert out == FILES


@pytest.mark.parametrize("archive", MAKERS)
@pytest.mark.parametrize("name", ["../a", "x/../../a", "/a", "..\\a", "a/.."])
def test_names_that_lead_outside_are_refused(tmp_path: Path, archive: str, name: str) -> None:
    made = MAKERS[archive](tmp_path / archive, {name: b"x"})
    text = refusal(made, tmp_path / "out")
    assert "which leads outside" in text
    assert sorted(it.name for it in tmp_path.iterdir()) == [archive, "out"]
    assert list((tmp_path / "out").iterdir()) == []


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
        made = tarred(tmp_path / "a.tar.gz", {"a.png": b""}, kind)
        assert "'a.png', a link or a device" in refusal(made, tmp_path / "out")
    made = zipped(tmp_path / "a.zip", {"a.png": b"/etc/passwd"}, stat.S_IFLNK | 0o777)
    assert "'a.png', a link or a device" in refusal(made, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", MAKERS)
def test_more_bytes_than_were_stated_are_refused(tmp_path: Path, name: str) -> None:
    bomb = MAKERS[name](tmp_path / name, {"a.png": b"\0" * 5_000_000})
    assert "more bytes than" in refusal(bomb, tmp_path / "out", most_bytes=2_000_000)
    assert (tmp_path / "out/a.png").stat().st_size <= 2_000_000


@pytest.mark.parametrize("name", MAKERS)
def test_more_files_than_may_be_are_refused(tmp_path: Path, name: str) -> None:
    made = MAKERS[name](tmp_path / name, FILES)
    assert "more than 1 files" in refusal(made, tmp_path / "out", most_files=1)


def test_names_that_stand_twice_or_within_a_file_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as it:
        it.writestr("a.png", b"1")
        it.writestr("./a.png", b"2")
    assert "'a.png' twice" in refusal(tmp_path / "a.zip", tmp_path / "out")
    made = tarred(tmp_path / "a.tar.gz", {"a": b"1", "a/b": b"2"})
    assert "twice" in refusal(made, tmp_path / "other")


def test_damaged_archives_are_told(tmp_path: Path) -> None:
    for name, make in MAKERS.items():
        made = make(tmp_path / name, {"a.png": bytes(range(256)) * 40})
        made.write_bytes(made.read_bytes()[:-60])
        assert "what can't be unpacked" in refusal(made, tmp_path / f"out-{name}", 100_000)
    (tmp_path / "page.zip").write_text("<html>not found</html>")
    assert "what can't be unpacked" in refusal(tmp_path / "page.zip", tmp_path / "out")


def test_encrypted_files_and_odd_names_are_told(tmp_path: Path) -> None:
    data = bytearray(zipped(tmp_path / "a.zip", {"a.png": b"1"}).read_bytes())
    data[6] |= 1  # in the file's own header, and in the archive's list
    data[data.find(b"PK\1\2") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    assert "encrypted" in refusal(tmp_path / "a.zip", tmp_path / "out")
    zipped(tmp_path / "b.zip", {"é": b"1"})
    text = (tmp_path / "b.zip").read_bytes().replace("é".encode(), b"\xff\xfe")
    (tmp_path / "b.zip").write_bytes(text)
    assert "what can't be unpacked" in refusal(tmp_path / "b.zip", tmp_path / "out")


@pytest.mark.parametrize("archive", MAKERS)
@pytest.mark.parametrize("name", ["n" * 300, "a/" * 600 + "n"])
def test_names_that_no_folder_takes_are_refused(tmp_path: Path, archive: str, name: str) -> None:
    made = MAKERS[archive](tmp_path / archive, {name: b"x"})
    assert "a longer name than folders take" in refusal(made, tmp_path / "out")


def test_folders_are_counted_too(tmp_path: Path) -> None:
    made = zipped(tmp_path / "a.zip", {"a/": b"", "b/": b""})
    assert "more than 1 files" in refusal(made, tmp_path / "out", most_files=1)
    made = tarred(tmp_path / "a.tar.gz", {"a": b"", "b": b""}, tarfile.DIRTYPE)
    assert "more than 1 files" in refusal(made, tmp_path / "out", most_files=1)


@pytest.mark.parametrize("archive", MAKERS)
def test_a_file_may_not_bring_hundreds_of_folders(tmp_path: Path, archive: str) -> None:
    made = MAKERS[archive](tmp_path / archive, {"a/" * 32 + "n": b"x"})
    assert "in more than 32 folders" in refusal(made, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", MAKERS)
def test_whoever_hears_of_what_is_refused_has_the_rest(tmp_path: Path, name: str) -> None:
    made = MAKERS[name](tmp_path / name, {"../a": b"1", "b": b"2", "/c": b"3"})
    told: list[str] = []
    (tmp_path / "out").mkdir()
    unpack(made, tmp_path / "out", most_bytes=10, told=told.append)
    assert told == ["'../a', which leads outside", "'/c', which leads outside"]
    assert [it.name for it in (tmp_path / "out").iterdir()] == ["b"]


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".xz"])
def test_a_header_that_is_as_long_as_an_archive_is_not_read(tmp_path: Path, suffix: str) -> None:
    """tarfile believes what a pax header says of its own length, and reads it at once."""
    header = tarfile.TarInfo("long")
    header.type, header.size = tarfile.XHDTYPE, 64 << 20
    packed = tmp_path / f"a.tar{suffix}"
    opened = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}.get(suffix, open)
    with opened(packed, "wb") as file:
        file.write(header.tobuf() + bytes(4096))
    with pytest.raises(ArchiveRefused, match="a header of 67,108,864 bytes"):
        unpack(packed, tmp_path / "out", most_bytes=1 << 30)


def test_many_headers_are_not_kept_in_memory(tmp_path: Path) -> None:
    """tarfile keeps each member's pax header, here 1000 KB of a member without a byte."""
    comment = {"comment": "A" * 1_000_000}
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for name in "abcd":
            info = tarfile.TarInfo(name)
            info.pax_headers = comment
            archive.addfile(info)
    text = refusal(tmp_path / "a.tar.gz", tmp_path / "out", most_files=10)
    assert "too many headers" in text
    assert [it.name for it in (tmp_path / "out").iterdir()] == ["a"]


def test_a_list_of_files_that_is_longer_than_may_be_is_not_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a", b"")
        archive.filelist *= 40_000  # of 47 bytes each
    text = refusal(tmp_path / "a.zip", tmp_path / "out", most_files=10)
    assert "a header of 1,880,000 bytes" in text


def test_a_member_that_is_refused_is_not_decompressed_to_its_end(tmp_path: Path) -> None:
    """700 KB of bzip2 are a terabyte: to skip it takes hours."""
    made = tarred(tmp_path / "a.tar.gz", {"../a": bytes(3 << 20), "b": b""})
    (tmp_path / "out").mkdir()
    with pytest.raises(ArchiveRefused, match="more than"):
        unpack(made, tmp_path / "out", most_bytes=1000, most_files=10, told=lambda _: None)


@pytest.mark.parametrize(
    "field", [{"GNU.sparse.map": "x,y", "GNU.sparse.size": "1"}, {"GNU.sparse.major": "1"}]
)
def test_headers_that_tarfile_stumbles_over_are_damage(
    tmp_path: Path, field: dict[str, str]
) -> None:
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a")
        info.pax_headers = {"GNU.sparse.minor": "0", **field}
        archive.addfile(info)
    assert "what can't be unpacked" in refusal(tmp_path / "a.tar", tmp_path / "out")


def test_a_damaged_stream_is_no_fault_of_the_disk(tmp_path: Path) -> None:
    """bz2 and gzip raise OSError of what they can't decompress, as the disk does."""
    (tmp_path / "a.tar.bz2").write_bytes(b"BZh9" + bytes(100))
    assert "what can't be unpacked" in refusal(tmp_path / "a.tar.bz2", tmp_path / "out")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_whose_memory_has_no_bound_is_refused(tmp_path: Path, method: int) -> None:
    """zipfile undoes a megabyte of these at once: of bzip2 that may be 20 GB."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr("a", bytes(1000))
    assert "compressed otherwise than by deflate" in refusal(tmp_path / "a.zip", tmp_path / "out")


def _tar_xz(parts: int = 1) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name, data in FILES.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    data, size = plain.getvalue(), -(-len(plain.getvalue()) // parts)
    return bytes(4).join(lzma.compress(data[at : at + size]) for at in range(0, len(data), size))


@pytest.mark.parametrize("parts", [1, 3])
def test_an_xz_may_have_several_streams(tmp_path: Path, parts: int) -> None:
    (tmp_path / "a.tar.xz").write_bytes(_tar_xz(parts) + bytes(8))
    (tmp_path / "out").mkdir()
    unpack(tmp_path / "a.tar.xz", tmp_path / "out", most_bytes=30)
    assert {path: (tmp_path / "out" / path).read_bytes() for path in FILES} == FILES


def test_an_xz_that_ends_too_early_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "a.tar.xz").write_bytes(_tar_xz()[:-100])
    assert "it ends too early" in refusal(tmp_path / "a.tar.xz", tmp_path / "out")


def test_an_xz_that_asks_for_gigabytes_of_memory_is_refused(tmp_path: Path) -> None:
    data = bytearray(_tar_xz())
    ends = 12 + 4 * (data[12] + 1)  # of the block's header, after the stream's
    data[data.index(b"\x21\x01", 12) + 2] = 40  # LZMA2, a dictionary of 4 GiB
    data[ends - 4 : ends] = zlib.crc32(data[12 : ends - 4]).to_bytes(4, "little")
    (tmp_path / "a.tar.xz").write_bytes(data)
    text = refusal(tmp_path / "a.tar.xz", tmp_path / "out")
    assert "can't be unpacked: Memory usage limit exceeded" in text
