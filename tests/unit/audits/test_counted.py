from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.audits.clocks import Exchange
from harness.audits.counted import CountedAgain, counted, explained
from harness.core.model_counts import Counter, Counts, WeightTrace
from harness.core.record import Calibration

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


@pytest.mark.parametrize(
    ("cpu_s", "threads", "verdict"),
    [
        (0.028, 1, "ok"),  # 5 ms, 20 ms for multiply-adds and 2.5 ms for values, and the margin
        (0.029, 1, "suspect"),
        (0.029, 2, "ok"),  # of two threads each one waits for the other
    ],
)
def test_what_takes_far_more_processor_time_than_is_counted_is_suspect(
    cpu_s: float, threads: int, verdict: str
) -> None:
    fvcore = Counter("fvcore", 4096, 4096, 1, 1, "meta")
    counters = (fvcore, Counter("dispatch", 1, 1, 1, 1, "meta"))
    counts = replace(SAME, counters=counters, reads=WeightTrace(written=40_960))
    machine = Calibration({"fp32": 4096e3}, 4 * 40_960e5)  # 1 ms for the one, 10 us for the other
    slow = replace(machine, macs_per_s={"fp32": 4096e3, "fp16": 4096.0})
    forwards = [Exchange(4096, 0.1, 0.1, cpu_s)] * 100
    found = explained(forwards, counts, machine, threads)
    assert found is not None
    assert found.verdict == verdict
    declared = explained(forwards, counts, slow, threads, "fp16")
    assert declared is not None
    assert declared.verdict == "ok"


def test_where_no_processor_time_or_no_written_values_are_told_nothing_is_said() -> None:
    machine = Calibration({"fp32": 1.0}, 1.0)
    known = replace(SAME, reads=WeightTrace(written=1))
    assert explained([Exchange(4096, 0.1, 0.1)], known, machine, 1) is None
    assert explained([Exchange(4096, 0.1, 0.1, 9.0)], SAME, machine, 1) is None


def test_the_evidence_of_processor_time_has_both_figures() -> None:
    known = replace(SAME, reads=WeightTrace(written=4096))
    found = explained([Exchange(4096, 1.0, 1.0, 1.0)], known, Calibration({"fp32": 1e9}, 4e9), 1)
    assert found is not None
    assert found.evidence == (
        "1e+03 ms of processor time in the mean of 1 forwards, 6.04 ms at most by 1,000 "
        "multiply-adds and 4,096 values that operators wrote at 64x64"
    )
