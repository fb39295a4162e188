from __future__ import annotations

import os
from pathlib import Path

import pytest
from fakes.shards import environment

from harness.core.outcome import BadInput
from harness.usecases.shard_folders import RunShards


def test_what_poses_as_an_order_or_a_shard_is_not_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "shard" / "1"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "order.json")
    os.mkfifo(folder.parent / "shard.json")
    shards = RunShards(tmp_path, "local", environment(), [].append, tmp_path / "logs")
    assert [*shards.open_attempts("shard")] == []
    with pytest.raises(BadInput, match="it is a pipe"):
        next(shards.unfinished())
