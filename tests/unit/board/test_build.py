from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.challenges import write_challenge

from harness.board.build import build, load_run, save_run
from harness.board.store import Store
from harness.core.audit import Audit
from harness.core.challenge import Term, Track
from harness.core.leaderboard import EntryBadge
from harness.core.model_counts import BeforeDeploy, Counter, Counts, WeightTrace
from harness.core.outcome import BadInput, Failed
from harness.core.record import (
    Calibration,
    CountFigures,
    Environment,
    FloorFigures,
    ImageScore,
    JobKind,
    Memory,
    Outcome,
    Phases,
    Record,
    RoundFigures,
    Sample,
    changed_note,
)
from harness.core.run import JobKey, ListedEntry, Run
from harness.core.submission import PublishedFigures
from harness.rules import rulebook

ENVIRONMENT = Environment("machine", {"cpu": "fast"})
SCORES = (ImageScore("Set5", "baby", "d1", 30.0, 0.9), ImageScore("Set5", "bird", "d2", 34.0, 0.7))
COUNTER = Counter("ntire2022", 1100, 1000, 50, 3, "meta")
COUNTS = Counts(
    32,
    32,
    params=7,
    params_before=7,
    trainable=7,
    counters=(
        COUNTER,
        dataclasses.replace(COUNTER, name="fvcore", macs=1000),
        dataclasses.replace(COUNTER, name="dispatch", macs=1000),
    ),
)


def a_round(baby_s: float, bird_s: float, *, peak: int, untrained: bool = False) -> RoundFigures:
    timed = (("baby", baby_s), ("bird", bird_s))
    return RoundFigures(
        params=7,
        first_call_s=2 * baby_s,
        samples=tuple(Sample("Set5", name, 0, 16, 16, it, it + 0.001) for name, it in timed),
        scores=SCORES,
        memory=Memory(peak, "rss_peak"),
        phases=Phases(),
        untrained=untrained,
    )


def saved(
    store: Store, entry: str, outcomes: dict[tuple[JobKind, int], Outcome], *, session: str = "one"
) -> tuple[JobKey, ...]:
    """Records of these outcomes; their keys."""
    keys = []
    for (job, number), outcome in outcomes.items():
        key = f"{entry}-{job}-{number}".ljust(64, "0")
        record = Record(
            key=key,
            entry=entry,
            challenge="tiny",
            job=job,
            round=number,
            session=session,
            started="2026-01-01T00:00:00+00:00",
            environment=ENVIRONMENT,
            outcome=outcome,
        )
        store.save(record)
        keys.append(JobKey(job, number, key))
    return tuple(keys)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "records")


def run(place: Path, *listed: ListedEntry) -> Run:
    challenge = rulebook.read(str(write_challenge(place / "tiny.toml", audits=True)))
    return Run("one", "2026-01-01T00:00:00+00:00", challenge, listed, ENVIRONMENT)


def an_entry(jobs: tuple[JobKey, ...], **changes: object) -> ListedEntry:
    listed = ListedEntry("mine", "Team", "Mine", "entry", weights="own", jobs=jobs)
    return dataclasses.replace(listed, **changes)  # type: ignore[arg-type]


def test_figures_are_those_of_the_records(tmp_path: Path, store: Store) -> None:
    rounds: dict[tuple[JobKind, int], Outcome] = {
        ("count", 0): CountFigures(COUNTS),
        ("round", 0): a_round(0.010, 0.030, peak=500),  # 20 ms an image
        ("round", 1): a_round(0.020, 0.060, peak=900),  # 40 ms
        ("round", 2): a_round(0.015, 0.035, peak=100),  # 25 ms
    }
    jobs = saved(store, "mine", rounds)
    (row,) = build(run(tmp_path, an_entry(jobs)), store).rows
    values = row.entry.values
    assert values["runtime"] == pytest.approx(0.025)
    assert values["first_call"] == pytest.approx(0.030)
    assert (row.entry.intervals["runtime"].low, row.entry.intervals["runtime"].high) == (
        pytest.approx(0.020),
        pytest.approx(0.040),
    )
    assert values["memory"] == 900
    assert values["psnr:Set5"] == 32.0
    assert values["ssim:Set5"] == pytest.approx(0.8)
    assert (values["params"], values["macs"], values["macs_ntire2022"]) == (7, 1000, 1100)
    assert (values["activations"], values["convs"]) == (50, 3)
    assert row.ranked
    assert row.entry.verdict is not None
    assert row.entry.verdict.level == "verified"


