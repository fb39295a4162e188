from __future__ import annotations

import dataclasses
import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from fakes.file_server import Served, serving

from harness.core.dataset_definition import Definition
from harness.core.dataset_download import Download, FetchedFile
from harness.datasets.fetch import downloadable, fetch
from harness.datasets.http_file import FetchError
from harness.datasets.known import known, lookup

A, B = b"image a" * 100, b"image b" * 100


def archive(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as zipped:
        for name, data in files.items():
            zipped.writestr(name, data)
    return made.getvalue()


def defined(served: Served, *, to: dict[str, str], unpacked_bytes: int = 0) -> Definition:
    files = tuple(
        FetchedFile(
            path=path,
            to=to[path],
            bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            unpacked_bytes=unpacked_bytes,
        )
        for path, data in served.files.items()
    )
    had = Download(base=served.base, terms="research", files=files)
    return dataclasses.replace(lookup("Set5"), name="mine", download=had)


def told(item: Definition, data_dir: Path) -> list[tuple[str, str]]:
    news: list[tuple[str, str]] = []
    fetch(item, data_dir, lambda file, what: news.append((file.path, what)))
    return news


def test_files_lie_where_the_dataset_is_looked_for_and_come_once(tmp_path: Path) -> None:
    with serving({"x y.png": A, "sub/b.png": B}) as served:
        served.files = {"x%20y.png": A, "sub/b.png": B}
        item = defined(served, to={"x%20y.png": "Set5/HR/a.png", "sub/b.png": "Set5/HR/b.png"})
        renamed = dataclasses.replace(item.download.files[0], path="x y.png")
        had = dataclasses.replace(item.download, files=(renamed, item.download.files[1]))
        item = dataclasses.replace(item, download=had)
        assert told(item, tmp_path) == [("x y.png", "fetched"), ("sub/b.png", "fetched")]
        assert told(item, tmp_path) == [("x y.png", "at hand"), ("sub/b.png", "at hand")]
        assert len(served.asked) == 2
    assert (tmp_path / "Set5/HR/a.png").read_bytes() == A
    assert (tmp_path / "Set5/HR/b.png").read_bytes() == B


def test_an_archive_is_unpacked_once_and_goes_on_after_a_stop(tmp_path: Path) -> None:
    with serving({"a.zip": archive({"HR/a.png": A, "HR/b.png": B})}) as served:
        item = defined(served, to={"a.zip": "mine"}, unpacked_bytes=5000)
        (tmp_path / "mine/HR").mkdir(parents=True)
        (tmp_path / "mine/HR/a.png").write_bytes(A)  # placed before the stop
        assert told(item, tmp_path) == [("a.zip", "fetched")]
        assert told(item, tmp_path) == [("a.zip", "at hand")]
        assert len(served.asked) == 1
        assert sorted(it.name for it in (tmp_path / "mine/HR").iterdir()) == ["a.png", "b.png"]
        assert [it.suffix for it in (tmp_path / "mine").iterdir() if it.is_file()] == [".unpacked"]
        (tmp_path / "mine/HR/b.png").unlink()
        assert told(item, tmp_path) == [("a.zip", "fetched")]
    assert (tmp_path / "mine/HR/b.png").read_bytes() == B


def test_an_archive_writes_over_nothing_and_is_not_fetched_again(tmp_path: Path) -> None:
    with serving({"a.zip": archive({"HR/a.png": A, "HR/b.png": B})}) as served:
        item = defined(served, to={"a.zip": "mine"}, unpacked_bytes=5000)
        (tmp_path / "mine/HR").mkdir(parents=True)
        (tmp_path / "mine/HR/b.png").write_bytes(b"mine")
        for _ in range(2):
            with pytest.raises(FetchError, match=r"b\.png is another file than the published one"):
                told(item, tmp_path)
        assert [it.name for it in (tmp_path / "mine/HR").iterdir()] == ["b.png"]
        assert len(served.asked) == 1


def test_a_refused_archive_leaves_nothing_in_place(tmp_path: Path) -> None:
    with serving({"a.zip": archive({"a.png": A, "../b.png": B})}) as served:
        item = defined(served, to={"a.zip": "mine"}, unpacked_bytes=5000)
        with pytest.raises(FetchError, match="which leads outside"):
            told(item, tmp_path)
    assert not [it for it in tmp_path.rglob("*.png") if it.is_file()]


def test_a_dataset_without_stated_files_says_where_it_is_had() -> None:
    with pytest.raises(FetchError, match=r"Manga109: .* get it from http://www\.manga109\.org"):
        downloadable(lookup("Manga109"))


@pytest.mark.parametrize("item", [it for it in known() if it.download], ids=lambda it: it.name)
def test_what_the_catalogue_fetches_is_whole_and_of_a_fixed_commit(item: Definition) -> None:
    had = downloadable(item)
    assert len(had.files) == item.count
    assert len({file.sha256 for file in had.files}) == item.count
    assert len(had.base.split("/")[5]) == 40  # https://host/owner/name/COMMIT/
    assert {file.to.rpartition("/")[0] for file in had.files} == {f"{item.name}/HR"}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"base": "http://example.org/"}, "base must begin with https://"),
        ({"base": "file:///etc/"}, "base must begin with https://"),
        ({"base": "https://example.org/a"}, "base must end in /"),
        ({"terms": " "}, "terms must say"),
        ({"files": ()}, "at least one file"),
    ],
)
def test_a_download_that_cannot_be_meant_is_refused(change: dict[str, object], fault: str) -> None:
    had = downloadable(lookup("Set5"))
    with pytest.raises(ValueError, match=fault):
        dataclasses.replace(had, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"to": "../a.png"}, "within the data folder"),
        ({"to": "/a.png"}, "within the data folder"),
        ({"to": "."}, "within the data folder"),
        ({"sha256": "0" * 63}, "64 digits"),
        ({"bytes": 0}, "at least 1"),
        ({"path": ""}, "must not be empty"),
        ({"unpacked_bytes": -1}, "at least 0"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(change: dict[str, object], fault: str) -> None:
    file = downloadable(lookup("Set5")).files[0]
    with pytest.raises(ValueError, match=fault):
        dataclasses.replace(file, **change)  # type: ignore[arg-type]
