from __future__ import annotations

from dataclasses import replace

import pytest

from harness.audits import clocks
from harness.audits.clocks import Exchange
from harness.core.record import Calibration, ExchangeCost

COST = ExchangeCost(1000, 16_000, 0.002, 0.0036)
CALIBRATION = Calibration({"fp32": 1e9}, 1e9, (COST,))


def _exchange(seconds: float, wall_s: float, collect_s: float | None = None) -> Exchange:
    return Exchange(1000, seconds, wall_s, sr_pixels=16_000, collect_s=collect_s)


def test_what_is_allowed_grows_with_the_image() -> None:
    # 4 times 2 ms and 8 ms; 4 times 3.6 ms and 8 ms
    found = clocks.clock([Exchange(1000, 0.01, 0.02)], CALIBRATION)
    assert "at most 16 ms expected" in found.evidence
    fetched = clocks.collect([_exchange(0.01, 0.02, 0.01)], CALIBRATION)
    assert fetched is not None
    assert "at most 22.4 ms expected" in fetched.evidence
    large = clocks.clock([Exchange(2000, 0.01, 0.02)], CALIBRATION)  # twice as much
    assert "at most 24 ms expected" in large.evidence


@pytest.mark.parametrize(
    ("pixels", "allowed"),
    [
        (500, "16 ms"),  # 4 times 2 ms, and 8 ms: of a smaller image than any not less
        (1000, "16 ms"),
        (1500, "27 ms"),  # 4 times 3 ms, and 15 ms that the exchanges of such images vary by
        (2000, "46 ms"),  # 4 times 4 ms, and 30 ms
        (4000, "92 ms"),
    ],
)
def test_what_varies_for_large_images_is_not_allowed_for_small_ones(
    pixels: int, allowed: str
) -> None:
    sizes = (ExchangeCost(1000, 0, 0.002, 0.0), ExchangeCost(2000, 0, 0.004, 0.0, 0.03))
    found = clocks.clock([Exchange(pixels, 0.01, 0.02)], replace(CALIBRATION, sizes=sizes))
    assert f"at most {allowed} expected" in found.evidence


@pytest.mark.parametrize(
    ("seconds", "wall_s", "verdict"),
    [
        (0.050, 0.060, "ok"),  # 10 ms beside it
        (0.050, 0.071, "ok"),  # 5 ms more than allowed: a tenth of what is reported
        (0.020, 0.050, "suspect"),  # 14 ms more
        (0.006, 0.060, "rejected"),  # 38 ms more
        (0.060, 0.105, "suspect"),  # 29 ms more, less than half of what is reported
    ],
)
def test_a_worker_can_not_report_less_than_our_clock_leaves_room_for(
    seconds: float, wall_s: float, verdict: str
) -> None:
    assert clocks.clock([_exchange(seconds, wall_s)] * 4, CALIBRATION).verdict == verdict


def test_bursts_in_a_quarter_of_the_forwards_are_no_trick_and_in_more_they_are() -> None:
    calm, burst = _exchange(0.006, 0.008), _exchange(0.006, 0.2)
    assert clocks.clock([burst, calm, calm, calm] * 3, CALIBRATION).verdict == "ok"
    found = clocks.clock([burst, calm, calm] * 4, CALIBRATION)
    assert (found.verdict, "and more in 4;" in found.evidence) == ("suspect", True)


def test_what_a_sample_is_ranked_with_is_what_our_clock_leaves_no_other_reason_for() -> None:
    # an exchange of 1000 pixels costs 2 ms, fetching 16,000 of them 3.6 ms
    honest, lie = _exchange(0.05, 0.0518, 0.0037), _exchange(0.02, 0.054, 0.0082)
    assert clocks.vouched_s(honest, CALIBRATION) == 0.05
    assert clocks.vouched_s(lie, CALIBRATION) == pytest.approx(0.054 + 0.0082 - 0.002 - 0.0036)
    # by how much the exchanges of the calibration vary is not free
    noisy = replace(CALIBRATION, sizes=(replace(COST, exchange_most_s=0.1, collect_most_s=0.1),))
    assert clocks.vouched_s(lie, noisy) == clocks.vouched_s(lie, CALIBRATION)
    assert clocks.vouched_s(_exchange(0.02, 0.054), CALIBRATION) == pytest.approx(0.052)
    # nor is a forward that ends at once and works while its output is fetched
    put_off = _exchange(0.0001, 0.002, 0.02)
    assert clocks.vouched_s(put_off, CALIBRATION) == pytest.approx(0.022 - 0.0056)