def test_a_failed_round_fails_the_entry_and_keeps_its_counts(tmp_path: Path, store: Store) -> None:
    failure = Failed("forward", "timeout", "no answer within 5 s")
    jobs = saved(store, "mine", {("count", 0): CountFigures(COUNTS), ("round", 0): failure})
    (row,) = build(run(tmp_path, an_entry(jobs)), store).rows
    assert row.entry.status == "failed"
    assert row.entry.reason == "forward: no answer within 5 s"
    assert row.entry.values["params"] == 7
    assert "runtime" not in row.entry.values


def test_a_failed_count_is_a_note_and_leaves_its_columns_empty(
    tmp_path: Path, store: Store
) -> None:
    failure = Failed("count", "crash", "ValueError: no")
    outcomes: dict[tuple[JobKind, int], Outcome] = {
        ("count", 0): failure,
        ("round", 0): a_round(0.01, 0.01, peak=1),
    }
    (row,) = build(run(tmp_path, an_entry(saved(store, "mine", outcomes))), store).rows
    assert row.entry.status == "ok"
    assert row.entry.values["params"] == 7  # the round's own
    assert "macs" not in row.entry.values
    assert any("ValueError: no" in note for note in row.entry.notes)


def test_a_deploy_function_in_doubt_is_a_badge_and_a_note_beside_the_fused_figures(
    tmp_path: Path, store: Store
) -> None:
    counts = dataclasses.replace(COUNTS, unfused=BeforeDeploy(params=99, difference=0.5))
    jobs = saved(store, "mine", {("count", 0): CountFigures(counts)})
    (row,) = build(run(tmp_path, an_entry(jobs)), store).rows
    assert row.entry.badges == ("deploy in doubt",)
    assert row.entry.notes[0].startswith("deploy changes the output by up to 0.5")
    assert row.entry.values["params"] == 7


def test_a_verdict_knows_what_the_forward_read(tmp_path: Path, store: Store) -> None:
    counts = dataclasses.replace(COUNTS, reads=WeightTrace(closed_form=1000, hidden=81))
    jobs = saved(store, "mine", {("count", 0): CountFigures(counts)})
    (row,) = build(run(tmp_path, an_entry(jobs)), store).rows
    assert row.entry.verdict is not None
    assert row.entry.verdict.level == "incomplete"


def test_seeded_weights_are_a_badge_and_no_rank_unless_there_is_nothing_to_train(
    tmp_path: Path, store: Store
) -> None:
    seeded = saved(store, "mine", {("round", 0): a_round(0.01, 0.01, peak=1, untrained=True)})
    (row,) = build(run(tmp_path, an_entry(seeded, weights="seeded")), store).rows
    assert (row.ranked, row.entry.badges) == (False, ("untrained",))
    bare = saved(store, "bare", {("round", 0): a_round(0.01, 0.01, peak=1)})
    (row,) = build(run(tmp_path, an_entry(bare, id="bare", weights="seeded")), store).rows
    assert (row.ranked, row.entry.badges) == (True, ())


def test_a_reference_without_trained_weights_has_no_quality_and_says_how_they_are_had(
    tmp_path: Path, store: Store
) -> None:
    jobs = saved(store, "mine", {("round", 0): a_round(0.01, 0.01, peak=1, untrained=True)})
    listed = an_entry(jobs, role="reference", weights="seeded", remedy="`esr weights fetch mine`")
    (row,) = build(run(tmp_path, listed), store).rows
    assert (row.ranked, row.reason) == (False, "untrained: `esr weights fetch mine`")
    assert row.entry.values["runtime"] == pytest.approx(0.01)
    assert not [key for key in row.entry.values if key.startswith(("psnr", "ssim"))]


@pytest.mark.parametrize("at_load", [True, False])
def test_a_changed_setting_is_a_badge_and_another_note_none(
    tmp_path: Path, store: Store, at_load: bool
) -> None:
    changed = dataclasses.replace(
        a_round(0.01, 0.01, peak=1),
        notes=("slow", changed_note("threads", at_load=at_load)),
    )
    (row,) = build(
        run(tmp_path, an_entry(saved(store, "mine", {("round", 0): changed}))), store
    ).rows
    assert row.entry.badges == (EntryBadge.FLAGS_CHANGED,)
    told = dataclasses.replace(changed, notes=("has changed while loading",))
    (row,) = build(run(tmp_path, an_entry(saved(store, "mine", {("round", 0): told}))), store).rows
    assert row.entry.badges == ()


