from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fakes import audited
from fakes.challenges import write_challenge
from fakes.entries import write_entry

from harness.board.store import Store
from harness.core.audit import Audit
from harness.core.challenge import Term
from harness.core.outcome import BadInput, failed
from harness.core.progress import SILENT
from harness.core.record import Environment, ImageScore, Phases, Record, RoundFigures, Sample
from harness.core.run import JobKey, Run
from harness.entries import catalogue
from harness.measure import loads
from harness.measure.jobs import Job, JobResult
from harness.measure.loads import Contender
from harness.measure.local_executor import LocalExecutor
from harness.rules import rulebook
from harness.usecases.evaluate import (
    RunRequest,
    _contender,
    _measured,
    _remarks,
    read_challenge,
    read_rules,
)
from harness.usecases.run_rounds import Rows, _thorough_round, sharers

ENV = Environment("here", {})


def test_a_challenge_to_be_run_names_datasets_and_references_that_are_known(
    tmp_path: Path,
) -> None:
    path = write_challenge(tmp_path / "tiny.toml", audits=True)
    text = path.read_text("utf-8")
    text = text.replace("references = []", 'references = ["rlfn_x2", "ghost"]')
    path.write_text(text.replace('[{ name = "Set5"', '[{ name = "Set6"').replace(":Set5", ":Set6"))
    with pytest.raises(BadInput) as caught:
        read_challenge(RunRequest(challenge=str(path)))
    dataset, scale, ghost = str(caught.value).splitlines()
    assert "datasets.0: no dataset 'Set6'; known are sample_valid, " in dataset
    assert scale.endswith("references.0: rlfn_x2 is x2, the challenge x4")
    assert "references.1: no reference model 'ghost'; known are " in ghost


@pytest.mark.parametrize("name", rulebook.names())
def test_every_bundled_challenge_can_be_run_here(name: str) -> None:
    assert read_rules(name).id == name


def test_a_graph_that_is_run_in_one_way_is_measured_once_and_code_each_time() -> None:
    def job(entry: str, form: str, key: str) -> Any:
        return SimpleNamespace(entry=entry, load=SimpleNamespace(form=form), key=key)

    executor: Any = SimpleNamespace(key=lambda it: it.key)
    planned = tuple(
        (job(name, form, key), job(name, form, f"{key} round"))
        for name, form, key in (
            ("acme", "graph", "a"),
            ("code", "entry", "c"),
            ("copy", "graph", "a"),
            ("same_code", "entry", "c"),
            ("tiled", "graph", "b"),
        )
    )
    assert sharers(executor, planned) == {
        "acme": ["copy"],
        "code": [],
        "same_code": [],
        "tiled": [],
    }


class Known:
    """The records of a run that is gone on with: rounds that are there, by whether each was
    thorough.
    """

    executor = SimpleNamespace(key=lambda job: job)

    def __init__(self, **rounds: bool) -> None:
        self._rounds = {int(name[1:]): thorough for name, thorough in rounds.items()}

    def known(self, _entry: str, key: SimpleNamespace) -> SimpleNamespace | None:
        if key.round not in self._rounds:
            return None
        audits = (Audit("precision", "ok", ""),) if self._rounds[key.round] else ()
        figures = RoundFigures(7, 0.1, (), (), None, Phases(), audits=audits)
        return SimpleNamespace(outcome=figures)


def _drawn(known: Known, rounds: int = 3) -> set[int | None]:
    timed = [SimpleNamespace(entry="a", round=number) for number in range(rounds)]
    return {_thorough_round(cast("Any", known), cast("Any", timed)) for _ in range(200)}


def test_any_round_may_be_the_one_that_is_looked_at_closely_and_one_is() -> None:
    assert _drawn(Known()) == {0, 1, 2}
    assert _drawn(Known(), rounds=1) == {0}


def test_a_run_that_goes_on_looks_closely_once_in_all() -> None:
    assert _drawn(Known(r0=False)) == {1, 2}
    assert _drawn(Known(r0=True)) == {None}
    assert _drawn(Known(r0=False, r1=False, r2=False)) == {None}  # of records from before


