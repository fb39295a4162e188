"""The use case with fake workers: what is asked, judged, kept and refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes.entries import CONV, write_entry
from fakes.sides import World

from harness.gate import Checked, Costs, Exit, Gate, Settings, exit_code
from harness.pipeline import bench, stored
from harness.pipeline import check as use_case
from harness.pipeline.bench import CheckRequest
from harness.pipeline.check import check
from harness.pipeline.plan import BadInput
from harness.pipeline.trial import SideCosts

SETTINGS = Settings(budget_s=30.0)
RUNTIME = (Gate("runtime", "percent", 5.0),)
MIB = 2**20
Run = Callable[..., tuple[Checked, ...]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Checks entries of tmp_path on a fake world, each entry of `worlds` in turn."""
    monkeypatch.chdir(tmp_path)
    known = SideCosts(Costs({"params": 7.0, "psnr": 30.0}, ("a",)), ())
    monkeypatch.setattr(use_case, "costs", lambda loads, *_, **__: dict.fromkeys(loads, known))

    def checked(*names: str, worlds: list[World], **changes: Any) -> tuple[Checked, ...]:
        queue = list(worlds)

        def opened(_tasks: object, _images: object) -> World:
            world = queue.pop(0)
            clock = SimpleNamespace(monotonic=lambda: world.now, sleep=world.take)
            monkeypatch.setattr(bench, "time", clock)
            return world

        monkeypatch.setattr(bench, "WorkerBench", opened)
        fields: dict[str, Any] = {
            "against": "base",
            "settings": SETTINGS,
            "gates": RUNTIME,
            "size": (16, 16),
            "threads": 1,
            "logs": tmp_path / "logs",
        }
        return check(CheckRequest(candidates=names, **(fields | changes)))

    for name in ("base", "acme", "other"):
        write_entry(tmp_path / name, CONV)
    return checked


def test_a_slower_candidate_is_a_regression(run: Run) -> None:
    (found,) = run("acme", worlds=[World(slowdown=0.2, forward_sd=0.01)])
    assert found.verdict is not None
    assert (found.verdict.word, found.status) == ("SLOWER", "regression")
    assert found.verdict.ratio == pytest.approx(1.2, rel=0.02)
    assert found.seconds["candidate"] == pytest.approx(0.024, rel=0.02)
    assert found.first_call_s == dict.fromkeys(("baseline", "again", "candidate"), 2.0)
    assert exit_code([found], inconclusive="fail") == Exit.REGRESSION


def test_the_gates_limit_is_the_smallest_effect_that_matters(run: Run) -> None:
    world = World(slowdown=0.2, forward_sd=0.01)
    (found,) = run("acme", worlds=[world], gates=(Gate("runtime", "percent", 30.0),))
    assert found.verdict is not None
    assert found.verdict.word == "SAME"


@pytest.mark.parametrize(("candidate", "status"), [(120, "regression"), (105, "pass")])
def test_memory_is_compared_over_processes(run: Run, candidate: int, status: str) -> None:
    peaks: Any = {"baseline": 100 * MIB, "again": 100 * MIB, "candidate": candidate * MIB}
    (found,) = run("acme", worlds=[World(peaks=peaks)], gates=(Gate("memory", "percent", 10.0),))
    assert (found.status, found.verdict) == (status, None)
    assert found.findings[0].candidate == candidate * MIB


def test_gates_without_noise_need_no_processes(run: Run) -> None:
    (found,) = run("acme", worlds=[], gates=(Gate("params", "exact"),))
    assert (found.status, found.sampling.blocks) == ("pass", ())


def test_a_side_that_dies_could_not_be_measured(run: Run) -> None:
    (found,) = run("acme", worlds=[World(dies_at={"again": 5})])
    assert found.status == "not_measured"
    assert found.failure == "the baseline's second process: the process was ended by SIGKILL"


