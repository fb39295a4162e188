from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import audited
from fakes.rude_worker import RudeConfinement

from harness.audits.clocks import Exchange
from harness.core.challenge import TimingProtocol
from harness.core.record import Memory
from harness.gate.blocks import Arm
from harness.gate.sampling import ArmFailed
from harness.gate.worker_bench import LaunchedSide, WorkerBench
from harness.measure.session import LrImage, Task
from harness.wire.messages import Load


def _bench(folder: Path, deadline_s: float = 300.0, **manners: str) -> WorkerBench:
    load = Load("", "m:N", "{}", 1, 1.0, "cpu", threads=1, seed=0)
    tasks: Any = {
        role: Task(
            load,
            TimingProtocol(warmup=2, forward_deadline_s=deadline_s),
            folder / f"{role}.log",
            RudeConfinement(manners.get(role, "remembering")),
        )
        for role in Arm
    }
    images = tuple(LrImage("check", str(n), np.full((1, 2, 3), n, np.uint8)) for n in (1, 2))
    return WorkerBench(tasks, images)


def test_sides_live_together_and_each_turn_has_one_image(tmp_path: Path) -> None:
    with _bench(tmp_path).block(tuple(Arm)) as sides:
        assert set(sides) == set(Arm)
        for role in Arm:
            assert sides[role].warm_up() == pytest.approx(1e-6)
        for turn in range(3):
            assert sides["candidate"].forward(turn) == pytest.approx(1e-6)
    given = (tmp_path / "candidate.log").read_text(encoding="utf-8").split()
    assert given == ["010101010101"] * 2 + [f"{n:02}" * 6 for n in (1, 2, 1)]
    assert (tmp_path / "again.log").read_text(encoding="utf-8").split() == given[:2]


def test_a_gpus_peak_of_the_warm_up_is_not_that_of_the_turns() -> None:
    class Asked:
        """A session whose peak is that since the last question, as a GPU's is."""

        peak = 0
        task = audited.task()

        def forward(self, _image: object, stage: str) -> Exchange:
            assert stage == "warmup"
            self.peak = 900
            return Exchange(1, 0.5, 0.6)

        def timed(self, _image: object) -> Exchange:
            self.peak = max(self.peak, 100)
            return Exchange(1, 0.01, 0.06, device_wall_s=0.05)

        compile_s = 2.0

        def awake(self) -> AbstractContextManager[None]:
            return nullcontext()

        def disturbances(self) -> tuple[str, ...]:
            return ("throttled (power): 1 forwards were taken again",)

        def reset_peak(self) -> None:
            self.peak = 0

        def memory(self, _largest: object) -> Memory:
            return Memory(self.peak, "cuda_allocated")

    image = LrImage("check", "1", np.zeros((1, 1, 3), np.uint8))
    side = LaunchedSide("candidate", Asked(), (image,))  # type: ignore[arg-type]
    assert (side.warm_up(), side.forward(0), side.told().peak_bytes) == (0.5, 0.01, 100)
    # a forward of 10 ms by the events of which 50 were seen on the device
    told = side.told()
    assert told.compile_s == 2.0
    assert told.notes[0] == "throttled (power): 1 forwards were taken again"
    assert told.notes[1].endswith("part of the work runs on another stream")


@pytest.mark.parametrize("role", Arm)
def test_a_side_that_fails_is_named_and_the_others_are_stopped(tmp_path: Path, role: str) -> None:
    with (
        pytest.raises(ArmFailed, match=r"load: .*status 3 \(exited\)") as error,
        _bench(tmp_path, **{role: "exit_3"}).block(tuple(Arm)),
    ):
        pass
    assert error.value.arm == role


def test_a_side_that_dies_between_turns_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(ArmFailed) as error,
        _bench(tmp_path, candidate="polite").block(tuple(Arm)) as sides,
    ):
        sides["candidate"].warm_up()
    assert error.value.arm == "candidate"
    assert "warmup" in str(error.value)


def test_a_side_that_gives_no_answer_in_time_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(ArmFailed, match=r"no answer within 0\.2 s \(timeout\)") as error,
        _bench(tmp_path, 0.2, candidate="stubborn").block(tuple(Arm)) as sides,
    ):
        sides["candidate"].warm_up()
    assert error.value.arm == "candidate"