class Blocks:
    """An executor whose blocks hold `most` entries; those that are told to fail."""

    def __init__(self, most: int, fails: str = "") -> None:
        self.most, self.fails = most, fails
        self.asked: list[list[str]] = []

    def key(self, job: Any) -> JobKey:
        return JobKey(job.kind, job.round, f"{job.entry}-{job.round}")

    def run_block(self, jobs: list[Job], base: str) -> dict[str, JobResult]:
        named = sorted(jobs, key=lambda job: job.entry != base)[: self.most]
        self.asked.append([it.entry for it in named])
        return {
            it.entry: JobResult(
                failed("forward", "crash", "no")
                if it.entry == self.fails
                else RoundFigures(7, 0.1, (), (), None, Phases()),
                Environment("here", {}),
            )
            for it in named
        }


def _rows(executor: Blocks, records: dict[str, Record] | None = None) -> tuple[Rows, list[str]]:
    saved: list[str] = []
    known = records if records is not None else {}

    def save(entry: str, key: JobKey, result: JobResult) -> Record:
        saved.append(key.key)
        return Record(key.key, entry, "tiny", "round", key.round, "s", "", ENV, result.outcome)

    context = SimpleNamespace(
        executor=executor,
        base="base",
        known=lambda _, key: known.get(key.key),
        save=save,
        share=lambda _: None,
        progress=SILENT,
    )
    return Rows(cast("Any", context)), saved


def _jobs(number: int, *names: str) -> list[Job]:
    task = audited.task()
    return [
        Job(
            *(name, "round", number, task.load, "e", "w", task.protocol, (8, 8), "ntire", "d"),
            log=Path("x.log"),
        )
        for name in names
    ]


def test_a_round_takes_as_many_blocks_as_there_is_no_room_for_with_the_base_in_each() -> None:
    executor = Blocks(most=3)
    rows, saved = _rows(executor)
    rows.measure(_jobs(0, "a", "b", "base", "c", "d", "e"))
    assert executor.asked == [["base", "a", "b"], ["base", "c", "d"], ["base", "e"]]
    assert sorted(saved) == ["a-0", "b-0", "base-0", "c-0", "d-0", "e-0"]


def test_the_base_is_timed_beside_a_newcomer_and_its_own_record_stays() -> None:
    known = Record(
        *("base-0", "base", "tiny", "round", 0, "earlier", "", ENV),
        RoundFigures(7, 0.1, (), (), None, Phases()),
    )
    executor = Blocks(most=9)
    rows, saved = _rows(executor, {"base-0": known})
    rows.measure(_jobs(0, "base", "newcomer"))
    assert executor.asked == [["base", "newcomer"]]
    assert saved == ["newcomer-0"]
    rows.measure(_jobs(0, "base"))
    assert executor.asked == [["base", "newcomer"]]


@pytest.mark.parametrize("fails", ["a", "base"])
def test_who_failed_is_in_no_later_block(fails: str) -> None:
    executor = Blocks(most=9, fails=fails)
    rows, _ = _rows(executor)
    rows.measure(_jobs(0, "a", "base", "c"))
    rows.measure(_jobs(1, "a", "base", "c"))
    assert executor.asked[0] == ["base", "a", "c"]
    assert executor.asked[1] == [it for it in executor.asked[0] if it != fails]


class Noisy:
    """An executor whose entries take `seconds`, each round, with noise by its number."""

    progress = SILENT
    images = SimpleNamespace(digest="data")
    scorer = SimpleNamespace(has_truth=False)
    keeper = None

    def __init__(self, **seconds: float) -> None:
        self.seconds = seconds
        self.rounds = 0

    def key(self, job: Any) -> JobKey:
        return job.key(ENV)  # type: ignore[no-any-return]

    def count(self, _: Job) -> JobResult:
        return JobResult(failed("count", "crash", "no"), ENV)

    def run_block(self, jobs: list[Job], base: str) -> dict[str, JobResult]:
        assert base == ""
        self.rounds += 1
        found = {}
        for at, job in enumerate(sorted(jobs, key=lambda it: it.entry)):
            noise = 1.0 + 0.02 * (-1) ** (job.round + at)
            samples = (Sample("Set5", "baby", 0, 8, 8, noise * self.seconds[job.entry], 1.0),)
            scores = (ImageScore("Set5", "baby", "d", psnr_db=30.0),)
            figures = RoundFigures(12, 0.1, samples, scores, None, Phases(), block=f"{job.round}")
            found[job.entry] = JobResult(figures, ENV)
        return found


