from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from harness.engines.lease import BEAT_FILE, STATUS_FILE, Lease, LeaseHolder, beat, read


def test_a_lease_is_read_as_it_was_told(tmp_path: Path) -> None:
    holder = LeaseHolder(tmp_path, Lease("host", "a1", "working"))
    holder.tell(told="Measuring", done=2, of=9)
    assert read(tmp_path) == Lease("host", "a1", "working", told="Measuring", done=2, of=9)


@pytest.mark.parametrize("text", ["", "{", '{"host": 1}', '{"state": "done"}', "[]", " " * 2**21])
def test_what_is_no_lease_says_nothing(tmp_path: Path, text: str) -> None:
    assert read(tmp_path) is None
    (tmp_path / STATUS_FILE).write_text(text, encoding="utf-8")
    assert read(tmp_path) is None


@pytest.mark.parametrize("target", ["/dev/zero", "pipe"])
def test_what_poses_as_a_lease_is_not_waited_for(tmp_path: Path, target: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / STATUS_FILE).symlink_to(target)
    assert read(tmp_path) is None


@pytest.mark.parametrize("pipe", [True, False])
def test_a_beat_neither_waits_for_a_pipe_nor_follows_a_link(tmp_path: Path, pipe: bool) -> None:
    other = tmp_path / "other"
    other.touch()
    holder = LeaseHolder(tmp_path, Lease("host", "a1", "working"))
    if pipe:
        os.mkfifo(tmp_path / BEAT_FILE)
    else:
        (tmp_path / BEAT_FILE).symlink_to(other)
    with holder.beating(every_s=0.001):
        time.sleep(0.05)
    assert other.read_bytes() == b""


def test_a_beat_changes_while_someone_is_at_work_and_then_no_more(tmp_path: Path) -> None:
    before = beat(tmp_path)
    holder = LeaseHolder(tmp_path, Lease("host", "a1", "working"))
    began = beat(tmp_path)
    assert began != before
    with holder.beating(every_s=0.01):
        while not (tmp_path / BEAT_FILE).exists():
            time.sleep(0.01)
    after = beat(tmp_path)
    assert after != began
    assert beat(tmp_path) == after