def test_the_floor_has_quality_alone_and_no_rank(tmp_path: Path, store: Store) -> None:
    jobs = saved(store, "bicubic", {("floor", 0): FloorFigures(SCORES)})
    floor = ListedEntry("bicubic", "", "Bicubic", "floor", jobs=jobs)
    (row,) = build(run(tmp_path, floor), store).rows
    assert row.entry.values == {"psnr:Set5": 32.0, "ssim:Set5": pytest.approx(0.8)}
    assert not row.ranked


def test_what_is_not_measured_yet_is_said(tmp_path: Path, store: Store) -> None:
    planned = (JobKey("count", 0, "a" * 64), JobKey("round", 0, "b" * 64))
    board = build(run(tmp_path, an_entry(planned)), store)
    assert board.rows[0].entry.values == {}
    assert any("mine" in note and "Not measured to the end" in note for note in board.notes)


def test_a_run_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    written = run(tmp_path, an_entry((), fault=Failed("manifest", "bad_manifest", "no team")))
    save_run(tmp_path, written)
    assert load_run(tmp_path) == written


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 1}'])
def test_a_run_file_that_is_none_says_to_run_again(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=r"run\.json can't be read \(\d+ faults\): run again"):
        load_run(tmp_path)


def test_a_board_over_several_invocations_says_so(tmp_path: Path, store: Store) -> None:
    old = saved(store, "old", {("round", 0): a_round(0.01, 0.01, peak=1)}, session="before")
    new = saved(store, "new", {("round", 0): a_round(0.01, 0.01, peak=1)})
    counted = saved(store, "alone", {("count", 0): CountFigures(COUNTS)}, session="before")
    both = build(run(tmp_path, an_entry(old, id="old"), an_entry(new, id="new")), store)
    assert any("2 " in note and "earlier run" in note for note in both.notes)
    one = build(run(tmp_path, an_entry(counted, id="alone"), an_entry(new, id="new")), store)
    assert not any("earlier run" in note for note in one.notes)


def test_a_board_of_several_nodes_says_so_and_is_ranked_without_times(
    tmp_path: Path, store: Store
) -> None:
    keys = []
    for name, node in (("one", "a" * 12), ("two", "b" * 12)):
        keys.append(saved(store, name, {("round", 0): a_round(0.01, 0.01, peak=1)}))
        record = store.look(name, "round", 0, keys[-1][0].key).record
        assert record is not None
        environment = dataclasses.replace(ENVIRONMENT, node=node)
        store.save(dataclasses.replace(record, environment=environment))
    listed = [an_entry(key, id=name) for key, name in zip(keys, ("one", "two"), strict=True)]
    board = build(run(tmp_path, *listed), store)
    assert board.nodes == ("a" * 12, "b" * 12)
    assert not any("runtime" in row.entry.values or row.ranked for row in board.rows)
    alone = build(run(tmp_path, listed[0]), store)
    assert alone.nodes == ()
    assert alone.rows[0].entry.values["runtime"] == pytest.approx(0.01)


def test_what_a_manifest_declares_is_on_the_board(tmp_path: Path, store: Store) -> None:
    figures = dataclasses.replace(a_round(0.01, 0.02, peak=5), compile_s=12.5)
    jobs = saved(store, "mine", {("round", 0): figures})
    listed = an_entry(jobs, precision="bf16", channels_last=True, compile=True)
    (row,) = build(run(tmp_path, listed), store).rows
    assert (row.entry.precision, row.entry.values["compile"]) == ("bf16", 12.5)
    assert {"channels_last", "compile"} <= set(row.entry.badges)
    half = dataclasses.replace(figures, precision="fp16")
    found = an_entry(saved(store, "found", {("round", 0): half}), id="found")
    assert build(run(tmp_path, found), store).rows[0].entry.precision == "fp16"
    (plain,) = build(run(tmp_path, an_entry(jobs)), store).rows
    assert not {"channels_last", "compile"} & set(plain.entry.badges)


def test_a_record_that_is_torn_counts_for_nothing_and_is_named(
    tmp_path: Path, store: Store
) -> None:
    jobs = saved(store, "mine", {("round", 0): a_round(1.0, 2.0, peak=3)})
    path = next((store.folder / "mine").iterdir())
    path.write_text("{", encoding="utf-8")
    board = build(run(tmp_path, an_entry(jobs)), store)
    assert board.rows[0].entry.values == {}
    (note,) = [it for it in board.notes if it.startswith("Records of")]
    assert note.startswith("Records of mine are torn, or of another version")


