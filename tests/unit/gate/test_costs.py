from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.core.outcome import Failed, failed
from harness.gate import costs
from harness.gate.crops import Crop
from harness.gate.gates import Costs
from harness.measure.session import LrImage, OutputReply
from harness.sandbox.confinement import NoConfinement
from harness.wire.messages import Load, Output

LOAD = Load("", "m:N", "{}", 4, 1.0, "cpu", threads=2, seed=0, weights="w")
SIZE = (32, 32)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Load]]:
    """What processes were started for; each answers with black, and can't be counted."""
    told: list[tuple[str, Load]] = []
    pixels = np.zeros((64, 64, 3), np.uint8)
    reply = OutputReply(pixels, Output(64, 64, "torch.float32", 0.0, 1.0), 0.1)
    uncounted = failed("count", "raised", "no")

    def answer(kind: str, reply: Any) -> None:
        def run(task: Any, *_: object) -> Any:
            told.append((kind, task.load))
            return reply

        monkeypatch.setattr(costs, kind, run)

    answer("run_trial", ((reply,), uncounted))
    answer("run_outputs", (reply,))
    answer("run_count", uncounted)
    return told


def _costs(load: Load, folder: Path, codes: dict[Any, Load] | None = None) -> costs.SideCosts | str:
    image = np.zeros((16, 16, 3), np.uint8)
    crop = Crop(LrImage("check", "1", image), np.zeros((64, 64, 3), np.uint8))
    found = costs.costs(
        {"candidate": load},
        (crop,),
        codes=codes or {},
        size=SIZE,
        logs=folder,
        confinement=NoConfinement(),
    )
    return found["candidate"]


def test_outputs_and_counts_come_of_one_process_where_they_can(
    asked: list[tuple[str, Load]], tmp_path: Path
) -> None:
    found = _costs(LOAD, tmp_path)
    assert isinstance(found, costs.SideCosts)
    assert [kind for kind, _ in asked] == ["run_trial"]
    assert found.notes == ("not counted: no",)


@pytest.mark.parametrize("option", [{"device": "cuda"}, {"compile": True}, {"channels_last": True}])
def test_outputs_are_of_what_is_timed_and_counts_of_what_is_written(
    asked: list[tuple[str, Load]], tmp_path: Path, option: dict[str, Any]
) -> None:
    assert isinstance(_costs(replace(LOAD, **option), tmp_path), costs.SideCosts)
    shown, counted = asked
    assert (shown[0], counted[0]) == ("run_outputs", "run_count")
    assert shown[1] == replace(LOAD, threads=1, seeded_if_absent=True, **option)
    assert counted[1] == replace(LOAD, threads=1, seeded_if_absent=True)


def test_whether_a_graph_has_drawn_weights_stands_in_its_load(
    asked: list[tuple[str, Load]], tmp_path: Path
) -> None:
    told = "runs with seeded weights: its quality means nothing"
    for load, seeded in (
        (replace(LOAD, form="graph"), False),
        (replace(LOAD, form="graph", seeded=True), True),
        (replace(LOAD, weights=""), True),
    ):
        found = _costs(load, tmp_path)
        assert isinstance(found, costs.SideCosts)
        assert (told in found.notes) == seeded
    assert asked


def test_the_code_of_a_graph_is_counted_beside_it(
    asked: list[tuple[str, Load]], tmp_path: Path
) -> None:
    graph = replace(LOAD, form="graph", threads=1)
    found = _costs(graph, tmp_path, {"candidate": LOAD})
    assert isinstance(found, costs.SideCosts)
    assert [(kind, load.form) for kind, load in asked] == [
        ("run_trial", "graph"),
        ("run_count", "entry"),
    ]
    assert found.code == Costs(doubt="not known: no")


def test_outputs_that_fail_are_the_sides_reason(
    asked: list[tuple[str, Load]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    died: Failed = failed("forward", "killed", "the process was ended by SIGSEGV")
    monkeypatch.setattr(costs, "run_outputs", lambda *_: died)
    found = _costs(replace(LOAD, compile=True), tmp_path)
    assert found == "forward: the process was ended by SIGSEGV (killed)"
    assert asked == []
