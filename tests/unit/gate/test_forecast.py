from __future__ import annotations

import math

from fakes.sides import World

from harness.gate.forecast import Forecast, forecast
from harness.gate.sampling import sample
from harness.gate.settings import CheckSettings

ASKED = CheckSettings(budget_s=120.0)


def _told(sample_s: float = 30.0, asked: CheckSettings = ASKED, **world: float) -> Forecast | None:
    it = World(**world)  # type: ignore[arg-type]
    never = lambda _: False  # noqa: E731
    settings = CheckSettings(budget_s=sample_s)
    sampling = sample(it, settings, it.tools(), narrow=never, suspect=never)
    return forecast(sampling, asked)


def test_a_quiet_machine_finds_little_more_than_the_smallest_effect() -> None:
    told = _told(process_sd=0.002, forward_sd=0.005)
    assert told is not None
    assert 0.05 < told.smallest < 0.06
    assert told.false_alarms == 0.0
    assert told.noise is not None
    assert 0.001 < told.noise < 0.02


def test_a_noisy_machine_finds_less_and_a_small_budget_nothing() -> None:
    noisy = _told(process_sd=0.1, forward_sd=0.05)
    assert noisy is not None
    assert noisy.smallest > 0.07
    assert noisy.floor > 0.03
    hasty = _told(process_sd=0.1, asked=CheckSettings(budget_s=8.0))
    assert hasty is not None
    assert (hasty.blocks < 3, math.isinf(hasty.smallest)) == (True, True)


def test_false_alarms_stay_rare_however_noisy_it_is() -> None:
    told = _told(sample_s=60.0, process_sd=0.1, forward_sd=0.2)
    assert told is not None
    assert told.false_alarms <= 0.05


def test_too_short_a_sample_foretells_nothing() -> None:
    assert _told(sample_s=6.0) is None
