from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from fakes.audited import CALIBRATION, task

from harness.core.audit import Audit, AuditVerdict
from harness.core.outcome import Failed, failed
from harness.core.progress import SILENT
from harness.core.record import Calibration, Environment, Phases, RoundFigures, Sample
from harness.measure import calibration, local_executor
from harness.measure.jobs import Job
from harness.measure.local_executor import CALIBRATION_S, LocalExecutor, better, odd
from harness.measure.run_images import RunImages
from harness.measure.session import Task
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


class Rounds:
    """Rounds that come to what was told, and calibrations, each with its number."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *outcomes: RoundFigures | Failed) -> None:
        self.left = list(outcomes)
        self.tasks: list[Task] = []
        self.rates_known: list[bool] = []
        self.now_s = 1000.0
        monkeypatch.setattr(local_executor, "run_round", self._run)
        monkeypatch.setattr(calibration, "take", self._take)
        monkeypatch.setattr(local_executor.time, "monotonic", lambda: self.now_s)

    def _run(self, asked: Task, *_: object) -> RoundFigures | Failed:
        self.tasks.append(asked)
        return self.left.pop(0)

    def _take(self, _: Task, known: Calibration | None) -> Calibration:
        self.rates_known.append(known is not None)
        return replace(CALIBRATION, exchange_s=float(len(self.rates_known)))

    @property
    def calibrations(self) -> list[float]:
        return [it.calibration.exchange_s for it in self.tasks if it.calibration]


def _run(executor: LocalExecutor, tmp_path: Path, form: str = "entry") -> RoundFigures:
    load = replace(task().load, form=cast("Any", form))
    job = Job(
        *("a", "round", 0, load, "e", "w", task().protocol, (8, 8), "ntire", "d"),
        log=tmp_path / "a" / "round-0.log",
    )
    outcome = executor.run(job).outcome
    assert isinstance(outcome, RoundFigures)
    return outcome


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
    rounds = Rounds(monkeypatch, LATE, FINE)
    assert _run(_executor(), tmp_path) is FINE
    assert rounds.calibrations == [1.0, 2.0]
    assert rounds.rates_known == [False, True]  # the machine's best is taken once


def test_code_is_held_against_the_last_minutes_and_a_graph_against_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rounds = Rounds(monkeypatch, *[FINE] * 4)
    executor = _executor()
    _run(executor, tmp_path)
    _run(executor, tmp_path)
    rounds.now_s += CALIBRATION_S + 1.0
    _run(executor, tmp_path, "graph")
    _run(executor, tmp_path)
    assert rounds.calibrations == [1.0, 1.0, 1.0, 2.0]
