from __future__ import annotations

import os
from pathlib import Path

import pytest
from fakes.challenges import write_challenge
from fakes.shards import environment, shard

from harness.engines.dispatcher import ShardWork
from harness.usecases.shard_folders import RunShards


def test_what_poses_as_an_order_or_a_shard_is_not_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "shard" / "1"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "order.json")
    os.mkfifo(folder.parent / "shard.json")
    told: list[str] = []
    shards = RunShards(tmp_path, "local", environment(), told.append, tmp_path / "logs")
    assert [*shards.open_attempts("shard")] == []
    assert [*shards.unfinished()] == []
    assert "it is a pipe" in told[0]


@pytest.mark.parametrize(
    "text",
    [
        '{"engine": "local", "handle": "7", "cost": NaN}',
        '{"engine": "slurm", "handle": "7"}',
        '{"engine": "local", "handle": "HUGE"}',
        '{"engine": "local"}',
        "7",
    ],
)
def test_an_order_that_is_not_ours_is_not_taken_over(tmp_path: Path, text: str) -> None:
    shards = RunShards(tmp_path, "local", environment(), [].append, tmp_path / "logs")
    work = ShardWork("shard")
    for number in (1, 2):
        (tmp_path / "shard" / str(number)).mkdir(parents=True)
        shards.placed(work, number, "5")
    (tmp_path / "shard" / "1" / "order.json").write_text(text.replace("HUGE", "7" * 10_000))
    assert [(it, order.handle) for it, order in shards.open_attempts("shard")] == [(2, "5")]
    shards.ended(work, 2)
    assert [*shards.open_attempts("shard")] == []
    assert shards.attempts("shard") == [1, 2]


def test_folders_that_are_no_attempts_are_not_looked_into(tmp_path: Path) -> None:
    shards = RunShards(tmp_path, "local", environment(), [].append, tmp_path / "logs")
    for name in ("0", "x", "٣", "9" * 200, "logs", *map(str, range(1, 30))):
        (tmp_path / "shard" / name).mkdir(parents=True)
    assert shards.attempts("shard") == [*range(20, 30)]


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
