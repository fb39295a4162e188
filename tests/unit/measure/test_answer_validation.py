from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core.record import Sample
from harness.measure.answer_validation import (
    MOST_NOTES,
    NOTE_CAP,
    bounded,
    honest_counts,
    told_notes,
    unseen,
)
from harness.measure.worker_process import WorkerFailed
from harness.wire.count_answers import (
    LIST_CAP,
    TEXT_CAP,
    BeforeDeployAnswer,
    SecondSizeAnswer,
    ShareAnswer,
    UnregisteredTensorAnswer,
    WeightTraceAnswer,
)
from harness.wire.messages import CounterAnswer, CountsAnswer

COUNTER = CounterAnswer("dispatch", "meta", 1, 1, 1, 1)
HONEST = CountsAnswer(
    8, 8, 1, 1, 1, (COUNTER,), reads=WeightTraceAnswer(), elsewhere=SecondSizeAnswer(8, 8)
)


def test_a_full_list_of_long_names_passes() -> None:
    parts = (ShareAnswer("x" * TEXT_CAP, 1),) * LIST_CAP
    honest_counts(replace(HONEST, counters=(replace(COUNTER, by_module=parts),)))


@pytest.mark.parametrize(
    "counts",
    [
        replace(HONEST, params=-1),
        replace(HONEST, reads=WeightTraceAnswer(opaque={"acme::conv": -1})),
        replace(HONEST, unfused=BeforeDeployAnswer(difference=-1.0)),
        replace(HONEST, counters=(replace(COUNTER, by_operator=(ShareAnswer("a", -1),)),)),
    ],
)
def test_nothing_costs_less_than_nothing(counts: CountsAnswer) -> None:
    with pytest.raises(WorkerFailed, match="claims a negative figure: -1"):
        honest_counts(counts)


@pytest.mark.parametrize(
    ("counts", "what"),
    [
        (replace(HONEST, never_called=("a",) * (LIST_CAP + 1)), "never_called has 129 items"),
        (replace(HONEST, notes=("x" * (TEXT_CAP + 1),)), "notes has 1,001 characters"),
        (
            replace(HONEST, reads=WeightTraceAnswer(opaque={"x" * 1001: 1})),
            "opaque has 1,001 characters",
        ),
        (
            replace(
                HONEST, unfused=BeforeDeployAnswer(macs=dict.fromkeys(map(str, range(129)), 1))
            ),
            "129",
        ),
    ],
)
def test_no_record_is_filled_with_a_stranger_s_text(counts: CountsAnswer, what: str) -> None:
    with pytest.raises(WorkerFailed, match=what):
        honest_counts(counts)


def test_a_kind_that_there_is_not_is_refused() -> None:
    held = UnregisteredTensorAnswer("a", "secret", "weights", 1)
    with pytest.raises(WorkerFailed, match=r"reads\.held\.0\.kind") as refused:
        honest_counts(replace(HONEST, reads=WeightTraceAnswer(held=(held,))))
    assert refused.value.failure.reason == "protocol"


def _sample(seconds: float, wall_s: float) -> Sample:
    return Sample("set", "a", 0, 1, 1, seconds, 1.0, device_wall_s=wall_s)


def test_work_that_the_events_did_not_see_is_told() -> None:
    (note,) = unseen([_sample(0.004, 0.02)] * 3)
    assert note.startswith("the GPU worked for 20 ms a forward by the wall, 4 ms by the events")


@pytest.mark.parametrize(
    "samples",
    [
        [],
        [_sample(0.004, 0.0)],  # of a CPU
        [_sample(0.004, 0.0045)],
        [_sample(0.0002, 0.001)],  # the host's share of a small forward
        [_sample(0.004, 0.0041), _sample(0.004, 0.5), _sample(0.004, 0.0042)],  # once
    ],
)
def test_what_a_host_adds_is_no_hidden_work(samples: list[Sample]) -> None:
    assert unseen(samples) == ()


def test_no_more_settings_are_kept_than_there_can_be() -> None:
    assert bounded({"threads": "2"}) == {"threads": "2"}
    for policy in ({str(n): "" for n in range(LIST_CAP + 1)}, {"threads": "x" * (TEXT_CAP + 1)}):
        with pytest.raises(WorkerFailed, match="more settings than there are"):
            bounded(policy)


@pytest.mark.parametrize(
    "counts", [replace(HONEST, height=0), replace(HONEST, elsewhere=SecondSizeAnswer(8, 0))]
)
def test_no_cost_is_told_of_an_image_without_pixels(counts: CountsAnswer) -> None:
    with pytest.raises(WorkerFailed, match="an image without pixels"):
        honest_counts(counts)


def test_a_size_that_could_not_be_run_needs_no_pixels() -> None:
    honest_counts(replace(HONEST, elsewhere=SecondSizeAnswer(0, 0, error="RuntimeError: x")))


def test_notes_are_bounded_in_number_and_length() -> None:
    assert told_notes(("a",), ["b"]) == ("a", "b")
    notes = told_notes(["x" * (NOTE_CAP + 1)] * 10, map(str, range(15)))
    assert len(notes) == MOST_NOTES + 1
    assert notes[0] == "x" * NOTE_CAP
    assert notes[-1] == "and 5 notes more"