def test_a_drift_is_told(run: Run) -> None:
    drifting = World(drift={"candidate": 0.02}, forward_sd=0.01)
    (found,) = run("acme", worlds=[drifting])
    assert any(note.startswith("the candidate changes while it runs") for note in found.notes)


def test_a_bad_entry_stops_no_other_one(run: Run, tmp_path: Path) -> None:
    (tmp_path / "acme" / "submission.toml").write_text("scale = 4", encoding="utf-8")
    bad, good = run("acme", "other", worlds=[World()])
    assert (bad.status, good.status) == ("bad_input", "pass")
    assert "team" in bad.failure


def test_a_candidate_of_another_scale_than_the_baseline_is_bad_input(
    run: Run, tmp_path: Path
) -> None:
    write_entry(tmp_path / "double", CONV, scale="2")
    with pytest.raises(BadInput, match="double is x2, the baseline base is x4"):
        run("double", worlds=[])
    bad, good = run("double", "acme", worlds=[World()])
    assert (bad.status, good.status) == ("bad_input", "pass")


def test_several_entries_are_corrected_together(run: Run) -> None:
    worlds = [World(slowdown=0.5, forward_sd=0.01), World()]
    slow, same = run("acme", "other", worlds=worlds)
    assert slow.verdict is not None
    assert same.verdict is not None
    assert (slow.verdict.word, same.verdict.word) == ("SLOWER", "SAME")


def test_a_stored_baseline_is_kept_and_compared_by_ratio(run: Run, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    # 1.5 times the reference then
    run(
        "acme",
        worlds=[World(slowdown=0.5, forward_sd=0.01)],
        against="rlfn_ntire_x4",
        save=kept,
    )
    record = stored.load(kept)
    assert (record.entry, record.reference, record.peaks) == ("acme", "rlfn_ntire_x4", ())
    # 1.5 times the reference of now: the same
    again = World(slowdown=0.5, forward_sd=0.01, seed=1)
    (same,) = run("acme", worlds=[again], against=str(kept))
    assert same.verdict is not None
    assert (same.verdict.word, same.baseline) == ("SAME", "acme in kept.json")
    (slower,) = run("acme", worlds=[World(slowdown=0.8, forward_sd=0.01)], against=str(kept))
    assert slower.verdict is not None
    assert (slower.verdict.word, slower.verdict.ratio) == ("SLOWER", pytest.approx(1.2, rel=0.02))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"environment": {"cpu": "another"}}, "cpu is .*, it was another"),
        ({"inputs": stored.Inputs(4, 32, 32, 2, 0)}, "measured with other inputs"),
        ({"reference_digest": "changed"}, "rlfn_ntire_x4 has changed since"),
    ],
)
def test_a_stored_baseline_of_something_else_is_refused(
    run: Run, tmp_path: Path, change: dict[str, Any], fault: str
) -> None:
    kept = tmp_path / "kept.json"
    run("acme", worlds=[World()], against="rlfn_ntire_x4", save=kept)
    stored.save(kept, replace(stored.load(kept), **change))
    with pytest.raises(BadInput, match=fault):
        run("acme", worlds=[], against=str(kept))


def test_only_the_ratios_of_one_entry_to_a_reference_are_kept(run: Run, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    with pytest.raises(BadInput, match="name one with --against"):
        run("acme", worlds=[], save=kept)
    with pytest.raises(BadInput, match="keeps one entry's baseline, not 2"):
        run("acme", "other", worlds=[], save=kept, against="rlfn_ntire_x4")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"size": (4, 4)}, "inputs must be 16 to 1024"),
        ({"against": "git:"}, "needs a revision"),
        ({"against": "none.json"}, "can't be read"),
    ],
)
def test_what_can_not_be_asked_is_bad_input(run: Run, changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        run("acme", worlds=[], **changes)


def test_a_complexity_input_that_is_none_is_bad_input() -> None:
    request = CheckRequest(("mine",), "base", complexity=(0, 8))
    with pytest.raises(BadInput, match="complexity must be at least 1 by 1"):
        check(request)
