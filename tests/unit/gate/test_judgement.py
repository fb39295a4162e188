from __future__ import annotations

import math
from dataclasses import replace

import pytest
from fakes.sides import World
from hypothesis import given
from hypothesis import strategies as st

from harness.gate.blocks import Block, Turn
from harness.gate.judgement import RuntimeVerdict, corrected, judge, looks
from harness.gate.sampling import Sampling
from harness.gate.sampling import sample as measure
from harness.gate.settings import CheckSettings
from harness.stats.nested import estimate
from harness.stats.student import holm

ORDER = ("baseline", "again", "candidate")


def _turn(candidate: float, *, again: float = 1.0) -> Turn:
    return Turn(ORDER, (1.0, 1.0), (again, again), (candidate, candidate))


def _sampling(*blocks: tuple[float, ...], again: float = 1.0) -> Sampling:
    return Sampling(tuple(Block(tuple(_turn(it, again=again) for it in block)) for block in blocks))


def test_an_effect_is_held_against_both_processes_of_the_baseline() -> None:
    turn = Turn(ORDER, (1.0, 4.0), (4.0, 4.0), (2.0, 8.0))
    # geometric means: 2 and 4, together the root of 8; the candidate's is 4
    assert math.exp(turn.effect) == pytest.approx(4.0 / math.sqrt(8.0))
    assert math.exp(turn.control) == pytest.approx(2.0)


def test_the_point_is_the_mean_over_blocks_of_the_median_over_turns() -> None:
    blocks = [[0.0, 0.1, 5.0], [0.3, 0.2, -9.0], [0.0, 0.0, 0.0]]
    assert estimate(blocks, confidence=0.95).point == pytest.approx((0.1 + 0.2 + 0.0) / 3)


def test_the_interval_is_students_t_of_the_blocks() -> None:
    # medians -1, 0 and 1: mean 0, standard deviation 1, t of 2 degrees of freedom
    found = estimate([[-9.0, -1.0, 3.0], [0.0], [1.0, 1.0]], confidence=0.9)
    exact = 2.920 / math.sqrt(3)
    assert (found.low, found.high) == pytest.approx((-exact, exact), abs=1e-3)


def test_p_is_the_level_at_which_the_interval_begins_to_hold_nothing() -> None:
    found = estimate([[0.9], [1.1], [1.0]], confidence=0.95)
    # t = 1 / (0.1 / sqrt 3) = 17.32, of 2 degrees of freedom: p = 1 - t / sqrt(2 + t^2)
    assert found.p == pytest.approx(1.0 - 17.3205 / math.sqrt(302.0), abs=1e-6)
    assert estimate([[0.2]] * 3, confidence=0.95).p == 0.0
    assert estimate([[0.0]] * 3, confidence=0.95).p == 1.0


def test_a_stored_baselines_scatter_counts_too() -> None:
    # Welch: both have a spread of 0.1 / sqrt 2 of their means, so 2 degrees of freedom
    found = estimate([[1.0], [1.2]], confidence=0.95, stored=[[0.0], [0.2]])
    half = 4.3027 * math.sqrt(0.1**2 + 0.1**2)
    assert (found.point, found.high) == pytest.approx((1.0, 1.0 + half), abs=1e-4)
    assert math.isinf(estimate([[1.0], [1.2]], confidence=0.95, stored=[[0.0]]).high)


def test_one_block_says_nothing() -> None:
    found = estimate([[0.5, 0.5, 0.5]], confidence=0.95)
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert estimate([[0.5, 0.5]], confidence=0.95).p == 1.0


def test_an_estimate_of_nothing_is_refused() -> None:
    for blocks in ([], [[]], [[0.1], []]):
        with pytest.raises(ValueError, match="at least one block"):
            estimate(blocks, confidence=0.95)


@given(st.lists(st.lists(st.floats(-1, 1), min_size=1, max_size=5), min_size=2, max_size=5))
def test_an_interval_holds_its_point_and_p_agrees_with_it(blocks: list[list[float]]) -> None:
    found = estimate(blocks, confidence=0.95)
    assert found.low <= found.point <= found.high
    wide = estimate(blocks, confidence=0.99)
    assert (wide.low, -wide.high) <= (found.low, -found.high)
    p = found.p
    if found.excludes_zero:
        assert p <= 0.06
    if p < 0.04:
        assert found.excludes_zero


@pytest.mark.parametrize(
    ("ratios", "word"),
    [
        ((1.20, 1.21, 1.20, 1.19), "SLOWER"),
        ((0.80, 0.81, 0.80, 0.79), "FASTER"),
        ((1.00, 1.001, 0.999, 1.0), "SAME"),
        ((1.03, 1.031, 1.03, 1.029), "SAME"),  # slower for certain, but by too little to matter
        ((1.00, 1.30, 0.90, 1.10), "INCONCLUSIVE"),
        ((1.06, 1.061, 0.97, 1.15), "INCONCLUSIVE"),
    ],
)
def test_the_verdict_needs_a_certain_and_a_large_effect(
    ratios: tuple[float, ...], word: str
) -> None:
    verdict = judge(_sampling(*((it,) * 3 for it in ratios)), CheckSettings())
    assert verdict.word == word


