from __future__ import annotations

from dataclasses import replace

from fakes import boards

from harness.core.leaderboard import Interval, Row
from harness.core.record import Energy, EnergyWindow
from harness.render.detail import facts


def _row(energy: Energy | None) -> Row:
    figures = replace(boards.round_figures(1), energy=energy)
    row = boards.ranked(1)
    records = (boards.record("it", figures, 1),)
    return replace(row, entry=replace(row.entry, records=records, precision="bf16"))


def test_a_timed_row_tells_its_precision_and_whose_energy_it_is() -> None:
    windows = tuple(EnergyWindow("set", name, 100.0, 50, 2.0) for name in "ab")
    told = dict(facts(_row(Energy(4.0, 2, "nvml_counter", windows))))
    assert told["Precision"] == "bf16"
    assert told["Energy is"] == "of the whole card by its counter, over 2 images"
    assert "Energy is" not in dict(facts(_row(None)))


def test_macs_are_told_once_by_the_name_of_their_convention() -> None:
    told = dict(
        facts(boards.ranked(1, values=boards.values(macs=19.7e9) | {"macs_fvcore": 19.7e9}))
    )
    assert told["MACs (fvcore)"] == "19.70 G"
    assert "MACs" not in told
    assert dict(facts(boards.ranked(1, values=boards.values(macs=2e9))))["MACs"] == "2.00 G"


def test_nothing_is_told_twice_of_one_round_on_luma() -> None:
    values = {"psnr:Set5": 32.2, "psnr_y:Set5": 32.2, "psnr:x": 30.0, "psnr_y:x": 31.0}
    row = boards.ranked(1, values=boards.values(runtime=0.1) | values)
    row = replace(row, entry=replace(row.entry, intervals={"runtime": Interval(0.1, 0.1)}))
    told = dict(facts(row))
    assert told["Runtime"] == "100.00 ms"
    assert [key for key in told if key.startswith("PSNR-Y")] == ["PSNR-Y on x"]


def test_a_row_that_was_not_timed_tells_no_precision() -> None:
    assert "Precision" not in dict(facts(boards.floor_row()))
