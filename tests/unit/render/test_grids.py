from __future__ import annotations

from dataclasses import replace

from fakes import boards

from harness.core.audit import Audit
from harness.core.leaderboard import BoardEntry
from harness.core.model_counts import (
    BeforeDeploy,
    Counter,
    Counts,
    SecondSize,
    Share,
    UnregisteredTensor,
    WeightTrace,
)
from harness.core.record import CountFigures
from harness.render.grids import Grid, audited, evidence

COUNTERS = (
    Counter("ntire2022", 3_000_000, 2_000_000, 4_000_000, 2, "meta", by_module=(Share("a", 10),)),
    Counter("dispatch", 2_000_000, 2_000_000, 4_000_000, 2, "meta"),
)
COUNTS = Counts(64, 48, 120, 120, 120, COUNTERS)


def _grids(counts: Counts) -> dict[str, Grid]:
    record = boards.record("it", CountFigures(counts))
    entry = BoardEntry("it", "Team", "It", "entry", records=(record,))
    return {grid.title: grid for grid in evidence(entry) if grid.rows}


def test_an_entry_that_was_not_counted_has_no_evidence() -> None:
    assert evidence(BoardEntry("it", "Team", "It", "entry")) == ()


def test_modules_that_the_counters_differ_on_come_first() -> None:
    hooks = replace(COUNTERS[0], by_module=(Share("body", 9_000_000), Share("head", 1_000_000)))
    seen = (Share("body", 9_000_000), Share("head", 1_000_000), Share("attn", 500_000))
    fvcore = replace(hooks, name="fvcore")
    grids = _grids(replace(COUNTS, counters=(hooks, fvcore, replace(COUNTERS[1], by_module=seen))))
    grid = grids["Counted by module"]
    shown = [dict(zip(grid.heads[1:], row[1:], strict=True)) for row in grid.rows]
    told = [{head: text for head, text in row.items() if text != "–"} for row in shown]
    asked = ("ntire2022 [M]", "fvcore [M]", "dispatch [M]")
    assert [row[0] for row in grid.rows] == ["attn", "body", "head"]
    assert told == [
        {"dispatch [M]": "0.500"},
        dict.fromkeys(asked, "9.000"),
        dict.fromkeys(asked, "1.000"),
    ]


def test_operators_have_calls_where_the_counter_tells_them() -> None:
    counter = replace(
        COUNTERS[1], by_operator=(Share("aten::convolution", 2_000_000, 7), Share("x", 1))
    )
    rows = _grids(replace(COUNTS, counters=(counter,)))["Counted by operator"].rows
    assert rows[0] == ("dispatch", "aten::convolution", "7", "0.002000")
    assert rows[1][2] == "–"


def test_deploy_has_a_row_for_each_figure_and_for_the_outputs() -> None:
    before = BeforeDeploy(
        params=240,
        macs={"ntire2022": 5_000_000, "dispatch": 4_000_000},
        activations=8_000_000,
        convs=6,
        difference=2e-6,
        side=64,
    )
    rows = _grids(replace(COUNTS, unfused=before))["Before and after the entry's deploy function"]
    assert rows.rows == (
        ("Params", "240", "120"),
        ("MACs (ntire2022) [G]", "0.005000", "0.003000"),
        ("MACs (fvcore) [G]", "–", "–"),
        ("MACs (dispatch) [G]", "0.004000", "0.002000"),
        ("Activations [M]", "8.000000", "4.000000"),
        ("Convs", "6", "2"),
        ("Outputs apart, 64×64 photograph", "–", "2e-06 of the data range"),
    )


def test_a_deploy_that_could_not_be_compared_says_why() -> None:
    grids = _grids(replace(COUNTS, unfused=BeforeDeploy(error="ValueError: no")))
    assert grids["Before and after the entry's deploy function"].rows == (
        ("Not compared", "ValueError: no", "–"),
    )


def test_a_model_that_shrinks_at_its_first_forward_shows_both_figures() -> None:
    grids = _grids(replace(COUNTS, params_before=429_300, params=211_572))
    rows = grids["Before and after the model's first forward"].rows
    assert rows == (("Params", "429,300", "211,572"),)


def test_what_was_read_stands_beside_what_was_counted_at_both_sizes() -> None:
    reads = WeightTrace(
        closed_form=3_000_000,
        image_products=500_000,
        opaque={"acme::conv": 1_000_000},
        held=(UnregisteredTensor("bank\u202e", "buffer", "weights", 81),),
    )
    there = SecondSize(128, 72, macs=6_000_000, closed_form=9_000_000)
    grids = _grids(replace(COUNTS, reads=reads, elsewhere=there))
    assert grids["What was read must cost"].rows == (
        ("64×48", "0.003000", "0.000500", "0.001000", "0.002000"),
        ("128×72", "0.009000", "–", "–", "0.006000"),
    )
    assert grids["Read, and no parameters"].rows == (("bank[U+202E]", "buffer", "weights", "81"),)


def test_the_evidence_of_every_audit_is_a_row_and_says_who_saw_it() -> None:
    seen = Audit("clock", "ok", "1 ms beside the forward")
    told = Audit("references", "rejected", "replaced: harness.worker.runner._now")
    grid = audited(BoardEntry("acme", "Acme", "Acme", "entry", audits=(seen, told)))
    assert [row[0] for row in grid.rows] == ["clock", "references"]
    assert [row[3] for row in grid.rows] == ["harness", "worker"]
    assert grid.rows[1][4] == "replaced: harness.worker.runner._now"
