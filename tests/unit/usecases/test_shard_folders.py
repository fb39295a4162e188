from __future__ import annotations

import os
from pathlib import Path

import pytest
from fakes.challenges import write_challenge
from fakes.shards import environment, shard

from harness.core.outcome import BadInput
from harness.engines.dispatcher import ShardWork
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


def test_logs_behind_a_link_are_not_taken(tmp_path: Path) -> None:
    shards = RunShards(tmp_path, "local", environment(), [].append, tmp_path / "logs")
    work = ShardWork(shards.add(shard(write_challenge(tmp_path / "tiny.toml"), "acme", "other")))
    logs, private = shards.order(work, 1).into / "logs", tmp_path / "private"
    for folder in (private, logs / "other"):
        folder.mkdir(parents=True)
        (folder / "round-0.log").write_text("printed")
    (logs / "acme").symlink_to(private)
    shards.collect(work, 1)
    taken = [it.relative_to(tmp_path / "logs") for it in (tmp_path / "logs").rglob("*.log")]
    assert taken == [Path("other/round-0.log")]