def _rounds_with(tmp_path: Path, budget_s: float | None, **seconds: float) -> tuple[int, int]:
    """How many rounds were taken, and how many the run tells of."""
    challenge = rulebook.read(str(write_challenge(tmp_path / "tiny.toml", rounds=2, audits=True)))
    tracks = (replace(challenge.tracks[0], terms=(Term("runtime"),)),)
    columns = tuple(it for it in challenge.columns if it.metric == "runtime")
    challenge = replace(challenge, rank_untrained=True, tracks=tracks, columns=columns)
    contenders = tuple(
        loads.contender(it, challenge.protocol)
        for name in seconds
        for it in catalogue.read_folder(write_entry(tmp_path / name))
    )
    run = Run("s", "2026-01-01T00:00:00", challenge, (), ENV)
    executor, store = Noisy(**seconds), Store(tmp_path / "reports" / "records")
    request = RunRequest(budget_s=budget_s)
    run = _measured(request, run, contenders, cast("LocalExecutor", executor), store)
    return executor.rounds, run.challenge.protocol.rounds


def test_a_challenges_reference_goes_without_absent_weights_unless_it_was_named(
    tmp_path: Path,
) -> None:
    challenge = rulebook.read("sample")
    (reference,) = catalogue.references(["rfdn_x4"])
    asked = RunRequest(weights="official", weights_dir=tmp_path)
    ready = _contender(reference, challenge, asked)
    assert isinstance(ready, Contender)
    asked = replace(asked, entries=("mine",))
    (line,) = _remarks(asked, challenge, (ready,))
    assert "`esr weights fetch rfdn_x4` brings them" in line
    by_quality = (Term("psnr:sample_valid", per=0.1),)
    track = replace(challenge.tracks[0], kind="weighted_exp", terms=by_quality)
    year = replace(challenge, baseline="rfdn_x4", tracks=(track,))
    _, line = _remarks(asked, year, (ready,))
    assert line == "rfdn_x4 is the baseline: without its weights no row has a score"
    for name in ("rfdn", "rfdn_x4", "reference_models/rfdn", "rfdn:rfdn_x4"):
        with pytest.raises(BadInput, match=r"RFDN_AIM\.pth is not in"):
            _contender(reference, challenge, replace(asked, entries=(name,)))
    (stranger,) = catalogue.references(["rlfn_x4"])
    with pytest.raises(BadInput, match=r"rlfn_x4\.pth is not in"):
        _contender(stranger, challenge, asked)


def test_a_folder_without_submissions_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert [*_remarks(RunRequest(), rulebook.read("sample"), ())] == [
        "No entry is in ./submissions: the references alone are measured"
    ]
    write_entry(tmp_path / "submissions" / "mine")
    assert [*_remarks(RunRequest(), rulebook.read("sample"), ())] == []


def test_without_a_budget_there_are_as_many_rounds_as_were_asked_for(tmp_path: Path) -> None:
    assert _rounds_with(tmp_path, None, one=0.0100, other=0.0101) == (2, 2)


def test_a_budget_adds_rounds_until_ranks_are_apart(tmp_path: Path) -> None:
    taken, told = _rounds_with(tmp_path, 300.0, one=0.0100, other=0.0110)
    assert 2 < taken == told < 20


def test_a_budget_adds_none_where_ranks_are_apart(tmp_path: Path) -> None:
    assert _rounds_with(tmp_path, 300.0, one=0.01, other=0.04) == (2, 2)


def test_a_budget_ends_when_a_round_would_not_fit(tmp_path: Path) -> None:
    assert _rounds_with(tmp_path, 1e-9, one=0.01, other=0.01) == (2, 2)
