"""Entries on two real nodes of Ray here: the board is that of this process but for times."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import skip_or_fail
from fakes.boards import steady
from fakes.challenges import write_challenge, write_set5
from fakes.entries import CONV, write_entry

from harness.engines.choice import Elsewhere
from harness.measure import shards
from harness.usecases.evaluate import RunRequest, evaluate


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Two nodes of one core each, with names of their own."""
    try:
        import ray
        from ray.cluster_utils import Cluster
    except ImportError:
        skip_or_fail("ray is missing: install esr-harness[ray]")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    made, place = Cluster(), tempfile.mkdtemp(prefix="ray-")  # its sockets want a short path
    try:
        for name in ("left", "right"):
            made.add_node(
                num_cpus=1,
                object_store_memory=80_000_000,
                include_dashboard=False,
                env_vars={"ESR_NODE": name},
                temp_dir=place,
            )
        yield made.address
    finally:
        ray.shutdown()
        made.shutdown()
        shutil.rmtree(place, ignore_errors=True)


def test_entries_on_two_nodes_have_the_rows_that_they_have_here(
    cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "LEAST", 0.0)  # a shard each, so that both nodes have one
    entries = [write_entry(tmp_path / f"conv{it}", f"# {it}\n{CONV}") for it in range(2)]
    rules = write_challenge(tmp_path / "tiny.toml")
    text = rules.read_text(encoding="utf-8").replace(
        "references = []", 'references = ["fsrcnn_x4"]\nbaseline = "fsrcnn_x4"'
    )
    rules.write_text(text, encoding="utf-8")
    here = RunRequest(
        entries=tuple(map(str, entries)),
        challenge=str(rules),
        data_dir=write_set5(tmp_path / "data"),
        reports=tmp_path / "here",
        sandbox="none",
    )
    elsewhere = Elsewhere("ray", nodes=2, options=(f"address={cluster}",))
    there = evaluate(replace(here, reports=tmp_path / "there", elsewhere=elsewhere))
    assert len(there.nodes) == 2
    assert steady(there) == steady(evaluate(here))
