"""The use case with fake workers: what is asked, judged, kept and refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes.entries import CONV, write_entry
from fakes.repositories import git, repository
from fakes.sides import World

from harness.core.outcome import BadInput
from harness.gate import entry_check, measured_form, stored_baseline
from harness.gate import pair as bench
from harness.gate.costs import SideCosts
from harness.gate.gates import DEFAULTS, Costs, Gate
from harness.gate.pair import CheckRequest
from harness.gate.result import Checked, CheckExit, exit_code
from harness.gate.settings import CheckSettings
from harness.measure.loads import CaptureOutcome, Contender
from harness.rules import rulebook
from harness.sandbox.confinement import NoConfinement
from harness.sandbox.isolation import Isolation
from harness.usecases.check import check

SETTINGS = CheckSettings(budget_s=30.0)
RUNTIME = (Gate("runtime", "percent", 5.0),)
MIB = 2**20
Run = Callable[..., tuple[Checked, ...]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Checks entries of tmp_path on a fake world, each entry of `worlds` in turn."""
    monkeypatch.chdir(tmp_path)
    known = SideCosts(Costs({"params": 7.0, "psnr": 30.0}, ("a",)), ())
    monkeypatch.setattr(entry_check, "costs", lambda loads, *_, **__: dict.fromkeys(loads, known))

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
            "sandbox": "none",
            "capture": "off",
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
    assert exit_code([found], inconclusive="fail") == CheckExit.REGRESSION


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


def test_how_workers_were_isolated_is_told(run: Run) -> None:
    (found,) = run("acme", worlds=[World()])
    assert found.isolation == "none"
    assert found.notes[0].startswith("The entries were not isolated")