def test_a_run_that_lists_an_entry_twice_is_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="entries stand twice: mine"):
        run(tmp_path, an_entry(()), an_entry(()))


@pytest.mark.parametrize(("make", "kind"), [(os.mkdir, "a folder"), (os.mkfifo, "a pipe")])
def test_a_run_file_that_can_not_be_opened_says_so_and_is_not_waited_for(
    tmp_path: Path, make: Callable[[Path], None], kind: str
) -> None:
    make(tmp_path / "run.json")
    with pytest.raises(BadInput, match=rf"run\.json can't be read: it is {kind}"):
        load_run(tmp_path)


@pytest.mark.parametrize("name", ["", ".", "..", "../other", "a/b", "a\0", "x" * 129])
def test_a_listed_name_leads_to_no_other_folder(name: str) -> None:
    with pytest.raises(ValueError, match="id must be the name of a file"):
        ListedEntry(name, "Team", "Title", "entry")
    with pytest.raises(ValueError, match="key must be the name of a file"):
        JobKey("round", 0, name)


@pytest.mark.parametrize("number", [-1, 10**6, 10**400])
def test_a_round_has_a_number_that_a_file_name_can_hold(number: int) -> None:
    with pytest.raises(ValueError, match="round must be 0 to 999999"):
        JobKey("round", number, "a" * 64)


def test_audits_of_all_rounds_and_the_floor_of_the_counts_are_the_entrys(
    tmp_path: Path, store: Store
) -> None:
    # 2 x 256 pixels of 1000 / (32 x 32) multiply-adds in 3 s, for which the best needs 50 s
    slow = Calibration({"fp32": 10.0}, 1e12)
    rounds = [a_round(1.0, 2.0, peak=1), a_round(1.0, 2.0, peak=1)]
    first = dataclasses.replace(rounds[0], audits=(Audit("clock", "ok", "1 ms"),))
    second = dataclasses.replace(
        rounds[1], audits=(Audit("clock", "suspect", "9 ms"),), yardstick=slow
    )
    outcomes: dict[tuple[JobKind, int], Outcome] = {
        ("count", 0): CountFigures(COUNTS),
        ("round", 0): first,
        ("round", 1): second,
    }
    (row,) = build(run(tmp_path, an_entry(saved(store, "mine", outcomes))), store).rows
    assert [(it.id, it.verdict) for it in row.entry.audits] == [
        ("clock", "suspect"),
        ("floor", "rejected"),
    ]
    assert not row.ranked
    assert row.reason.startswith("rejected by the audit of floor: ")


def a_run_of_three(place: Path, store: Store) -> Path:
    """The folder of a run of three entries, each with one round: 10, 20 and 30 ms."""
    listed = tuple(
        an_entry(
            saved(store, name, {("round", 0): a_round(seconds, seconds, peak=1)}),
            id=name,
            published=(PublishedFigures("paper", macs_g=1.5),),
        )
        for name, seconds in (("a", 0.01), ("b", 0.02), ("c", 0.03))
    )
    save_run(place, run(place, *listed))
    return place / "run.json"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"macs_g": 1.5', '"macs_g": 1e300', "macs_g must be 0 to 1e+09, got 1e+300"),
        ('"macs_g": 1.5', '"macs_g": -1.5', "macs_g must be 0 to 1e+09, got -1.5"),
        ('"macs_g": 1.5', '"macs_g": 1e999', "macs_g: Input should be a finite number, got inf"),
        ('"macs_g": 1.5', '"macs_g": NaN', "macs_g: Input should be a finite number, got nan"),
        ('"source": "paper"', '"source": ""', "source must not be empty"),
        ('"precision": "fp32"', '"precision": "int8"', "precision: Input should be 'fp32'"),
        ('"jobs": [', '"colour": 1, "jobs": [', "colour: is no known field"),
    ],
)
def test_an_entry_of_a_run_that_can_not_be_read_is_a_row_that_says_so(
    tmp_path: Path, store: Store, old: str, new: str, why: str
) -> None:
    path = a_run_of_three(tmp_path, store)
    before = build(load_run(tmp_path), store)
    head, middle, tail = path.read_text("utf-8").split('"id": "')[-3:]
    start = path.read_text("utf-8").removesuffix('"id": "'.join((head, middle, tail)))
    assert middle.count(old) == 1
    bent = '"id": "'.join((head, middle.replace(old, new), tail))
    path.write_text(start + bent, "utf-8")
    board = build(load_run(tmp_path), store)
    rows = {row.entry.id: row for row in board.rows}
    assert [row.entry.status for row in board.rows] == ["ok", "ok", "failed"]
    assert rows["b"].entry.team == "Team"
    assert rows["b"].entry.reason.startswith("board: its part of run.json: ")
    assert why in rows["b"].entry.reason
    assert (rows["a"].ranks, rows["c"].ranks) == ({"runtime": 1}, {"runtime": 2})
    was = {row.entry.id: row for row in before.rows}
    assert [rows[name].entry for name in "ac"] == [was[name].entry for name in "ac"]


