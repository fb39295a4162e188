from __future__ import annotations

import pytest

from harness.audits.repeats import doubtful, repeats


@pytest.mark.parametrize(
    ("seen", "unseen", "verdict"),
    [
        ([0.010, 0.011], [0.011, 0.010], "ok"),
        ([0.001, 0.002], [0.060, 0.061], "rejected"),
        ([0.020, 0.022], [0.050, 0.061], "suspect"),
        ([0.001, 0.060], [0.060, 0.061], "ok"),  # one seen image was as slow
        ([0.060, 0.061], [0.001, 0.002], "ok"),  # slower on what it knows
        ([0.0001, 0.0001], [0.0009, 0.0009], "ok"),  # below a millisecond nothing is concluded
    ],
)
def test_only_when_all_seen_images_are_faster_than_all_unseen_ones(
    seen: list[float], unseen: list[float], verdict: str
) -> None:
    assert repeats(seen, unseen).verdict == verdict


def test_a_second_look_comes_before_any_doubt_is_told() -> None:
    assert doubtful([0.010, 0.010], [0.014, 0.015])
    assert repeats([0.010, 0.010], [0.014, 0.015]).verdict == "ok"