def test_every_worker_of_a_check_is_confined_as_asked(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Box(NoConfinement):
        name = "box"

    box, confined = Box(), []
    asked: list[object] = []

    def chosen(mode: str, *, gpu: bool, hidden: tuple[Path, ...]) -> Isolation:
        asked.append((mode, gpu, *hidden))
        return Isolation(box)

    real = entry_check.sampled

    def sampled(request: Any, pair: Any, *rest: Any, **more: Any) -> Any:
        confined.append(pair.confinement)
        return real(request, pair, *rest, **more)

    def costs(loads: Any, *_: object, confinement: object, **__: object) -> Any:
        confined.append(confinement)
        return dict.fromkeys(loads, SideCosts(Costs({"params": 7.0}), ()))

    monkeypatch.setattr(bench, "choose", chosen)
    monkeypatch.setattr(entry_check, "sampled", sampled)
    monkeypatch.setattr(entry_check, "costs", costs)
    kept = tmp_path / "kept.json"
    (found,) = run("acme", worlds=[World()], against="rlfn_ntire_x4", save=kept, sandbox="require")
    assert (found.isolation, len(found.notes)) == ("box", 1)
    assert found.notes[0].startswith(f"kept in {kept}: ")
    assert confined == [box, box]
    assert set(asked) == {("require", False, tmp_path / "logs")}
    # ratios of workers in a sandbox are not held against those of workers without one
    assert stored_baseline.load(kept).environment["isolation"] == "box"


def test_a_sandbox_that_is_required_and_missing_is_bad_input(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.sandbox.isolation.why_not", lambda *, gpu: f"none{gpu}")
    with pytest.raises(BadInput, match="--sandbox require: noneFalse"):
        run("acme", worlds=[], sandbox="require")


def test_a_gpu_that_is_not_there_is_bad_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.machine.nvml, "stable", dict)
    with pytest.raises(BadInput, match="no NVIDIA GPU found"):
        run("acme", worlds=[], device="cuda")


def test_official_weights_that_a_candidate_lacks_stop_no_other_one(
    run: Run, tmp_path: Path
) -> None:
    manifest = tmp_path / "acme" / "submission.toml"
    official = '\n[official]\nfile = "a.pth"\nsha256 = "%s"\nurl = "https://a.org/a.pth"\n'
    with manifest.open("a", encoding="utf-8") as file:
        file.write(official % ("0" * 64) + 'licence = "MIT"\n')
    changes: Any = {"weights": "official", "weights_dir": tmp_path / "nowhere"}
    bad, good = run("acme", "other", worlds=[World()], **changes)
    assert (bad.status, good.status) == ("bad_input", "pass")
    assert "a.pth is not in" in bad.failure


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


def test_a_baseline_that_nobody_has_is_bad_input_for_several_entries_too(run: Run) -> None:
    with pytest.raises(BadInput, match=r"nobody: neither a folder with submission\.toml nor a"):
        run("acme", "other", worlds=[], against="nobody")


@pytest.fixture
def revisions(tmp_path: Path, run: Run) -> Run:
    """`run`, where `acme` alone is in the repository's only commit."""
    repository(tmp_path)
    git(tmp_path, "add", "acme")
    git(tmp_path, "commit", "-qm", "first")
    git(tmp_path, "add", ".")  # as of a pull request, whose entries git knows
    return run


def test_a_new_entry_stops_no_known_one_and_shows_its_figures(
    revisions: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, new = revisions("acme", "other", worlds=[World()], against="git:main", gates=DEFAULTS)
    assert (known.status, new.status) == ("not_measured", "new")  # the fake counts no MACs
    assert new.verdict is None
    assert {it.metric: it.candidate for it in new.findings if it.candidate} == {
        "params": 7.0,
        "psnr": 30.0,
    }
    assert new.notes[-1].startswith("new entry: other is not in revision main; if it had another")
    assert exit_code([new], inconclusive="fail") == CheckExit.PASS
    monkeypatch.setattr(entry_check, "costs", lambda loads, *_, **__: dict.fromkeys(loads, "fell"))
    (broken,) = revisions("other", worlds=[], against="git:main")
    assert (broken.status, broken.failure) == ("not_measured", "the candidate: fell")


def test_a_new_entry_fails_where_it_is_to(revisions: Run) -> None:
    changes: Any = {"against": "git:main", "missing_baseline": "fail"}
    with pytest.raises(BadInput, match=r"other is not in revision main: name what it was called"):
        revisions("other", worlds=[], **changes)
    known, new = revisions("acme", "other", worlds=[World()], **changes)
    assert (known.status, new.status) == ("pass", "bad_input")


def test_a_new_entry_is_held_against_the_challenges_baseline_where_it_is_to(
    revisions: Run, tmp_path: Path
) -> None:
    changes: Any = {"against": "git:main", "missing_baseline": "reference"}
    (found,) = revisions("other", worlds=[World()], **changes)
    assert (found.status, found.baseline) == ("pass", "rlfn_ntire_x4")
    note = "other is not in revision main: held against rlfn_ntire_x4, the baseline of sample"
    assert note in found.notes
    (again,) = revisions("other", worlds=[World()], challenge="classic_x4", **changes)
    assert again.baseline == "rlfn_x4"
    year = (rulebook.BUNDLED / "ntire2026.toml").read_text(encoding="utf-8")
    rules = tmp_path / "elsewhere.toml"
    rules.write_text(year.replace('baseline = "span_x4"', 'baseline = "elsewhere"'))
    with pytest.raises(BadInput, match=r"elsewhere\.toml: elsewhere: neither a folder"):
        revisions("other", worlds=[], challenge=str(rules), **changes)
    write_entry(tmp_path / "double", CONV, scale="2")
    with pytest.raises(BadInput, match="double is x2, the baseline rlfn_ntire_x4 is x4"):
        revisions("double", worlds=[], **changes)


def test_all_that_changed_is_checked_and_nothing_is_no_fault(
    revisions: Run, tmp_path: Path
) -> None:
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "second")
    assert revisions("auto", worlds=[], against="git:main") == ()
    with (tmp_path / "acme" / "model.py").open("a", encoding="utf-8") as file:
        file.write("# a change\n")
    (found,) = revisions("auto", worlds=[World()], against="git:main")
    assert (found.entry, found.status) == ("acme", "pass")


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
    record = stored_baseline.load(kept)
    assert (record.entry, record.reference, record.peaks) == ("acme", "rlfn_ntire_x4", ())
    # 1.5 times the reference of now: the same
    again = World(slowdown=0.5, forward_sd=0.01, seed=1)
    (same,) = run("acme", worlds=[again], against=str(kept))
    assert same.verdict is not None
    assert (same.verdict.word, same.baseline) == ("SAME", "acme in kept.json")
    # beside it ran the reference: its time is none of the baseline's
    assert set(same.seconds) == set(same.first_call_s) == {"candidate"}
    (slower,) = run("acme", worlds=[World(slowdown=0.8, forward_sd=0.01)], against=str(kept))
    assert slower.verdict is not None
    assert (slower.verdict.word, slower.verdict.ratio) == ("SLOWER", pytest.approx(1.2, rel=0.02))


def _captured(side: Contender, capturing: Any, _images: object) -> Contender:
    load = replace(side.load, form="graph", weights=str(capturing.folder / side.entry.id))
    return replace(side, load=load, captured=CaptureOutcome(digest=side.entry.id))


def test_a_check_says_whether_graphs_or_code_were_measured(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(measured_form, "as_graph", _captured)
    (graphs,) = run("acme", worlds=[World()], capture="preferred")
    (code,) = run("acme", worlds=[World()])
    assert graphs.conditions is not None
    assert code.conditions is not None
    assert (graphs.conditions.form, code.conditions.form) == ("graph", "code")
    assert measured_form.AS_GRAPHS in graphs.notes
    kept = tmp_path / "kept.json"
    saving: Any = {"against": "rlfn_ntire_x4", "save": kept}
    run("acme", worlds=[World()], capture="preferred", **saving)
    assert stored_baseline.load(kept).form == "graph"
    with pytest.raises(BadInput, match="was measured as a graph: save it again"):
        run("acme", worlds=[], against=str(kept))
    run("acme", worlds=[World()], **saving)
    assert stored_baseline.load(kept).form == "code"


def test_a_graph_that_is_required_and_can_not_be_had_is_not_measured(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(side: Contender, _capturing: object, _images: object) -> Contender:
        return replace(side, captured=CaptureOutcome(as_code="it routes"))

    monkeypatch.setattr(measured_form, "as_graph", none)
    (found,) = run("acme", worlds=[], capture="required")
    assert (found.status, found.conditions) == ("not_measured", None)
    assert found.failure.startswith("the baseline could not be captured (it routes); the candidate")


def test_keeping_a_baseline_holds_the_entry_against_no_gate(run: Run, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    world = World(slowdown=0.5, forward_sd=0.01)
    gates = (*RUNTIME, Gate("params", "exact"))
    (found,) = run("acme", worlds=[world], against="rlfn_ntire_x4", save=kept, gates=gates)
    assert (found.status, found.verdict, found.findings) == ("pass", None, ())
    assert found.notes[-1].startswith(f"kept in {kept}: its counts (but for macs, activations, co")
    assert "a runtime of ×1.499 (1.493 to 1.505)" in found.notes[-1]
    # the whole budget, with nothing to confirm: later checks have its scatter beside theirs
    assert found.sampling.confirmed_from is None
    assert found.sampling.elapsed_s > 20.0
    assert found.conditions is not None
    assert found.conditions.settings.effect == 0.05
    assert "no gate was applied" in found.notes[-1]


@pytest.mark.parametrize(
    ("world", "budget_s", "why"),
    [
        (World(), 5.0, "1 of the 3 blocks"),
        (World(), 1.0, "spent before the first pair"),
        (World(again_slowdown=0.3, forward_sd=0.01), 30.0, "two processes of one model differ"),
    ],
)
def test_a_baseline_that_is_worth_nothing_is_not_kept(
    run: Run, tmp_path: Path, world: World, budget_s: float, why: str
) -> None:
    kept = tmp_path / "kept.json"
    asked = CheckSettings(budget_s=budget_s)
    (found,) = run("acme", worlds=[world], against="rlfn_ntire_x4", save=kept, settings=asked)
    assert found.status == "not_measured"
    assert found.failure.startswith(f"not kept in {kept}: ")
    assert why in found.failure
    assert not kept.exists()


def test_what_processes_told_of_themselves_is_told_once(run: Run) -> None:
    world = World(notes={"candidate": ("throttled (power): 2 forwards were taken again",)})
    (found,) = run("acme", worlds=[world])
    blocks = len(found.sampling.blocks)
    assert found.notes[-1] == (
        f"the candidate, {blocks} of {blocks} blocks, such as: "
        "throttled (power): 2 forwards were taken again"
    )


@pytest.mark.parametrize("threads", [0, -1])
def test_no_threads_are_bad_input(run: Run, threads: int) -> None:
    with pytest.raises(BadInput, match="threads must be at least 1"):
        run("acme", worlds=[], threads=threads)


def test_what_a_check_was_made_under_is_told(run: Run) -> None:
    gates = (Gate("runtime", "percent", 7.0), Gate("params", "exact", entry="other"))
    (found,) = run("acme", worlds=[World()], gates=gates)
    assert found.conditions is not None
    assert found.conditions.settings.effect == 0.07
    assert found.conditions.gates == gates[:1]
    assert found.conditions.inputs["size"] == (16, 16)
    assert found.conditions.environment["threads"] == "1"


def test_a_memory_gate_without_any_figure_says_so(run: Run) -> None:
    gates = (Gate("memory", "percent", 10.0),)
    (silent,) = run("acme", worlds=[World()], gates=gates)
    assert [(it.level, it.text) for it in silent.findings] == [
        ("pass", "could be had of neither side")
    ]
    peaks: Any = {"baseline": MIB, "again": MIB, "candidate": MIB}
    for lacks, side in (("candidate", "candidate"), ("baseline", "baseline")):
        known = {role: peak for role, peak in peaks.items() if role != lacks}
        (half,) = run("acme", worlds=[World(peaks=known)], gates=gates)
        assert half.status == "not_measured"
        assert half.findings[0].text == f"the {side}'s could not be had"
    late = World(peaks=peaks)
    (spent,) = run("acme", worlds=[late], gates=gates, settings=CheckSettings(budget_s=1.0))
    assert (spent.status, spent.findings[0].level) == ("inconclusive", "inconclusive")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"environment": {"cpu": "another"}}, "cpu is .*, it was another"),
        (
            {"inputs": stored_baseline.Inputs(4, (32, 32), 2, 0, (128, 128))},
            r"other inputs: size is \(16, 16\), it was \(32, 32\); complexity is \(256, 256\), it",
        ),
        ({"reference_digest": "changed"}, "rlfn_ntire_x4 has changed since"),
    ],
)
def test_a_stored_baseline_of_something_else_is_refused(
    run: Run, tmp_path: Path, change: dict[str, Any], fault: str
) -> None:
    kept = tmp_path / "kept.json"
    run("acme", worlds=[World()], against="rlfn_ntire_x4", save=kept)
    stored_baseline.save(kept, replace(stored_baseline.load(kept), **change))
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
    request = CheckRequest(("mine",), "base", device="cuda:0")
    with pytest.raises(BadInput, match="device must be one of cpu, cuda, got 'cuda:0'"):
        check(request)


@pytest.mark.parametrize(("device", "size"), [("cpu", (96, 96)), ("cuda", (256, 256))])
def test_inputs_are_as_large_as_suits_the_device(device: str, size: tuple[int, int]) -> None:
    request = CheckRequest(("mine",), "base", device=device)
    assert bench.inputs(request, 4).size == size
    assert bench.inputs(replace(request, size=(8, 24)), 4).size == (8, 24)
