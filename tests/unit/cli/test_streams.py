"""What is printed reaches whoever reads, in whatever encoding, and as long as somebody does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import streams
from harness.documents.atomic import WriteError
from harness.render import for_excel

LIST = "from harness.cli import main; import sys; sys.argv = ['esr', *sys.argv[1:]]; main()"


def esr(
    *arguments: str, redirected: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """`esr` in a shell of its own, for what is redirected there."""
    command = f'"$0" -c "$1" {" ".join(arguments)} {redirected}'
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command, sys.executable, LIST],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        encoding=environment.get("PYTHONIOENCODING", "utf-8"),
        check=False,
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gbk", "utf-8"])
def test_any_encoding_can_be_written(encoding: str) -> None:
    done = esr("weights", "list", PYTHONIOENCODING=encoding, COLUMNS="300")
    assert done.returncode == 0
    assert "licence" in done.stdout  # and capture_output decoded all of it in that encoding
    assert done.stderr == ""


def test_what_an_encoding_lacks_is_replaced_by_what_reads_alike() -> None:
    streams.prepare_encodings()
    assert "×4 – 0.5 …é".encode("ascii", "esr") == b"x4 - 0.5 ...?"
    assert "×4 – é".encode("latin-1", "esr") == "×4 - é".encode("latin-1")
    assert "a\udcffb".encode("utf-8", "esr") == b"a?b"


@pytest.mark.parametrize("redirected", ["| head -n 1", "2>&1 | true", ">&-", "2>&-", ">&- 2>&-"])
def test_a_reader_that_left_changes_no_exit_code(redirected: str) -> None:
    assert esr("data", redirected=redirected).returncode == 0
    assert esr("data", "--scale", "7", redirected=redirected).returncode == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told_and_no_success() -> None:
    for arguments in (("data",), ("data", "--json")):
        done = esr(*arguments, redirected="> /dev/full")
        assert done.returncode == 3
        assert done.stderr == "esr: standard output can't be written: No space left on device\n"
    assert esr("data", redirected="2> /dev/full").returncode == 0


def test_what_is_written_after_a_reader_left_goes_nowhere() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    sink = streams.Sink(writing, losing=False)
    assert sink.write(b"one") == 3
    assert sink.write(b"two") == 3
    os.close(writing)


def test_another_trouble_is_told_once() -> None:
    reading, writing = os.pipe()
    sink = streams.Sink(reading, losing=False)  # which can't be written
    with pytest.raises(WriteError, match="Bad file descriptor"):
        sink.write(b"one")
    assert sink.write(b"two") == 3
    os.close(reading)
    os.close(writing)


def test_a_csv_begins_with_the_mark_of_utf8_where_it_is_for_excel() -> None:
    texts = {"table.csv": "kind\n", "table.md": "| kind |\n"}
    assert for_excel(texts) == {"table.csv": "\ufeffkind\n", "table.md": "| kind |\n"}
