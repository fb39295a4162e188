"""Records of a run under other rules than the run's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.challenges import write_challenge

from harness.board.build import save_run
from harness.board.store import Store
from harness.core.leaderboard import Row
from harness.core.outcome import BadInput
from harness.core.record import (
    Energy,
    Environment,
    ImageScore,
    Phases,
    Record,
    RoundFigures,
    Sample,
)
from harness.core.run import JobKey, ListedEntry, Run
from harness.rules import rulebook
from harness.usecases.report import report

KEY = "a" * 64
OTHER = """
id = "other"
title = "Other"
scale = 4
quality_profile = "ntire"
complexity_input = [32, 32]
datasets = [
  { name = "Set5", split = "validation" },
  { name = "Set14", split = "test", required = false },
]
columns = [{ metric = "energy", title = "Energy", unit = "mJ" }]
[[tracks]]
id = "main"
title = "Main"
kind = "order"
terms = [{ metric = "runtime" }, { metric = "energy"OPTIONAL }]
"""


def a_run(place: Path, energy: Energy | None) -> Path:
    """The reports of a run with one round of one entry."""
    folder = place / "reports" / "tiny"
    machine = Environment("machine", {})
    figures = RoundFigures(
        params=7,
        first_call_s=0.5,
        samples=(Sample("Set5", "baby", 0, 16, 16, 0.25, 0.26),),
        scores=(ImageScore("Set5", "baby", "d1", 30.0, 0.9),),
        memory=None,
        phases=Phases(),
        energy=energy,
    )
    began = "2026-01-01T00:00:00+00:00"
    record = Record(KEY, "mine", "tiny", "round", 0, "one", began, machine, figures)
    Store(folder / "records").save(record)
    jobs = (JobKey("round", 0, KEY),)
    listed = ListedEntry("mine", "Team", "Mine", "entry", weights="own", jobs=jobs)
    challenge = rulebook.read(str(write_challenge(place / "tiny.toml")))
    save_run(folder, Run("one", began, challenge, (listed,), machine))
    return place / "reports"


def the_row(place: Path, energy: Energy | None, *, optional: bool) -> tuple[Row, tuple[str, ...]]:
    rules = place / "other.toml"
    rules.write_text(OTHER.replace("OPTIONAL", ", optional = true" if optional else ""), "utf-8")
    board = report("tiny", a_run(place, energy), rules=str(rules))
    return board.rows[0], board.notes


def test_a_recorded_energy_is_a_figure_of_one_image(tmp_path: Path) -> None:
    row, _ = the_row(tmp_path, Energy(12.0, 4, "nvml_counter"), optional=False)
    assert (row.ranked, row.entry.values["energy"]) == (True, 3.0)


def test_without_energy_a_row_is_ranked_where_the_rules_call_it_optional(tmp_path: Path) -> None:
    row, notes = the_row(tmp_path, None, optional=True)
    assert row.ranked
    assert "Main: without what the rules call optional: Energy, not measured of any row" in notes


def test_without_energy_a_row_is_not_ranked_where_the_rules_need_it(tmp_path: Path) -> None:
    row, notes = the_row(tmp_path, None, optional=False)
    assert (row.ranked, row.reason) == (False, "not measured: Energy")
    assert "No row is ranked, since none has Energy, which the rules need." in notes


def test_an_optional_dataset_that_the_run_did_not_measure_is_left_out_and_told(
    tmp_path: Path,
) -> None:
    row, notes = the_row(tmp_path, None, optional=True)
    assert row.entry.values["runtime"] == 0.25
    assert "Left out: Set14, which the run did not measure." in notes


def test_a_run_is_named_as_it_was_started_by_the_rules_own_file(tmp_path: Path) -> None:
    reports = a_run(tmp_path, None)
    assert report(str(tmp_path / "tiny.toml"), reports) == report("tiny", reports)


def test_a_run_that_is_named_by_its_file_is_ranked_by_what_the_file_says_now(
    tmp_path: Path,
) -> None:
    reports, path = a_run(tmp_path, None), tmp_path / "tiny.toml"
    assert report(str(path), reports).rows[0].reason == ""
    limits = '[[limits]]\nmetric = "psnr:Set5"\nat_least = 31.0\n'
    path.write_text(path.read_text("utf-8") + limits, "utf-8")
    board = report(str(path), reports)
    assert board.rows[0].reason == "PSNR on Set5 30 dB is below 31 dB"
    assert board.notes[-1] == f"Ranked by the rules of {path}, which are not those of the run."
    assert report("tiny", reports).rows[0].ranked


def test_rules_that_need_what_the_run_did_not_measure_are_refused(tmp_path: Path) -> None:
    rules = tmp_path / "other.toml"
    rules.write_text(OTHER.replace(", required = false", "").replace("OPTIONAL", ""), "utf-8")
    with pytest.raises(BadInput, match=r"other needs Set14, which .* --challenge .*other\.toml"):
        report("tiny", a_run(tmp_path, None), rules=str(rules))


def test_a_mistyped_run_is_answered_with_the_nearest(tmp_path: Path) -> None:
    reports = a_run(tmp_path, None)
    with pytest.raises(BadInput, match=r"`esr run` makes it; did you mean tiny\?"):
        report("tinny", reports)
    with pytest.raises(BadInput, match="`esr run` makes it; there is tiny"):
        report("sample", reports)
