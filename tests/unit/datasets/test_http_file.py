from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.file_server import Served, serving

from harness.datasets.http_file import FetchError, at_hand, obtain

DATA = bytes(range(256)) * 9000  # more than one block
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def server() -> Iterator[Served]:
    with serving({"a.png": DATA}) as served:
        yield served


def get(server: Served, path: Path, *, size: int = len(DATA)) -> None:
    obtain(f"{server.base}a.png", path, size=size, sha256=SHA)


def test_a_file_is_brought_and_checked(server: Served, tmp_path: Path) -> None:
    get(server, tmp_path / "new" / "a.png")
    assert (tmp_path / "new" / "a.png").read_bytes() == DATA
    assert [it.name for it in (tmp_path / "new").iterdir()] == ["a.png"]
    assert at_hand(tmp_path / "new" / "a.png", sha256=SHA)


def test_what_breaks_off_is_kept_and_gone_on_with(server: Served, tmp_path: Path) -> None:
    server.cut_at = 1_500_000
    with pytest.raises(FetchError, match=r"ended 804000 bytes early: the same command goes on"):
        get(server, tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()
    get(server, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == DATA
    assert server.asked == [("a.png", ""), ("a.png", "bytes=1500000-")]


def test_a_server_that_knows_no_ranges_sends_all_again(server: Served, tmp_path: Path) -> None:
    (tmp_path / ".a.png.part").write_bytes(DATA[:1000])
    server.ranges = False
    get(server, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == DATA


@pytest.mark.parametrize("rest", [b"x" * 1000, DATA[:-1] + b"x", DATA + b"x"])
def test_a_rest_of_another_file_is_thrown_away(server: Served, tmp_path: Path, rest: bytes) -> None:
    (tmp_path / ".a.png.part").write_bytes(rest)
    get(server, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == DATA


def test_a_rest_that_is_whole_is_not_fetched_again(server: Served, tmp_path: Path) -> None:
    (tmp_path / ".a.png.part").write_bytes(DATA)
    get(server, tmp_path / "a.png")
    assert server.asked == []


def test_a_range_that_the_server_refuses_begins_anew(server: Served, tmp_path: Path) -> None:
    server.files["a.png"] = DATA[:100]
    (tmp_path / ".a.png.part").write_bytes(DATA[:5000])
    with pytest.raises(FetchError, match="ended 2303900 bytes early"):
        get(server, tmp_path / "a.png")
    assert server.asked == [("a.png", "bytes=5000-"), ("a.png", "")]


def test_another_file_at_the_address_is_never_kept(server: Served, tmp_path: Path) -> None:
    server.files["a.png"] = DATA[:-1] + b"x"
    with pytest.raises(FetchError, match="does not hold the published file: another sha256"):
        get(server, tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_a_longer_file_is_given_up_at_its_stated_size(server: Served, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="holds more than the published file"):
        get(server, tmp_path / "a.png", size=1000)
    assert not (tmp_path / "a.png").exists()


def test_what_cannot_be_had_says_why(server: Served, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"b\.png can't be had: HTTP Error 404"):
        obtain(f"{server.base}b.png", tmp_path / "b.png", size=1, sha256=SHA)
    with pytest.raises(FetchError, match=r"can't be had: .*refused"):
        obtain("http://127.0.0.1:9/b.png", tmp_path / "b.png", size=1, sha256=SHA)


def test_two_at_once_do_not_write_one_file(server: Served, tmp_path: Path) -> None:
    with (tmp_path / ".a.png.part").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(FetchError, match="another process fetches"):
            get(server, tmp_path / "a.png")


def test_a_different_file_in_its_place_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"mine")
    with pytest.raises(FetchError, match="is another file than the published one: move it away"):
        at_hand(tmp_path / "a.png", sha256=SHA)
    assert not at_hand(tmp_path / "b.png", sha256=SHA)


def test_a_rest_that_is_a_link_is_not_written_through(server: Served, tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    (tmp_path / ".a.png.part").symlink_to(tmp_path / "mine")
    with pytest.raises(FetchError, match=r"\.a\.png\.part is a link: remove it to fetch a\.png"):
        get(server, tmp_path / "a.png")
    assert (tmp_path / "mine").read_bytes() == b"mine"
