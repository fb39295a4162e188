from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.measure import worker_log as log_module
from harness.measure.worker_log import CHUNK, HEAD, TAIL, Log

DEADLINE_S = 20.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "acme.log"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log of eight bytes at the beginning and five at the end."""
    monkeypatch.setattr(log_module, "HEAD", 8)
    monkeypatch.setattr(log_module, "TAIL", 5)


def _written(path: Path, *texts: bytes, note: str = "") -> bytes:
    log = Log(path)
    for text in texts:
        os.write(log.sink, text)
    if note:
        log.note(note)
    log.close()
    return path.read_bytes()


def _eventually(happened: Callable[[], bool]) -> bool:
    until = time.monotonic() + DEADLINE_S
    while not happened() and time.monotonic() < until:
        time.sleep(0.01)
    return happened()


def test_a_short_text_is_kept_as_it_is(path: Path) -> None:
    assert _written(path, b"one\n", b"two\xff\n") == b"one\ntwo\xff\n"


def test_a_log_holds_the_last_process_only(path: Path) -> None:
    _written(path, b"the first process")
    assert _written(path, b"second") == b"second"


def test_the_beginning_is_there_while_the_process_runs(path: Path) -> None:
    log = Log(path)
    os.write(log.sink, b"loading\n")
    assert _eventually(lambda: path.read_bytes() == b"loading\n")
    log.close()


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("printed", "kept"),
    [
        (b"", b""),
        (b"beginnin", b"beginnin"),
        (b"beginning-end", b"beginning-end"),  # 13 bytes: all of it
        (b"beginning--end", b"beginnin\n[... 1 bytes left out ...]\n--end"),
        (b"beginning" + b"-" * 99 + b"the end", b"beginnin\n[... 102 bytes left out ...]\ne end"),
    ],
)
def test_of_a_long_text_the_beginning_and_the_end_are_kept(
    path: Path, printed: bytes, kept: bytes
) -> None:
    assert _written(path, printed) == kept


@settings(deadline=None, max_examples=50)
@given(st.lists(st.binary(min_size=1, max_size=9), max_size=8))
def test_it_makes_no_difference_in_which_pieces_a_text_comes(pieces: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(log_module, "HEAD", 8)
        patch.setattr(log_module, "TAIL", 5)
        apart = _written(Path(folder) / "a", *pieces)
        at_once = _written(Path(folder) / "b", b"".join(pieces))
    assert apart == at_once


def test_a_print_loop_fills_neither_disk_nor_memory(path: Path) -> None:
    log = Log(path)
    for _ in range(100):
        os.write(log.sink, b"x" * CHUNK)
        assert len(log._tail) <= 2 * TAIL + CHUNK
    os.write(log.sink, b"the last words")
    log.close()
    kept = path.read_bytes()
    assert len(kept) < HEAD + TAIL + 100
    assert kept.endswith(b"the last words")
    left_out = 100 * CHUNK + len(b"the last words") - HEAD - TAIL
    assert f"\n[... {left_out} bytes left out ...]\n".encode() in kept


@pytest.mark.usefixtures("small")
def test_a_note_stands_behind_everything_that_was_printed(path: Path) -> None:
    kept = _written(path, b"beginning, more and more", note="Traceback: \udcff")
    assert kept.endswith(b" more\nTraceback: ?\n")


def test_of_a_long_note_the_end_is_kept(path: Path) -> None:
    kept = _written(path, note="x" * 10 * log_module.NOTE + "ValueError: no")
    assert kept.endswith(b"ValueError: no\n")
    assert len(kept) == log_module.NOTE + 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_harms_nobody() -> None:
    log = Log(Path("/dev/full"))
    for _ in range(2 * HEAD // CHUNK):
        os.write(log.sink, b"x" * CHUNK)  # would block if nobody read
    log.note("Traceback")
    log.close()


def test_a_file_that_can_not_be_made_harms_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    for path in (tmp_path, tmp_path / "file" / "acme.log"):
        log = Log(path)
        os.write(log.sink, b"x")
        log.close()
    assert (tmp_path / "file").read_text(encoding="utf-8") == "no folder"


def test_closing_waits_for_nobody_who_holds_the_pipe(path: Path) -> None:
    log = Log(path)
    held = os.dup(log.sink)
    os.write(held, b"from a child")
    began = time.monotonic()
    log.close()
    assert time.monotonic() - began < 2.0
    assert path.read_bytes() == b"from a child"
    with pytest.raises(BrokenPipeError):
        os.write(held, b"too late")
    os.close(held)


def test_closing_waits_for_nobody_who_goes_on_writing(path: Path) -> None:
    class Endless(Log):
        """A pipe that always has more."""

        def _take(self) -> bool:
            return True

    log = Endless(path)
    began = time.monotonic()
    log.close()
    assert time.monotonic() - began < 5.0


def test_closing_twice_harms_nobody_and_leaves_no_descriptor(path: Path) -> None:
    before = set(Path("/proc/self/fd").iterdir()) if Path("/proc/self/fd").exists() else set()
    log = Log(path)
    log.close()
    log.close()
    if before:
        assert set(Path("/proc/self/fd").iterdir()) == before
