from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.core.outcome import BadInput
from harness.engines.engine import WorkOrder
from harness.engines.slurm import Slurm


class Submitit:
    """An executor of submitit: what it was told, and jobs of one array."""

    refuses = ""

    def __init__(self) -> None:
        self.made: list[Submitit] = []
        self.folder: Path | None = None
        self.told: dict[str, Any] = {}
        self.mapped: list[Any] = []

    def __call__(self, folder: Path) -> Submitit:
        made = Submitit()
        made.folder, made.refuses = folder, self.refuses
        self.made.append(made)
        return made

    def update_parameters(self, **told: Any) -> None:
        self.told = told

    def map_array(self, function: Any, commands: list[list[str]]) -> list[SimpleNamespace]:
        if self.refuses:
            raise RuntimeError(self.refuses)
        assert function is subprocess.call
        self.mapped = commands
        return [SimpleNamespace(job_id=f"7_{at}") for at in range(len(commands))]


class Commands:
    """squeue and scancel."""

    def __init__(self, **states: str) -> None:
        self.states, self.returncode = states, 0
        self.asked: list[list[str]] = []

    def __call__(self, command: list[str], **_: Any) -> SimpleNamespace:
        self.asked.append(command)
        lines = "".join(f"{key} {it}\n" for key, it in self.states.items())
        return SimpleNamespace(returncode=self.returncode, stdout=lines)


def _orders(*names: str, timed: bool = True, gpu: bool = False) -> list[WorkOrder]:
    folder = Path("/run/shards")
    return [
        WorkOrder(folder / it / "shard.json", folder / it / "1", timed=timed, gpu=gpu)
        for it in names
    ]


def test_timed_shards_are_an_array_of_whole_nodes_that_are_queued_again() -> None:
    made, commands = Submitit(), Commands()
    engine = Slurm(3, {"partition": "a100", "time": "90"}, executor=made, run=commands)
    orders = _orders("a", "b", gpu=True)
    assert engine.submit(orders) == ["7_0", "7_1"]
    (executor,) = made.made
    assert executor.folder == Path("/run/shards/slurm")
    assert executor.mapped == [order.command for order in orders]
    assert executor.mapped[0][-4:] == [
        "work",
        "/run/shards/a/shard.json",
        "--into",
        "/run/shards/a/1",
    ]
    told = executor.told
    assert (told["exclusive"], told["gpus_per_node"], told["array_parallelism"]) == (True, 1, 3)
    assert (told["partition"], told["time"], told["use_srun"]) == ("a100", 90, False)
    assert told["additional_parameters"] == {"mem": "0", "requeue": True}


def test_counts_share_nodes_and_want_no_gpu() -> None:
    made = Submitit()
    engine = Slurm(2, {}, executor=made, run=Commands())
    handles = engine.submit([*_orders("a"), *_orders("b", timed=False)])
    assert handles == ["7_0", "7_0"]  # of two arrays
    counts, timed = made.made
    assert "exclusive" not in counts.told
    assert counts.told["cpus_per_task"] == 1
    assert "gpus_per_node" not in {*counts.told, *timed.told}


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ("PENDING", "waiting"),
        ("REQUEUED", "waiting"),
        ("RUNNING", "running"),
        ("COMPLETING", "running"),
        ("NODE_FAIL", "ended"),
        ("", "ended"),
    ],
)
def test_the_queue_says_what_has_become_of_a_job(told: str, state: str) -> None:
    commands = Commands(**({"7_0": told} if told else {}))
    engine = Slurm(2, {}, executor=Submitit(), run=commands)
    assert engine.state("7_0") == state
    engine.state("7_0")
    assert len(commands.asked) == 1  # not for each of hundreds


def test_a_controller_that_does_not_answer_changes_nothing() -> None:
    commands = Commands()
    commands.returncode = 1
    engine = Slurm(2, {}, executor=Submitit(), run=commands)
    (handle,) = engine.submit(_orders("a"))
    assert engine.state(handle) == "waiting"


def test_a_job_is_cancelled_by_its_id_if_it_is_one_of_ours() -> None:
    commands = Commands()
    Slurm(2, {}, executor=Submitit(), run=commands).cancel("7_1")
    assert commands.asked == [["scancel", "--me", "--name=esr", "7_1"]]


@pytest.mark.parametrize("handle", ["--me", "-uroot", "7 8", ""])
def test_a_handle_that_is_no_id_cancels_nothing(handle: str) -> None:
    commands = Commands()
    Slurm(2, {}, executor=Submitit(), run=commands).cancel(handle)
    assert commands.asked == []


def test_what_slurm_refuses_is_bad_input_with_its_words() -> None:
    made = Submitit()
    made.refuses = "Invalid partition name specified"
    engine = Slurm(1, {"partition": "no"}, executor=made, run=Commands())
    with pytest.raises(BadInput, match="Invalid partition name"):
        engine.submit(_orders("a"))


def test_it_takes_all_that_there_is() -> None:
    assert Slurm(2, {}, executor=Submitit(), run=Commands()).room(10) > 300
