from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from fakes.audited import CALIBRATION, task

from harness.core.audit import Audit, AuditVerdict
from harness.core.outcome import Failed, failed
from harness.core.progress import SILENT
from harness.core.record import (
    Calibration,
    Environment,
    Phases,
    RoundFigures,
    Sample,
    TimedBeside,
)
from harness.machine import processor_times
from harness.machine.processor_times import ProcessorTimes
from harness.measure import calibration, local_executor
from harness.measure.jobs import Job
from harness.measure.local_executor import CALIBRATION_S, LocalExecutor, better, odd
from harness.measure.run_images import RunImages
from harness.measure.session import Task
from harness.measure.turns import BlockMember, OnTurn
from harness.sandbox.confinement import NoConfinement
from harness.sandbox.isolation import Isolation

SAMPLE = Sample("set", "a", 0, 8, 8, 0.1, 0.2)


def _figures(**verdicts: AuditVerdict) -> RoundFigures:
    audits = tuple(Audit(cast("Any", name), it, "") for name, it in verdicts.items())
    return RoundFigures(7, 0.1, (SAMPLE,), (), None, Phases(), audits=audits)


FINE, LATE = _figures(clock="ok"), _figures(clock="suspect", outputs="ok")


@pytest.mark.parametrize(
    ("outcome", "is_odd"),
    [
        (FINE, False),
        (LATE, True),
        (_figures(collect="rejected"), True),
        (_figures(clock="suspect", outputs="rejected"), False),  # no load explains the output
        (failed("load", "crash", "no"), False),
    ],
)
def test_a_round_is_odd_if_clocks_alone_speak_against_it(
    outcome: RoundFigures | Failed, is_odd: bool
) -> None:
    assert odd(outcome) is is_odd


def test_of_two_looks_at_an_odd_round_the_better_one_stands() -> None:
    worse = _figures(clock="rejected")
    assert better(LATE, FINE) is FINE
    assert better(LATE, worse) is LATE
    assert better(LATE, failed("forward", "killed", "no")) is LATE


class Blocks:
    """Rounds that come to what was told, entry by entry, and calibrations, each with its number."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *outcomes: RoundFigures | Failed) -> None:
        self.left = list(outcomes)
        self.blocks: list[list[str]] = []
        self.tasks: list[Task] = []
        self.rates_known: list[bool] = []
        self.now_s = 1000.0
        monkeypatch.setattr(local_executor, "run_block", self._run)
        monkeypatch.setattr(calibration, "take", self._take)
        monkeypatch.setattr(local_executor.time, "monotonic", lambda: self.now_s)

    def _run(
        self, members: Sequence[BlockMember], *_: object, watch: OnTurn, **__: object
    ) -> dict[str, RoundFigures | Failed]:
        for timed in (0, 1):
            watch(timed, len(members))
        self.tasks += [it.task for it in members]
        self.blocks.append([it.name for it in members])
        return {it.name: self.left.pop(0) for it in members}

    def _take(self, _: Task, known: Calibration | None) -> Calibration:
        self.rates_known.append(known is not None)
        return replace(CALIBRATION, exchange_s=float(len(self.rates_known)))

    @property
    def calibrations(self) -> list[float]:
        return [it.calibration.exchange_s for it in self.tasks if it.calibration]


def _block(
    executor: LocalExecutor, tmp_path: Path, *names: str, form: str = "entry"
) -> dict[str, RoundFigures]:
    """The rounds of entries beside the first one."""
    load = replace(task().load, form=cast("Any", form))
    jobs = [
        Job(
            *(name, "round", 0, load, "e", "w", task().protocol, (8, 8), "ntire", "d"),
            log=tmp_path / name / "round-0.log",
        )
        for name in names
    ]
    outcomes = {it: at.outcome for it, at in executor.run_block(jobs, names[0]).items()}
    return {name: it for name, it in outcomes.items() if isinstance(it, RoundFigures)}


def _executor() -> LocalExecutor:
    return LocalExecutor(
        Environment("here", {"device": "cpu"}),
        Isolation(NoConfinement()),
        RunImages((), (), "", ()),
        cast("Any", lambda *_: None),
        SILENT,
    )


def test_an_odd_round_is_taken_again_with_a_calibration_of_that_moment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocks = Blocks(monkeypatch, FINE, LATE, FINE, FINE, FINE)
    found = _block(_executor(), tmp_path, "base", "odd", "other")
    assert blocks.blocks == [["base", "odd", "other"], ["base", "odd"]]
    assert [it.audits for it in found.values()] == [FINE.audits] * 3
    assert blocks.calibrations == [1.0, 1.0, 1.0, 2.0, 2.0]
    assert blocks.rates_known == [False, True]  # the machine's best is taken once
    # each row names the block that its samples are of
    assert found["base"].block == found["other"].block != found["odd"].block


def test_a_round_says_what_others_used_while_it_was_timed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Blocks(monkeypatch, FINE)
    times = [ProcessorTimes(at, busy_s=2 * at, steal_s=0.0, own_s=at) for at in (1.0, 5.0)]
    monkeypatch.setattr(processor_times, "until_now", lambda: times.pop(0))
    executor = _executor()
    load = task().load
    job = Job("a", "round", 0, load, "e", "w", task().protocol, (8, 8), "ntire", "d", log=tmp_path)
    seen = executor.run_block([job], "a")["a"].environment.seen
    assert seen["others_cores"] == "1.00"


def test_a_round_holds_what_the_base_took_in_its_block(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slower = replace(FINE, samples=(replace(SAMPLE, seconds=0.3),))
    Blocks(monkeypatch, slower, FINE)
    found = _block(_executor(), tmp_path, "base", "one")
    assert found["base"].beside is None
    assert found["one"].beside == TimedBeside("base", slower.samples)
    Blocks(monkeypatch, failed("load", "crash", "no"), FINE)
    found = _block(_executor(), tmp_path, "base", "one")
    assert list(found) == ["one"]
    assert found["one"].beside is None


def test_code_is_held_against_the_last_minutes_and_a_graph_against_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocks = Blocks(monkeypatch, *[FINE] * 4)
    executor = _executor()
    _block(executor, tmp_path, "a")
    _block(executor, tmp_path, "a")
    blocks.now_s += CALIBRATION_S + 1.0
    _block(executor, tmp_path, "a", form="graph")
    _block(executor, tmp_path, "a")
    assert blocks.calibrations == [1.0, 1.0, 1.0, 2.0]
