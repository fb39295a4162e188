"""Runs by shards: the board is that of a run here but for times, whatever is lost on the way."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.boards import steady
from fakes.challenges import write_challenge, write_set5
from fakes.engines import InThisProcess
from fakes.entries import CONV, write_entry, write_misbehaving

from harness.board import across_nodes
from harness.core.leaderboard import Leaderboard
from harness.engines import dispatcher
from harness.engines.choice import Elsewhere
from harness.engines.engine import WorkOrder
from harness.measure import shards
from harness.usecases import run_elsewhere
from harness.usecases.evaluate import RunRequest, evaluate

ENTRIES = ("conv", "good", "other", "raises")


@pytest.fixture
def asked(tmp_path: Path) -> RunRequest:
    for name in ("conv", "other"):
        write_entry(tmp_path / name, f"# {name}\n{CONV}")
    write_entry(tmp_path / "good")
    write_misbehaving(tmp_path / "raises")
    path = write_challenge(tmp_path / "tiny.toml", rounds=2)
    text = path.read_text(encoding="utf-8").replace(
        "references = []",
        'references = ["fsrcnn_x4", "srcnn_x4"]\nbaseline = "fsrcnn_x4"\nrank_untrained = true',
    )
    text = text.replace('terms = [{ metric = "psnr:Set5" }]', 'terms = [{ metric = "runtime" }]')
    path.write_text(text, encoding="utf-8")
    return RunRequest(
        entries=tuple(str(tmp_path / it) for it in ENTRIES),
        challenge=str(path),
        data_dir=write_set5(tmp_path / "data"),
        reports=tmp_path / "reports",
        sandbox="none",
    )


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "LEAST", 0.0)
    monkeypatch.setattr(across_nodes, "TELLING", math.inf)  # one busy machine is no two nodes
    monkeypatch.setattr(dispatcher, "ENDED_S", 0.0)
    monkeypatch.setattr(dispatcher, "POLL_S", 0.01)


def _there(
    asked: RunRequest, engine: InThisProcess, monkeypatch: pytest.MonkeyPatch
) -> Leaderboard:
    monkeypatch.setattr(run_elsewhere, "engine_of", lambda _: engine)
    return evaluate(replace(asked, elsewhere=Elsewhere("slurm", nodes=2)))


def _raises(error: BaseException) -> Callable[[WorkOrder], None]:
    """On a node that is to time an entry."""

    def disturb(order: WorkOrder) -> None:
        if order.timed and json.loads(order.shard.read_bytes())["jobs"]:
            raise error

    return disturb


def _records(asked: RunRequest) -> dict[Path, bytes]:
    folder = asked.reports / "tiny" / "records"
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.json")}


def test_a_board_of_two_nodes_is_the_one_from_here_but_for_times(
    asked: RunRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = Path(asked.challenge)
    rules.write_text(rules.read_text("utf-8").replace("audits = false", "audits = true"), "utf-8")
    here = evaluate(replace(asked, reports=asked.reports / "here"))
    engine = InThisProcess("left", "right")
    there = _there(asked, engine, monkeypatch)
    assert steady(there) == steady(here)
    assert len(there.nodes) == 2
    assert all("runtime" not in row.entry.values for row in there.rows)
    ranked = [row.entry.id for row in there.rows if row.ranked]
    assert set(ranked) >= {"conv", "good", "other", "fsrcnn_x4"}
    assert len([it for it in engine.orders if it.timed]) > 2
    assert list((asked.reports / "tiny" / "shards").glob("*")) == []
    before = _records(asked)
    _there(asked, engine, monkeypatch)  # what is known is kept; a crash may pass
    again = {path for path, data in _records(asked).items() if before[path] != data}
    assert {path.parent.name for path in again} == {"raises"}


def test_what_dies_on_a_node_is_measured_by_another_and_an_interrupted_run_goes_on(
    asked: RunRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed: list[WorkOrder] = []

    def disturb(order: WorkOrder) -> None:
        if order.timed and json.loads(order.shard.read_bytes())["jobs"]:
            timed.append(order)
            if len(timed) == 1:
                raise OSError("the node is gone")
            if len(timed) == 3:
                raise KeyboardInterrupt

    engine = InThisProcess("left", "right", disturb=disturb)
    with pytest.raises(KeyboardInterrupt):
        _there(asked, engine, monkeypatch)
    before = _records(asked)
    there = _there(asked, engine, monkeypatch)
    assert sorted(steady(there)) == [
        *("bicubic", "conv", "fsrcnn_x4", "good", "other", "raises", "srcnn_x4")
    ]
    attempts = [(order.into.parent.name, order.into.name) for order in timed]
    assert (attempts[0][0], "2") in attempts
    assert len(set(attempts)) == len(attempts)
    after = _records(asked)
    assert {path: after[path] for path in before} == before  # nothing is measured twice
    assert not any("Not measured to the end" in note for note in there.notes)


def test_what_was_given_up_is_tried_again_by_the_same_command(
    asked: RunRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    disturb = _raises(OSError("the node is gone"))
    asked = replace(asked, entries=asked.entries[:1], rounds=1)
    lost = _there(asked, InThisProcess("left", "right", disturb=disturb), monkeypatch)
    assert any("Not measured to the end" in note for note in lost.notes)
    there = _there(asked, InThisProcess("left", "right"), monkeypatch)
    assert not any("Not measured to the end" in note for note in there.notes)


def test_a_shard_s_document_that_nodes_have_changed_is_not_gone_on_with(
    asked: RunRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    disturb = _raises(KeyboardInterrupt())
    asked = replace(asked, entries=asked.entries[:1], rounds=1)
    with pytest.raises(KeyboardInterrupt):
        _there(asked, InThisProcess("left", "right", disturb=disturb), monkeypatch)
    for path in (asked.reports / "tiny" / "shards").glob("*/shard.json"):
        text = json.loads(path.read_bytes())
        text["setting"]["data_dir"] = "/nowhere"
        path.write_text(json.dumps(text), encoding="utf-8")
    there = _there(asked, InThisProcess("left", "right"), monkeypatch)
    assert not any("Not measured to the end" in note for note in there.notes)


def test_scores_alone_need_no_node_of_their_own_and_are_the_same_anywhere(
    asked: RunRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = replace(asked, untimed=True)
    here = evaluate(replace(asked, reports=asked.reports / "here"))
    engine = InThisProcess("left", "right")
    there = _there(asked, engine, monkeypatch)
    assert steady(there) == steady(here)
    rows = {row.entry.id: row.entry for row in there.rows}
    assert rows["good"].values["psnr:Set5"] > 20.0
    assert rows["good"].values["macs"] >= 0.0
    assert len(rows["good"].scores) == 2
    assert "runtime" not in rows["good"].values
    assert rows["raises"].failure is not None
    assert there.nodes == ()
    assert not any("Not measured to the end" in note for note in there.notes)
    assert [order.timed for order in engine.orders] == [True, False, False]  # the first one looks


def test_the_command_measures_by_a_process_of_its_own_as_it_does_itself(
    asked: RunRequest, tmp_path: Path
) -> None:
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "harness.cli", "run", str(tmp_path / "good"), "--json"),
            *("--challenge", asked.challenge, "--data-dir", str(asked.data_dir), "--rounds", "1"),
            *("--reports", str(asked.reports), "--sandbox", "none", "--devices", "cpu"),
        ],
        check=True,
        capture_output=True,
        timeout=240,
    )
    rows = {row["id"]: row for row in json.loads(ran.stdout)["rows"]}
    assert rows["good"]["runtime_s"] > 0.0
    assert rows["good"]["ranked"]
    assert b"Looking for a node" in ran.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--nodes", "2"), "need --executor slurm or ray"),
        (("--devices", "cuda:0", "--executor", "ray"), "--devices are GPUs of this machine"),
        (("--devices", "tpu"), "cuda:0, cuda:1 and so on"),
        (("--executor", "ray", "--engine-option", "x"), "KEY=VALUE"),
        (("--executor", "slurm", "--budget", "3"), "--budget adds rounds on this machine alone"),
        (("--executor", "slurm", "--keep-images", "all"), "--keep-images keeps outputs"),
        (("--untimed", "--budget", "3"), "--untimed has no rounds"),
    ],
)
def test_what_no_engine_can_do_is_refused_before_anything_runs(
    options: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "harness.cli", "run", "--reports", str(tmp_path), *options],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 2
    assert told in " ".join(ran.stderr.split())
    assert list(tmp_path.iterdir()) == []
