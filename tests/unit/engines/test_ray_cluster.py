from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.core.outcome import BadInput
from harness.engines import ray_cluster
from harness.engines.engine import WorkOrder
from harness.engines.ray_cluster import PLACED_S, RayCluster


class RayError(Exception):
    """As ray's own."""


class Ray:
    """The package: nodes, detached actors by name, and polls that are answered or not."""

    exceptions = SimpleNamespace(RayError=RayError)

    def __init__(self, *nodes: str, answers: bool = True) -> None:
        self.listed = [
            {"NodeID": it, "Alive": True, "Resources": {"CPU": 16.0, "GPU": 1.0}} for it in nodes
        ]
        self.actors: dict[str, dict[str, Any]] = {}
        self.answers = answers
        self.told: dict[str, Any] = {}
        pinned = SimpleNamespace(
            NodeAffinitySchedulingStrategy=lambda node, soft: SimpleNamespace(node=node, soft=soft)
        )
        self.util = SimpleNamespace(scheduling_strategies=pinned)

    def init(self, **told: Any) -> None:
        if told["address"] == "nowhere":
            raise ConnectionError("no answer")
        self.told = told

    def nodes(self) -> list[dict[str, Any]]:
        return self.listed

    def remote(self, _kind: type) -> Any:
        def options(**told: Any) -> Any:
            def start(command: list[str], seen: dict[str, str], _folder: str, log: str) -> None:
                made = {"command": command, "seen": seen, "log": log, "rc": None, **told}
                self.actors[told["name"]] = made

            return SimpleNamespace(remote=start)

        return SimpleNamespace(options=options)

    def get_actor(self, name: str, namespace: str) -> Any:
        assert namespace == "esr"
        if name not in self.actors:
            raise ValueError(name)
        return SimpleNamespace(name=name, poll=SimpleNamespace(remote=lambda: name))

    def wait(self, polls: list[str], timeout: float) -> tuple[list[str], list[str]]:
        assert timeout < 1.0
        return (polls, []) if self.answers else ([], polls)

    def get(self, name: str) -> int | None:
        found: int | None = self.actors[name]["rc"]
        return found

    def kill(self, actor: Any) -> None:
        del self.actors[actor.name]


def _order(name: str) -> WorkOrder:
    folder = Path("/run/shards") / name
    return WorkOrder(folder / "shard.json", folder / "1", timed=True)


def _cluster(ray: Ray, nodes: int = 2) -> RayCluster:
    return RayCluster(nodes, {}, ray=ray)


def test_each_shard_claims_all_of_a_node_of_its_own() -> None:
    ray = Ray("n1", "n2", "n3")
    engine = _cluster(ray)
    assert engine.room(0) == 2
    handles = engine.submit([_order("a"), _order("b")])
    assert engine.room(2) == 0
    first, second = ray.actors.values()
    assert (first["num_cpus"], first["num_gpus"], first["lifetime"]) == (16.0, 1.0, "detached")
    pinned = [it["scheduling_strategy"] for it in (first, second)]
    assert [(it.node, it.soft) for it in pinned] == [("n1", False), ("n2", False)]
    assert [it.rpartition("@")[2] for it in handles] == ["n1", "n2"]
    assert first["command"][-1] == "/run/shards/a/1"


def test_an_actor_says_whether_its_process_is_there() -> None:
    ray = Ray("n1")
    engine = _cluster(ray)
    (handle,) = engine.submit([_order("a")])
    assert engine.state(handle) == "running"
    next(iter(ray.actors.values()))["rc"] = 1
    assert engine.state(handle) == "ended"
    ray.actors.clear()
    assert engine.state(handle) == "unknown"


def test_an_actor_of_a_dead_node_is_lost_though_it_would_wait_for_ever() -> None:
    ray = Ray("n1", "n2", answers=False)
    engine = _cluster(ray)
    (handle,) = engine.submit([_order("a")])
    assert engine.state(handle) == "waiting"
    ray.listed[0]["Alive"] = False
    assert engine.state(handle) == "unknown"
    assert engine.room(0) == 1


def test_what_was_not_placed_in_time_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = _cluster(Ray("n1", answers=False))
    (handle,) = engine.submit([_order("a")])
    later = time.monotonic() + PLACED_S + 1.0
    monkeypatch.setattr(ray_cluster.time, "monotonic", lambda: later)
    assert engine.state(handle) == "unknown"


def test_who_takes_over_knows_actors_by_their_handles() -> None:
    ray = Ray("n1", "n2")
    (handle,) = _cluster(ray).submit([_order("a")])
    later = _cluster(ray)
    assert later.state(handle) == "running"
    (other,) = later.submit([_order("b")])
    assert other.endswith("@n2")
    later.cancel(handle)
    assert len(ray.actors) == 1
    later.cancel(handle)


def test_nodes_know_the_paths_but_no_other_name_of_a_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESR_NODE", "coordinator")
    monkeypatch.setenv("ESR_DATA", "/data")
    ray = Ray("n1")
    _cluster(ray).submit([_order("a")])
    seen = next(iter(ray.actors.values()))["seen"]
    assert seen["ESR_DATA"] == "/data"
    assert "ESR_NODE" not in seen


def test_without_a_cluster_or_with_a_strange_option_it_says_what_to_do() -> None:
    with pytest.raises(BadInput, match="`ray start` starts one"):
        RayCluster(1, {"address": "nowhere"}, ray=Ray())
    with pytest.raises(BadInput, match="the option address alone, got partition"):
        RayCluster(1, {"partition": "x"}, ray=Ray())