def test_a_run_in_which_more_than_an_entry_is_wrong_is_no_run(tmp_path: Path, store: Store) -> None:
    path = a_run_of_three(tmp_path, store)
    text = path.read_text("utf-8")
    for wrong in (
        text.replace('"scale": 4', '"scale": 5').replace("1.5", "1e300"),
        text.replace('"id": "b"', '"id": 1'),
        text.replace('"id": "b"', '"id": "../b"'),
        text.replace('"team": "Team"', '"members": "Team"'),
    ):
        path.write_text(wrong, "utf-8")
        with pytest.raises(BadInput, match="faults\\): run again"):
            load_run(tmp_path)


@pytest.mark.parametrize(
    ("bent", "why"),
    [
        ({"params": 10**400}, "OverflowError: int too large to convert to float"),
        ({"scores": SCORES * 2}, "Set5/baby is scored twice"),
        ({"samples": (Sample("Set5", "baby", 0, 16, 16, 0.0, 0.0),)}, "math domain error"),
    ],
)
def test_records_that_make_no_row_take_no_other_one_along(
    tmp_path: Path, store: Store, bent: dict[str, Any], why: str
) -> None:
    right = a_round(0.01, 0.01, peak=1)
    odd = dataclasses.replace(right, **bent)
    listed = [
        an_entry(saved(store, name, {("round", 0): figures}), id=name)
        for name, figures in (("a", right), ("b", odd), ("c", a_round(0.02, 0.02, peak=1)))
    ]
    rows = {row.entry.id: row for row in build(run(tmp_path, *listed), store).rows}
    assert why in rows["b"].entry.reason, rows["b"].entry
    assert rows["b"].entry.reason.startswith("board: this row can't be drawn: ")
    assert (rows["a"].ranks, rows["c"].ranks) == ({"runtime": 1}, {"runtime": 2})


def test_a_runtime_of_onnxruntime_is_a_column_of_its_own_and_compared_with_none(
    tmp_path: Path, store: Store
) -> None:
    """By the first rules all rank by PSNR; by the second one by runtime, which it has not."""
    of_torch = a_round(0.010, 0.030, peak=500)
    theirs = dataclasses.replace(a_round(0.001, 0.003, peak=500), runtime="onnxruntime")
    listed = [
        an_entry(
            saved(store, name, {("count", 0): CountFigures(COUNTS), ("round", 0): figures}), id=name
        )
        for name, figures in (("mine", of_torch), ("theirs", theirs))
    ]
    made = run(tmp_path, *listed)
    board = build(made, store)
    rows = {row.entry.id: row for row in board.rows}
    assert [it.metric for it in board.challenge.columns][1:3] == ["runtime", "runtime_onnx"]
    values = rows["theirs"].entry.values
    assert "runtime" not in values
    assert values["runtime_onnx"] == values["runtime_onnx:Set5"] == pytest.approx(0.002)
    assert rows["theirs"].entry.badges == (EntryBadge.ONNXRUNTIME,)
    assert [row.ranked for row in rows.values()] == [True, True]
    assert "runtime" not in rows["theirs"].ranks
    by_runtime = dataclasses.replace(
        made.challenge, tracks=(Track("main", "Runtime", "order", (Term("runtime"),)),)
    )
    rows = {row.entry.id: row for row in build(made, store, by_runtime).rows}
    assert rows["mine"].standings["main"].rank == 1
    assert (
        rows["theirs"].reason == "run by onnxruntime, whose runtime is no comparison with torch's"
    )
