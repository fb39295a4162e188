"""The use case on a fake machine: what is sampled, foretold, and said where it can't be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from fakes.sides import World
from schemas import faults

from harness.cli.esr_doctor import document
from harness.gate import pair
from harness.gate.pair import CheckRequest
from harness.gate.settings import CheckSettings
from harness.machine.host_checks import HostCheck
from harness.usecases import doctor as use_case
from harness.usecases.doctor import MODEL, Diagnosis, doctor

Examine = Callable[..., Diagnosis]


@pytest.fixture
def examine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Examine:
    """A diagnosis of a world, told the seconds of sampling and of the check's budget."""
    for name in ("host_checks", "gpu_checks"):
        monkeypatch.setattr(use_case, name, lambda: (HostCheck("cores", "2"),))

    def examined(world: World, *, sample_s: float, budget_s: float = 120.0) -> Diagnosis:
        monkeypatch.setattr(pair, "WorkerBench", lambda _tasks, _images: world)
        clock = SimpleNamespace(monotonic=lambda: world.now, sleep=world.take)
        monkeypatch.setattr(pair, "time", clock)
        asked = CheckSettings(budget_s=budget_s)
        model = {"candidates": (MODEL,), "against": MODEL}
        request = CheckRequest(**model, settings=asked, threads=1, sandbox="none", logs=tmp_path)
        return doctor(request, sample_s=sample_s)

    return examined


def test_what_a_check_can_find_is_foretold_of_the_whole_sample(examine: Examine) -> None:
    world = World(process_sd=0.02, forward_sd=0.02)
    told = examine(world, sample_s=60.0)
    assert told.problem == ""
    assert faults("doctor", document(told)) == []
    assert told.forecast is not None
    # it samples on although the interval is narrow, and foretells another budget than its own
    assert told.forecast.sampled == world.opened > 10
    assert told.forecast.blocks == pytest.approx(2 * world.opened, abs=4)
    assert 0.05 < told.forecast.smallest < 0.1
    assert [it.name for it in told.checks][:2] == ["cores", "cores"]


def test_a_sample_that_is_too_short_says_so(examine: Examine) -> None:
    told = examine(World(), sample_s=5.0)
    assert faults("doctor", document(told)) == []
    assert told.forecast is None
    assert told.problem.endswith("of the 3 blocks that a forecast needs: sample for longer")


def test_a_model_that_dies_is_a_problem_and_no_crash(examine: Examine) -> None:
    told = examine(World(dies_at={"baseline": 2}), sample_s=30.0)
    assert (told.forecast, told.problem) == (None, "the process was ended by SIGKILL")
