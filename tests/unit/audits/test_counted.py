from __future__ import annotations

import numpy as np

from harness.audits.counted import CountedAgain, counted
from harness.core.model_counts import Counter, Counts

GREY = np.full((8, 8, 3), 100, np.uint8)
ONE_OFF = np.where(np.arange(192).reshape(8, 8, 3) == 7, 101, GREY).astype(np.uint8)
OTHER = GREY + np.uint8(3)  # 38.6 dB


def _counts(params: int, macs: int) -> Counts:
    hooks = Counter("ntire2022", macs, macs, 1, 1, "meta")
    return Counts(64, 64, params, params, params, (hooks,))


SAME = _counts(784, 1_000)


def test_the_same_output_and_the_same_figures_are_one_network() -> None:
    found = counted(CountedAgain(GREY, GREY, SAME, SAME))
    assert found.verdict == "ok"
    assert found.evidence == (
        "the outputs of an image before and after a count are the same; 784 parameters and 1,000 "
        "multiply-adds where it is timed"
    )
    # threads sum in another order: one of 192 subpixels by a level, 71 dB
    assert counted(CountedAgain(GREY, ONE_OFF, SAME, SAME)).verdict == "ok"


def test_another_output_after_the_counters_are_there_is_rejected() -> None:
    found = counted(CountedAgain(GREY, OTHER, SAME, SAME))
    assert (found.verdict, "38.6 dB apart" in found.evidence) == ("rejected", True)


def test_other_figures_than_those_of_the_table_are_rejected_with_both() -> None:
    found = counted(CountedAgain(GREY, GREY, _counts(317_218, 19_000), SAME))
    assert found.verdict == "rejected"
    assert found.evidence.endswith(
        "317,218 parameters and 19,000 multiply-adds where it is timed, 784 parameters and 1,000 "
        "multiply-adds where it is counted"
    )
    assert counted(CountedAgain(GREY, GREY, _counts(784, 1_009), SAME)).verdict == "ok"


def test_a_process_that_could_not_count_has_been_measured() -> None:
    found = counted(CountedAgain(error="the process was ended by SIGSEGV"))
    assert (found.verdict, "SIGSEGV" in found.evidence) == ("ok", True)
