from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.gate.gates import (
    DEFAULTS,
    Costs,
    Gate,
    GateFinding,
    exact_findings,
    gate_for,
    new_findings,
    noisy_finding,
    with_code,
)
from harness.gate.judgement import RuntimeVerdict
from harness.gate.result import Checked, CheckExit, exit_code

MIB = 2**20
BASE = Costs({"params": 1000.0, "macs": 2e9, "psnr": 30.0, "ssim": 0.9}, ("a", "b"))


def _one(gate: Gate, **figures: float) -> GateFinding:
    costs = Costs({**BASE.figures, **figures}, BASE.digests)  # type: ignore[dict-item]
    (found,) = exact_findings(BASE, costs, {gate.metric: gate})
    return found


@pytest.mark.parametrize(
    ("gate", "figures", "level"),
    [
        (Gate("params", "exact"), {"params": 1000.0}, "pass"),
        (Gate("params", "exact"), {"params": 999.0}, "pass"),
        (Gate("params", "exact"), {"params": 1001.0}, "regression"),
        (Gate("params", "percent", 1.0), {"params": 1010.0}, "pass"),
        (Gate("params", "percent", 1.0), {"params": 1011.0}, "regression"),
        (Gate("macs", "absolute", 5.0), {"macs": 2e9 + 5}, "pass"),
        (Gate("macs", "absolute", 5.0), {"macs": 2e9 + 6}, "regression"),
        (Gate("psnr", "absolute", 0.25), {"psnr": 29.75}, "pass"),
        (Gate("psnr", "absolute", 0.25), {"psnr": 29.5}, "quality"),
        (Gate("psnr", "absolute", 0.25), {"psnr": 35.0}, "pass"),
        (Gate("ssim", "exact"), {"ssim": 0.8999}, "quality"),
    ],
)
def test_a_gate_lets_a_figure_get_worse_by_its_limit_and_no_more(
    gate: Gate, figures: dict[str, float], level: str
) -> None:
    assert _one(gate, **figures).level == level


def test_a_figure_of_one_side_alone_is_not_measured_nor_is_a_count_that_neither_has() -> None:
    gates: Any = {"convs": Gate("convs", "exact")}
    (found,) = exact_findings(BASE, Costs({"convs": 3.0}), gates)
    assert (found.level, found.text) == ("absent", "the baseline's could not be had")
    (found,) = exact_findings(BASE, BASE, gates)
    assert (found.level, found.text.partition(";")[0]) == ("absent", "could be had of neither side")


MACS: Any = {"macs": Gate("macs", "exact")}
DISPUTED = "disputed: fvcore counted less"


@pytest.mark.parametrize(
    ("macs", "elementwise", "level"),
    [
        (1000.0, 10.0, "pass"),  # the affine part of a norm
        (1000.0, 11.0, "disputed"),
        (980.0, 30.0, "pass"),  # what was a convolution is spelled otherwise
        (980.0, 31.0, "disputed"),
        (1001.0, 0.0, "regression"),
    ],
)
def test_work_element_by_element_does_not_grow_in_silence(
    macs: float, elementwise: float, level: str
) -> None:
    base = Costs({"macs": 1000.0}, elementwise=0.0)
    (found,) = exact_findings(base, Costs({"macs": macs}, elementwise=elementwise), MACS)
    assert found.level == level
    (of_code,) = exact_findings(Costs({"macs": 1000.0}), Costs({"macs": 1000.0}), MACS)
    assert of_code.level == "pass"


def _counted(macs: float, *, doubt: str = "", settled: float | None = None) -> Costs:
    return Costs({"macs": macs}, (), doubt, {} if settled is None else {"macs": settled})