def test_a_busy_moments_calibration_allows_more() -> None:
    busy = replace(CALIBRATION, sizes=(replace(COST, exchange_most_s=0.04),))
    late = [_exchange(0.02, 0.05)] * 4
    assert clocks.clock(late, CALIBRATION).verdict == "suspect"
    assert clocks.clock(late, busy).verdict == "ok"


def test_work_that_was_put_off_shows_when_the_output_is_fetched() -> None:
    honest = [_exchange(0.06, 0.062, 0.01)] * 3
    late = [_exchange(0.001, 0.003, 0.07)] * 3
    assert clocks.collect(honest, CALIBRATION) is not None
    assert getattr(clocks.collect(honest, CALIBRATION), "verdict", "") == "ok"
    found = clocks.collect(late, CALIBRATION)
    assert found is not None
    assert found.verdict == "rejected"
    assert found.evidence.startswith(
        "70 ms to fetch the output in the median of 3, at most 22.4 ms"
    )
    assert clocks.collect([_exchange(0.1, 0.1)], CALIBRATION) is None


@pytest.mark.parametrize(
    ("seen", "unseen", "verdict"),
    [
        ([0.010, 0.011], [0.011, 0.010], "ok"),
        ([0.001, 0.002], [0.060, 0.061], "rejected"),
        ([0.020, 0.022], [0.050, 0.061], "suspect"),
        ([0.001, 0.060], [0.060, 0.061], "ok"),  # one seen image was as slow
        ([0.060, 0.061], [0.001, 0.002], "rejected"),  # what is scored is another network
        ([0.060, 0.061], [0.001, 0.060], "ok"),
        ([0.0001, 0.0001], [0.0009, 0.0009], "ok"),  # below a millisecond nothing is concluded
    ],
)
def test_only_a_complete_separation_of_seen_and_unseen_images_counts(
    seen: list[float], unseen: list[float], verdict: str
) -> None:
    assert clocks.repeats(seen, unseen).verdict == verdict


def test_a_second_look_comes_before_any_doubt_is_told() -> None:
    assert clocks.doubtful([0.010, 0.010], [0.014, 0.015])
    assert clocks.repeats([0.010, 0.010], [0.014, 0.015]).verdict == "ok"


@pytest.mark.parametrize(
    ("ranked", "probes", "verdict"),
    [
        ([0.003], [0.016, 4.0, 4.0], "suspect"),
        ([0.003], [0.0129, 4.0, 4.0], "ok"),  # less than 10 ms between them
        ([0.012], [0.061, 0.078], "suspect"),
        ([0.012], [0.059, 0.078], "ok"),
        ([0.012, 0.02], [0.061, 0.078], "ok"),
        ([0.1], [0.012, 0.013], "ok"),  # nobody gains by being slow where it is ranked
    ],
)
def test_an_image_is_as_slow_where_it_is_not_ranked(
    ranked: list[float], probes: list[float], verdict: str
) -> None:
    assert clocks.unranked(ranked, probes).verdict == verdict


def test_where_nothing_is_told_of_a_rest_nothing_is_said() -> None:
    assert clocks.idle(None) is None


@pytest.mark.parametrize(
    ("shares", "verdict"),
    [((0.0,), "ok"), ((0.9, 0.1), "ok"), ((0.9, 0.8, 0.9, 0.95, 0.9), "suspect")],
)
def test_only_a_worker_that_never_rests_is_suspect(shares: tuple[float, ...], verdict: str) -> None:
    found = clocks.idle(shares)
    assert found is not None
    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("cpu_s", "verdict"), [(0.3, "ok"), (1.3, "ok"), (1.5, "suspect"), (3.9, "suspect")]
)
def test_forwards_may_use_no_more_than_their_threads_can(cpu_s: float, verdict: str) -> None:
    found = clocks.threads([Exchange(1, 0.9, 1.0, cpu_s)], allowed=1)
    assert found is not None
    assert found.verdict == verdict


def test_ticks_decide_nothing_about_short_forwards() -> None:
    found = clocks.threads([Exchange(1, 0.01, 0.01, 0.03)], allowed=1)
    assert found is not None
    assert found.verdict == "ok"
    assert clocks.threads([Exchange(1, 0.01, 0.01)], allowed=1) is None