def test_a_baseline_that_differs_from_itself_makes_it_inconclusive() -> None:
    blocks = ((1.5,) * 3,) * 4
    assert judge(_sampling(*blocks), CheckSettings()).word == "SLOWER"
    verdict = judge(_sampling(*blocks, again=1.1), CheckSettings())
    assert verdict.word == "INCONCLUSIVE"
    assert verdict.reason.startswith("two processes of one model differ by 10.0%")


@pytest.mark.parametrize(
    ("ratios", "said"),
    [
        ((1.00, 1.30, 0.90, 1.10), "holds both no difference and one of 5.0% or more"),
        ((1.04, 1.05, 1.03, 1.045), "slower, but whether by 5.0% or more is open"),
        ((0.96, 0.95, 0.97, 0.955), "faster, but whether by 5.0% or more is open"),
        # mean of logs 0.110, error 0.030: t is 3.71, of 3 degrees of freedom
        ((1.08, 1.14, 1.20, 1.05), "probably slower, but not sure enough: p is 0.034, not 0.003"),
    ],
)
def test_what_is_open_is_said(ratios: tuple[float, ...], said: str) -> None:
    verdict = judge(_sampling(*((it,) * 3 for it in ratios)), CheckSettings())
    assert verdict.word == "INCONCLUSIVE"
    assert said in verdict.reason


def test_two_blocks_are_too_few() -> None:
    verdict = judge(_sampling((1.5, 1.5), (1.5, 1.5)), CheckSettings())
    assert verdict.word == "INCONCLUSIVE"
    assert verdict.reason.startswith("2 of the 3 blocks")


def test_a_stored_baseline_is_compared_by_ratio_to_the_reference() -> None:
    sampling = _sampling(*((2.2,) * 3,) * 4)  # 2.2 times the reference now
    then = [[math.log(2.0)] * 3] * 4  # 2.0 times the reference then
    verdict = judge(sampling, CheckSettings(), stored=then)
    assert verdict.ratio == pytest.approx(1.1)
    assert verdict.word == "SLOWER"
    assert judge(sampling, CheckSettings(), stored=[[math.log(2.2)] * 3] * 4).word == "SAME"


def test_holm_keeps_from_the_smallest_on_until_one_fails() -> None:
    assert holm([0.01, 0.04, 0.03], level=0.05) == (True, False, False)
    assert holm([0.01, 0.02, 0.03], level=0.05) == (True, True, True)
    assert holm([0.03, 0.02], level=0.05) == (True, True)
    assert holm([0.2, 0.001], level=0.05) == (False, True)
    assert holm([], level=0.05) == ()


def test_many_entries_are_corrected_for_their_number() -> None:
    weak = RuntimeVerdict("SLOWER", "slower", ratio=1.1, p=0.03)
    sure = replace(weak, p=0.001)
    same = RuntimeVerdict("SAME", "same", ratio=1.0, p=0.8)
    kept = corrected([weak, sure, same], level=0.05)
    assert [it.word for it in kept] == ["INCONCLUSIVE", "SLOWER", "SAME"]
    assert kept[0].reason == "not kept by Holm's correction for 3 entries"
    assert [it.word for it in corrected([weak], level=0.05)] == ["SLOWER"]


def _words(count: int, budget_s: float, slowdown: float, **world: float) -> list[str]:
    settings = CheckSettings(budget_s=budget_s)
    narrow, suspect = looks(settings)
    words = []
    for seed in range(count):
        it = World(seed=seed, slowdown=slowdown, **world)  # type: ignore[arg-type]
        sampling = measure(it, settings, it.tools(), narrow=narrow, suspect=suspect)
        words.append(judge(sampling, settings).word)
    return words


QUIET = {"process_sd": 0.007, "forward_sd": 0.01}
BURSTY = {"process_sd": 0.03, "forward_sd": 0.05, "bursts": 0.3, "burst": 2.0}


@pytest.mark.parametrize("machine", [QUIET, BURSTY], ids=["quiet", "bursty"])
def test_equal_sides_are_hardly_ever_called_different(machine: dict[str, float]) -> None:
    words = _words(100, 10.0, 0.0, **machine)
    assert words.count("SLOWER") + words.count("FASTER") <= 1


def test_a_planted_slowdown_is_found_on_a_quiet_machine() -> None:
    assert _words(25, 30.0, 0.1, **QUIET).count("SLOWER") >= 24
    assert _words(15, 30.0, 0.2, **BURSTY).count("SLOWER") >= 12


def test_equal_sides_are_mostly_called_the_same_on_a_quiet_machine() -> None:
    assert _words(30, 10.0, 0.0, **QUIET).count("SAME") >= 25
