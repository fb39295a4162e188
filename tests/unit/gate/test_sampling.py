from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from fakes.sides import FORWARD_S, World

from harness.gate.block_figures import drifts
from harness.gate.judgement import judge, looks
from harness.gate.sampling import Sampling, sample
from harness.gate.settings import CheckSettings

START_S = 2.3  # of a fake block: start, and three warm-ups


def _measured(world: World, **settings: Any) -> tuple[Sampling, CheckSettings]:
    chosen = CheckSettings(**settings)
    narrow, suspect = looks(chosen)
    return sample(world, chosen, world.tools(), narrow=narrow, suspect=suspect), chosen


def test_a_turn_runs_an_order_and_then_its_mirror_image() -> None:
    world = World()
    sampling, _ = _measured(world, budget_s=30.0)
    for number, block in enumerate(sampling.blocks, start=1):
        ran = [(role, turn) for opened, role, turn in world.log if opened == number]
        for turn, it in enumerate(block.turns):
            mine = [role for role, at in ran if at == turn]
            assert tuple(mine) == (*it.order, *reversed(it.order))


def test_orders_are_random_and_every_side_is_in_the_middle_equally_often() -> None:
    sampling, _ = _measured(World(forward_sd=0.3), budget_s=200.0)
    orders = [turn.order for block in sampling.blocks for turn in block.turns]
    whole = orders[: len(orders) // 6 * 6]
    assert len(set(Counter(order[-1] for order in whole).values())) == 1
    assert len(set(orders[:6])) == 6
    other, _ = _measured(World(forward_sd=0.3), budget_s=200.0, seed=1)
    assert orders[:12] != [turn.order for block in other.blocks for turn in block.turns][:12]


def test_no_side_is_started_and_warmed_up_last_more_often_than_another() -> None:
    world = World(forward_sd=0.3, process_sd=0.3)
    sampling, _ = _measured(world, budget_s=300.0)
    whole = world.started[: len(world.started) // 6 * 6]
    assert len(whole) >= 30
    for place in range(3):
        assert len(set(Counter(order[place] for order in whole).values())) == 1
    warmed = [tuple(block.first_call_s) for block in sampling.blocks]
    assert warmed == world.started[: len(warmed)]


def test_warm_up_and_the_first_call_never_leak_into_samples() -> None:
    sampling, _ = _measured(World(warm_s=1.0), budget_s=60.0)
    seconds = [s for block in sampling.blocks for turn in block.turns for s in turn.candidate]
    assert set(seconds) == {FORWARD_S}
    assert {first for it in sampling.blocks for first in it.first_call_s.values()} == {2.0}


def test_sampling_stops_as_soon_as_the_interval_is_narrow() -> None:
    sampling, settings = _measured(World(), budget_s=120.0)
    assert len(sampling.blocks) == settings.least_blocks
    assert sampling.elapsed_s < 20.0


def test_the_budget_is_kept_however_noisy_it_is() -> None:
    world = World(process_sd=0.2, forward_sd=0.3)
    sampling, _ = _measured(world, budget_s=60.0)
    assert 50.0 < sampling.elapsed_s <= 60.5  # a turn may end a little late
    assert world.opened == world.closed


@pytest.mark.parametrize("budget_s", [0.1, 2.0, START_S])
def test_a_budget_that_is_spent_before_the_first_pair_is_inconclusive(budget_s: float) -> None:
    world = World()
    sampling, settings = _measured(world, budget_s=budget_s)
    verdict = judge(sampling, settings)
    assert (sampling.blocks, verdict.word, verdict.ratio) == ((), "INCONCLUSIVE", None)
    spent = f"the budget of {budget_s:g} s was spent before the first pair (about "
    assert verdict.reason.startswith(spent)
    assert world.closed == world.opened == 1


def test_small_budgets_still_hold_the_least_number_of_blocks() -> None:
    sampling, _ = _measured(World(forward_sd=0.01), budget_s=10.0)
    assert len(sampling.blocks) == 3
    assert sampling.elapsed_s <= 10.0


def test_a_suspect_is_measured_once_more_and_pooled() -> None:
    world = World(slowdown=0.2, forward_sd=0.01)
    sampling, settings = _measured(world, budget_s=60.0)
    assert sampling.confirmed_from == 3
    assert len(sampling.blocks) == 6
    verdict = judge(sampling, settings)
    assert (verdict.word, verdict.blocks) == ("SLOWER", 6)
    assert verdict.pairs == sum(len(block.turns) for block in sampling.blocks)


def test_the_second_look_takes_at_most_half_of_the_budget() -> None:
    sampling, _ = _measured(World(slowdown=1.0, forward_sd=0.2, process_sd=0.1), budget_s=40.0)
    assert sampling.confirmed_from is not None
    assert 40.0 < sampling.elapsed_s <= 60.5


def test_no_block_is_dropped_for_what_it_shows() -> None:
    world = World(bursts=0.5, burst=5.0, process_sd=0.1)
    sampling, _ = _measured(world, budget_s=60.0)
    assert len(sampling.blocks) >= world.opened - 1  # the last one may have run out of time


def test_a_side_that_dies_in_the_middle_ends_the_check_and_stops_the_others() -> None:
    world = World(dies_at={"candidate": 4})
    sampling, _ = _measured(world, budget_s=30.0)
    assert sampling.failure is not None
    assert (sampling.failure.arm, str(sampling.failure)) == (
        "candidate",
        "the process was ended by SIGKILL",
    )
    assert sampling.blocks == ()
    assert world.opened == world.closed == 1


def test_a_side_that_hangs_ends_the_check_and_keeps_the_blocks_before() -> None:
    world = World(forward_sd=0.3, hangs_at={"again": 5}, dies_in=3, deadline_s=50.0)
    sampling, _ = _measured(world, budget_s=60.0)
    assert str(sampling.failure) == "forward: no answer within 50 s (timeout)"
    assert sampling.failure is not None
    assert (sampling.failure.arm, world.opened, world.closed) == ("again", 3, 3)
    assert sampling.elapsed_s > 50.0  # the hanging forward counts as time, never as a sample
    assert len(sampling.blocks) == 2
    seconds = [it for block in sampling.blocks for turn in block.turns for it in turn.again]
    assert max(seconds) < 1.0


def test_a_side_that_does_not_start_is_named() -> None:
    sampling, _ = _measured(World(fails_to_start="baseline"), budget_s=30.0)
    assert sampling.failure is not None
    assert sampling.failure.arm == "baseline"


@pytest.mark.parametrize("role", ["candidate", "baseline"])
def test_a_forward_that_gets_slower_with_every_call_is_reported_as_drift(role: Any) -> None:
    sampling, settings = _measured(World(drift={role: 0.01}, forward_sd=0.01), budget_s=60.0)
    found = drifts(sampling.blocks, settings)
    assert list(found) == [role]
    assert found[role] > 1.05


def test_a_machine_that_gets_slower_is_no_drift_of_a_side() -> None:
    shared = dict.fromkeys(("baseline", "again", "candidate"), 0.01)
    sampling, settings = _measured(World(drift=shared, forward_sd=0.01), budget_s=60.0)
    assert drifts(sampling.blocks, settings) == {}
    assert judge(sampling, settings).word == "SAME"


def test_noise_is_no_drift() -> None:
    sampling, settings = _measured(World(forward_sd=0.05, process_sd=0.02), budget_s=120.0)
    assert drifts(sampling.blocks, settings) == {}


@pytest.mark.parametrize("seed", range(5))
def test_bursts_are_no_drift_however_few_the_blocks(seed: int) -> None:
    world = World(seed=seed, bursts=0.3, burst=3.0, forward_sd=0.1)
    sampling, settings = _measured(world, budget_s=15.0)
    assert 0 < len(sampling.blocks) <= 4
    assert drifts(sampling.blocks, settings) == {}
    assert drifts(sampling.blocks[:1], settings) == {}  # one block agrees with itself


def test_the_peak_memory_of_each_process_is_kept() -> None:
    world = World(peaks={"baseline": 7, "candidate": 9})
    sampling, _ = _measured(world, budget_s=30.0)
    assert {tuple(it.peak_bytes.items()) for it in sampling.blocks} == {
        (("baseline", 7), ("candidate", 9))
    }


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"effect": 0.0}, "effect must lie above 0"),
        ({"budget_s": 0.0}, "budget must be above 0"),
        ({"budget_s": float("inf")}, "budget must be above 0"),
        ({"confidence": 1.0}, "confidence"),
        ({"least_blocks": 1}, "2 blocks"),
    ],
)
def test_settings_refuse_nonsense(change: Any, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        CheckSettings(**change)