@pytest.mark.parametrize(
    ("baseline", "candidate", "level"),
    [
        # equal by a count that is disputed: what ran is 48 % more
        (_counted(100, settled=100), _counted(100, doubt=DISPUTED, settled=148), "regression"),
        (_counted(90, doubt=DISPUTED, settled=148), _counted(148, settled=148), "pass"),
        (
            _counted(90, doubt=DISPUTED, settled=148),
            _counted(91, doubt=DISPUTED, settled=148),
            "pass",
        ),
        # nobody knows what ran on one side: never a pass, however the figures stand
        (_counted(100, settled=100), _counted(100, doubt="incomplete: an operator"), "disputed"),
        (_counted(100, doubt="incomplete: an operator"), _counted(1, settled=1), "disputed"),
        (_counted(100, doubt="incomplete: x"), _counted(100, doubt="incomplete: x"), "disputed"),
    ],
)
def test_no_gate_passes_on_a_count_that_is_not_verified(
    baseline: Costs, candidate: Costs, level: str
) -> None:
    (found,) = exact_findings(baseline, candidate, MACS)
    assert found.level == level
    status = {"disputed": CheckExit.NOT_MEASURED, "regression": CheckExit.REGRESSION}
    one = Checked("acme", "base", None, (found,))
    # to let what is open pass is no way round it
    assert exit_code([one], inconclusive="pass") == status.get(level, CheckExit.PASS)
    if level == "disputed":
        assert 'a gate of kind "off"' in found.text
        assert "count is incomplete: " in found.text


def test_a_doubt_about_the_code_of_both_sides_is_none_of_a_change() -> None:
    graph = exact_findings(BASE, BASE, MACS)
    doubtful = Costs({"macs": 100.0}, doubt="incomplete: x")
    assert with_code(graph, doubtful, doubtful, MACS) == graph
    (found,) = with_code(graph, doubtful, replace(doubtful, figures={"macs": 101.0}), MACS)
    assert found.level == "regression"
    (found,) = with_code(graph, replace(doubtful, doubt=""), doubtful, MACS)
    assert found.level == "disputed"


def test_what_code_runs_for_nothing_is_a_regression_of_the_code() -> None:
    graph = exact_findings(BASE, BASE, {"macs": MACS["macs"], "params": Gate("params", "exact")})
    of_code: Any = (Costs({"macs": 100.0}), Costs({"macs": 148.0}))
    macs, params = sorted(with_code(graph, *of_code, MACS), key=lambda it: it.metric)
    assert (macs.level, params.level) == ("regression", "pass")
    assert macs.text.startswith("of what the code runs, beside its graph: +48 (+48.00 %)")
    assert with_code(graph, of_code[1], of_code[0], MACS) == graph
    (macs, _) = sorted(
        with_code(graph, Costs({"macs": 1.0}), Costs({"macs": 1.0}, doubt="not known: x"), MACS),
        key=lambda it: it.metric,
    )
    assert macs.level == "disputed"


def test_a_gate_that_is_off_is_none() -> None:
    gates = gate_for((*DEFAULTS, Gate("macs", "off", entry="acme")), "acme")
    assert "macs" not in gates
    assert "macs" in gate_for(DEFAULTS, "acme")
    assert Gate("runtime", "off").limit == 0.0


def test_a_new_entry_has_figures_and_passes_with_any() -> None:
    found = new_findings(BASE, gate_for(DEFAULTS, "acme"))
    assert {it.metric: it.candidate for it in found if it.candidate is not None} == BASE.figures
    assert {it.metric for it in found} == {gate.metric for gate in DEFAULTS} - {"memory"}
    assert {it.level for it in found} == {"new"}
    new = Checked("acme", "base", None, found)
    assert (new.status, exit_code([new], inconclusive="fail")) == ("new", CheckExit.PASS)


def test_the_digest_gate_is_about_every_output() -> None:
    gates: Any = {"digest": Gate("digest", "exact")}
    (found,) = exact_findings(BASE, Costs({}, ("a", "c")), gates)
    assert (found.level, found.text) == ("quality", "1 of 2 outputs are other pixels")
    (found,) = exact_findings(BASE, Costs({}, ("a", "b")), gates)
    assert found.level == "pass"


