from __future__ import annotations

import math

import pytest

from harness.stats.incomplete_blocks import EntriesInBlocks, fitted


def _fit(**logs: dict[int, float]) -> EntriesInBlocks:
    return fitted(logs, confidence=0.95)


def test_two_entries_that_meet_in_every_block_are_compared_by_students_t_of_their_differences() -> (
    None
):
    fit = _fit(one={0: 1.0, 1: 12.0, 2: 3.0}, other={0: 0.0, 1: 10.0, 2: 0.0})
    # differences 1, 2, 3: mean 2, standard deviation 1, t of 2 degrees of freedom 4.303
    found = fit.difference("one", "other")
    assert found is not None
    assert (found.point, found.low, found.high) == pytest.approx((2.0, -0.484, 4.484), abs=1e-3)
    assert not found.decided
    # half-widths shrink as the root: 2.484 / 2, squared
    assert found.more == pytest.approx(1.543, abs=1e-3)


def test_intervals_of_complete_blocks_are_tukeys() -> None:
    logs = {
        "a": {0: 0.00, 1: 1.01, 2: 2.02},
        "b": {0: 0.11, 1: 1.10, 2: 2.09},
        "c": {0: 0.52, 1: 1.50, 2: 2.51},
    }
    fit = fitted(logs, confidence=0.95)
    assert fit.freedom == pytest.approx(4.0)
    # residuals of a two-way table, rows less row and column means
    means = {name: sum(its.values()) / 3 for name, its in logs.items()}
    levels = [sum(its[b] for its in logs.values()) / 3 for b in range(3)]
    all_over = sum(means.values()) / 3
    squares = sum(
        (its[b] - means[name] - levels[b] + all_over) ** 2
        for name, its in logs.items()
        for b in range(3)
    )
    half = 5.040 * math.sqrt(squares / 4 / 3)  # the studentized range of 3 means, 4 degrees
    found = fit.difference("c", "a")
    assert found is not None
    assert found.point == pytest.approx(means["c"] - means["a"])
    assert found.high - found.point == pytest.approx(half, rel=1e-3)
    assert found.decided
    assert found.more == 1.0


def test_entries_that_never_meet_are_compared_by_way_of_those_that_both_met() -> None:
    fit = _fit(
        base={0: 0.0, 1: 5.0, 2: -3.0, 3: 1.0},
        one={0: 0.5, 2: -2.5},
        other={1: 5.2, 3: 1.2},
    )
    found = fit.difference("one", "other")
    assert found is not None
    assert (found.point, found.low, found.high) == pytest.approx((0.3, 0.3, 0.3))
    through, direct = fit.covariance[1, 1] + fit.covariance[2, 2], fit.covariance[0, 0]
    assert through >= direct


def test_entries_that_nothing_joins_can_not_be_compared() -> None:
    fit = _fit(one={0: 0.0, 1: 0.1}, two={0: 0.3, 1: 0.4}, other={2: 0.0, 3: 0.1})
    assert fit.difference("one", "other") is None
    assert fit.difference("one", "two") is not None


def test_one_block_tells_of_no_noise_so_its_differences_are_unbounded() -> None:
    found = _fit(one={0: 0.0}, two={0: 0.3}).difference("two", "one")
    assert found is not None
    assert (found.point, found.low, found.high) == (pytest.approx(0.3), -math.inf, math.inf)
    assert found.more == math.inf


def test_an_entry_that_scatters_far_more_widens_its_own_intervals_and_no_others() -> None:
    jitter = (0.01, -0.01, 0.005, -0.005, 0.0)
    calm = {
        name: {b: 0.2 * at + 0.1 * b + jitter[(at + b) % 5] for b in range(5)}
        for at, name in enumerate("abcdef")
    }
    wild = {b: 0.3 + 0.1 * b + 30 * jitter[b] for b in range(5)}
    alone, beside = fitted(calm, confidence=0.95), fitted({**calm, "wild": wild}, confidence=0.95)
    assert not alone.own
    assert list(beside.own) == ["wild"]

    def width(fit: EntriesInBlocks, one: str, other: str) -> float:
        found = fit.difference(one, other)
        assert found is not None
        return found.high - found.low

    # wider only by the range of seven means instead of six
    assert 1.0 < width(beside, "a", "b") / width(alone, "a", "b") < 1.1
    assert width(beside, "wild", "b") > 10 * width(beside, "a", "b")


def test_nothing_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one block"):
        _fit(one={})


def test_differences_to_many_are_those_to_each() -> None:
    fit = _fit(
        a={0: 0.0, 1: 0.1, 2: 0.31},
        b={0: 0.3, 1: 0.42, 2: 0.55},
        c={0: 0.02, 1: 0.1, 2: 0.29},
    )
    found = fit.differences("a", ("b", "c"))
    assert found is not None
    for other, point, half in zip(("b", "c"), *found, strict=True):
        one = fit.difference("a", other)
        assert one is not None
        assert (point - half, point + half) == pytest.approx((one.low, one.high))


def test_there_are_none_at_once_to_an_entry_that_no_block_joins() -> None:
    fit = _fit(a={0: 0.0, 1: 0.1}, b={0: 0.3, 1: 0.4}, c={2: 0.0, 3: 0.1})
    assert fit.differences("a", ("b", "c")) is None
