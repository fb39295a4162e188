from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from harness.core.model_counts import (
    BeforeDeploy,
    Counter,
    Counts,
    SecondSize,
    Share,
    UnregisteredTensor,
    WeightTrace,
)
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
from harness.wire.messages import LIST_CAP, TEXT_CAP

COUNTER = Counter("dispatch", 1, 1, 1, 1, "meta")
HONEST = Counts(8, 8, 1, 1, 1, (COUNTER,), reads=WeightTrace(), elsewhere=SecondSize(8, 8))


def _taken(counts: Counts) -> Counts:
    return honest_counts(json.dumps(asdict(counts)))


def _told(**changes: Any) -> str:
    """The text of counts whose only counter has other fields."""
    told = asdict(HONEST)
    told["counters"][0].update(changes)
    return json.dumps(told)


def test_counts_come_through_as_they_are() -> None:
    assert _taken(HONEST) == HONEST


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"macs": "1"}, r"counters\.0\.macs"),
        ({"macs": True}, r"counters\.0\.macs"),
        ({"macs": 2**63}, "claims a huge figure: 9223372036854775808"),
        ({"colour": 1}, r"counters\.0\.colour"),
        ({"uncounted": {"aten::x": 1.5}}, r"uncounted\.aten::x"),
        ({"uncounted": []}, r"counters\.0\.uncounted"),
        ({"error": "\ud800"}, "Invalid JSON"),
    ],
)
def test_what_is_no_counter_is_refused(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(WorkerFailed, match=what):
        honest_counts(_told(**changes))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999"])
def test_a_difference_that_is_no_finite_number_is_refused(value: str) -> None:
    text = json.dumps(asdict(replace(HONEST, unfused=BeforeDeploy(difference=0.125))))
    with pytest.raises(WorkerFailed, match="difference"):
        honest_counts(text.replace("0.125", value))


@pytest.mark.parametrize("text", ["", "[]", "1", "{", "[" * 200_000, '{"a":' * 100_000])
def test_what_is_no_object_is_no_count(text: str) -> None:
    with pytest.raises(WorkerFailed):
        honest_counts(text)


def test_a_full_list_of_long_names_passes() -> None:
    parts = (Share("x" * TEXT_CAP, 1),) * LIST_CAP
    _taken(replace(HONEST, counters=(replace(COUNTER, by_module=parts),)))


@pytest.mark.parametrize(
    "counts",
    [
        replace(HONEST, params=-1),
        replace(HONEST, reads=WeightTrace(opaque={"acme::conv": -1})),
        replace(HONEST, unfused=BeforeDeploy(difference=-1.0)),
        replace(HONEST, counters=(replace(COUNTER, by_operator=(Share("a", -1),)),)),
    ],
)
def test_nothing_costs_less_than_nothing(counts: Counts) -> None:
    with pytest.raises(WorkerFailed, match="claims a negative figure: -1"):
        _taken(counts)


@pytest.mark.parametrize(
    ("counts", "what"),
    [
        (replace(HONEST, never_called=("a",) * (LIST_CAP + 1)), "never_called has 129 items"),
        (replace(HONEST, notes=("x" * (TEXT_CAP + 1),)), "notes has 1,001 characters"),
        (
            replace(HONEST, reads=WeightTrace(opaque={"x" * 1001: 1})),
            "opaque has 1,001 characters",
        ),
        (
            replace(HONEST, unfused=BeforeDeploy(macs=dict.fromkeys(map(str, range(129)), 1))),
            "129",
        ),
    ],
)
def test_no_record_is_filled_with_a_stranger_s_text(counts: Counts, what: str) -> None:
    with pytest.raises(WorkerFailed, match=what):
        _taken(counts)


def test_a_kind_that_there_is_not_is_refused() -> None:
    held = UnregisteredTensor("a", "secret", "weights", 1)
    with pytest.raises(WorkerFailed, match=r"reads\.held\.0\.kind") as refused:
        _taken(replace(HONEST, reads=WeightTrace(held=(held,))))
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
    "counts", [replace(HONEST, height=0), replace(HONEST, elsewhere=SecondSize(8, 0))]
)
def test_no_cost_is_told_of_an_image_without_pixels(counts: Counts) -> None:
    with pytest.raises(WorkerFailed, match="an image without pixels"):
        _taken(counts)


def test_a_size_that_could_not_be_run_needs_no_pixels() -> None:
    _taken(replace(HONEST, elsewhere=SecondSize(0, 0, error="RuntimeError: x")))


def test_notes_are_bounded_in_number_and_length() -> None:
    assert told_notes(("a",), ["b"]) == ("a", "b")
    notes = told_notes(["x" * (NOTE_CAP + 1)] * 10, map(str, range(15)))
    assert len(notes) == MOST_NOTES + 1
    assert notes[0] == "x" * NOTE_CAP
    assert notes[-1] == "and 5 notes more"