@pytest.mark.parametrize(
    ("old", "new", "interval", "level"),
    [
        (100 * MIB, 109 * MIB, (1.05, 1.12), "pass"),
        (100 * MIB, 120 * MIB, (1.15, 1.25), "regression"),
        (100 * MIB, 120 * MIB, (0.90, 1.50), "inconclusive"),
        (MIB // 2, MIB, (1.9, 2.1), "pass"),  # twice as much of nothing
    ],
)
def test_memory_needs_a_certain_and_a_large_increase(
    old: int, new: int, interval: tuple[float, float], level: str
) -> None:
    found = noisy_finding(Gate("memory", "percent", 10.0), [old] * 3, [new] * 3, interval)
    assert found.level == level


def test_an_increase_of_memory_and_its_interval_are_of_one_unit() -> None:
    gate, old, new = Gate("memory", "percent", 10.0), [100 * MIB] * 3, [124 * MIB] * 3
    found = noisy_finding(gate, old, new, (1.059, 1.463))
    assert found.text.startswith("+24.00 % (+5.9 % to +46.3 %), ")


def test_an_entrys_own_gate_stands_before_that_for_all_and_a_later_one_before_an_earlier() -> None:
    own, later = Gate("params", "percent", 2.0, entry="acme"), Gate("params", "percent", 3.0)
    gates = (own, *DEFAULTS, later)
    assert gate_for(gates, "acme")["params"] is own
    assert gate_for(gates, "other")["params"] is later
    assert gate_for(gates, "other")["macs"].kind == "exact"


@pytest.mark.parametrize(
    ("gate", "fault"),
    [
        (("params", "percent", -1.0), "must not be negative"),
        (("params", "exact", 1.0), "has no limit"),
        (("params", "off", 1.0), "has no limit"),
        (("digest", "percent", 1.0), "can only be exact"),
        (("runtime", "exact", 0.0), "a percent with a limit above 0"),
        (("runtime", "absolute", 1.0), "a percent with a limit above 0"),
    ],
)
def test_a_gate_refuses_nonsense(gate: tuple[Any, Any, float], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Gate(*gate)


def _checked(*levels: Any, word: Any = "SAME", **changes: Any) -> Checked:
    findings = tuple(GateFinding("params", level, "") for level in levels)
    return Checked("acme", "base", RuntimeVerdict(word, ""), findings, **changes)


@pytest.mark.parametrize(
    ("checked", "code"),
    [
        (_checked("pass"), CheckExit.PASS),
        (_checked(word="FASTER"), CheckExit.PASS),
        (_checked(word="SLOWER"), CheckExit.REGRESSION),
        (_checked("regression"), CheckExit.REGRESSION),
        (_checked(failure="no", faulty=True), CheckExit.BAD_INPUT),
        (_checked(failure="no"), CheckExit.NOT_MEASURED),
        (_checked("absent"), CheckExit.NOT_MEASURED),
        (_checked(word="INCONCLUSIVE"), CheckExit.INCONCLUSIVE),
        (_checked("quality"), CheckExit.QUALITY),
        (_checked("quality", "regression", word="SLOWER"), CheckExit.QUALITY),
        (_checked("regression", word="INCONCLUSIVE"), CheckExit.REGRESSION),
    ],
)
def test_the_exit_code_is_that_of_the_gravest_finding(checked: Checked, code: CheckExit) -> None:
    assert exit_code([_checked("pass"), checked], inconclusive="fail") == code


def test_inconclusive_may_pass_and_nothing_else_then_does() -> None:
    unsure, slow = _checked(word="INCONCLUSIVE"), _checked(word="SLOWER")
    assert exit_code([unsure], inconclusive="pass") == CheckExit.PASS
    assert exit_code([unsure, slow], inconclusive="pass") == CheckExit.REGRESSION
