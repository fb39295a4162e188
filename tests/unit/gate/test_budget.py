from __future__ import annotations

import pytest

from harness.gate.budget import for_interval, for_least_blocks
from harness.gate.settings import CheckSettings
from harness.stats.nested import LogRatio, estimate

SETTINGS = CheckSettings(budget_s=4.0)  # three blocks at least


def test_the_least_blocks_need_three_and_a_half_times_one_and_a_margin() -> None:
    # 3.5 x 5 s x 1.2 = 21 s
    assert for_least_blocks(SETTINGS, 5.0) == " (about 21 s would do)"
    assert for_least_blocks(SETTINGS, 31.0) == " (about 140 s would do)"  # 130.2, upwards
    assert for_least_blocks(SETTINGS, 0.0) == ""


def test_it_is_more_than_what_did_not_do() -> None:
    assert for_least_blocks(CheckSettings(budget_s=100.0), 5.0) == " (about 120 s would do)"


def _interval(medians: list[float]) -> LogRatio:
    return estimate([[it] for it in medians], confidence=0.95)


def test_an_interval_that_is_too_wide_needs_more_blocks() -> None:
    # the deviation of a block is 0.05 around 0: 1.96 x 0.05 / sqrt(n) < 0.0488 from n = 7 on, with
    # Student's t of 6 degrees of freedom, 2.447: 0.0462; of 5, 2.571: 0.0525
    found = _interval([-0.05, 0.0, 0.05])
    assert for_interval(SETTINGS, found, 30.0) == "; about 84 s would tell if it goes on like this"


def test_an_alarm_needs_its_own_level() -> None:
    # 0.1 away and 0.05 a block: at 0.003, t of 6 blocks is 5.3 and 0.108 too much; of 7, 4.7: 0.088
    found = _interval([0.05, 0.1, 0.15])
    assert for_interval(SETTINGS, found, 30.0) == "; about 84 s would tell if it goes on like this"


@pytest.mark.parametrize("medians", [[-5.0, 0.0, 5.0], [0.0487, 0.0487, 0.04896]])
def test_where_no_budget_would_tell_that_is_said(medians: list[float]) -> None:
    told = for_interval(SETTINGS, _interval(medians), 30.0)
    assert told.startswith("; no larger budget would tell")
