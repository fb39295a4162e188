from __future__ import annotations

import math
from typing import Any

import pytest

from harness.core.challenge import Challenge, Column, DatasetUse, Limit, Term, TimingProtocol, Track


def _challenge(**changes: Any) -> Challenge:
    fields: dict[str, Any] = {
        "id": "mine",
        "title": "Mine",
        "scale": 4,
        "quality_profile": "ntire",
        "datasets": (DatasetUse("valid", "validation"), DatasetUse("speed", "test", truth=False)),
        "columns": (Column("psnr:valid", "PSNR"), Column("runtime", "Runtime")),
        "references": ("rlfn",),
        "baseline": "rlfn",
    }
    return Challenge(**fields | changes)


def _fault(**changes: Any) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        _challenge(**changes)
    return str(caught.value)


def _track(key: str = "runtime", **changes: Any) -> Track:
    fields: dict[str, Any] = {"id": "main", "title": "Main", "kind": "order"}
    return Track(**fields | {"terms": (Term(key),)} | changes)


def test_the_metrics_of_a_challenge_are_named_once_in_the_order_of_their_use() -> None:
    challenge = _challenge(
        limits=(Limit("psnr:valid", at_least=28.0),),
        tracks=(_track("macs"), _track("psnr:valid", id="other")),
    )
    assert challenge.metrics() == ("psnr:valid", "macs", "runtime")


@pytest.mark.parametrize("scale", [1, 5, 6])
def test_the_scale_is_two_three_four_or_eight(scale: int) -> None:
    assert _fault(scale=scale) == f"scale must be 2, 3, 4 or 8, got {scale}"


@pytest.mark.parametrize("field", ["datasets", "columns"])
def test_a_challenge_needs_a_dataset_and_a_column(field: str) -> None:
    assert "a challenge needs at least one dataset and one column" in _fault(**{field: ()})


def test_a_metric_of_a_dataset_that_is_not_there_is_a_fault() -> None:
    expected = "ssim:Set5 speaks of a dataset that the challenge does not have"
    assert _fault(columns=(Column("ssim:Set5", "SSIM"),)) == expected
    assert _fault(limits=(Limit("ssim:Set5", at_least=0.5),)) == expected
    assert _fault(tracks=(_track("ssim:Set5"),)) == expected


def test_quality_without_hr_images_is_a_fault_but_runtime_is_not() -> None:
    expected = "psnr:speed: speed has no HR images here (truth = false)"
    assert _fault(columns=(Column("psnr:speed", "PSNR"),)) == expected
    assert _challenge(columns=(Column("runtime:speed", "Runtime"),)).metrics() == ("runtime:speed",)


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("datasets", (DatasetUse("valid", "test"),) * 2, "dataset 'valid' stands twice"),
        ("columns", (Column("runtime", "A"), Column("runtime", "B")), "column 'runtime' stands"),
        ("tracks", (_track(), _track("macs")), "track 'main' stands twice"),
    ],
)
def test_what_stands_twice_is_a_fault(field: str, value: Any, fault: str) -> None:
    assert fault in _fault(**{field: value})


def test_the_average_runtime_is_taken_over_datasets_of_the_challenge() -> None:
    assert _challenge().timed() == ("valid", "speed")
    assert _challenge(runtime_over=("speed",)).timed() == ("speed",)
    text = _fault(runtime_over=("fast", "speed", "speed"))
    assert text == (
        "runtime_over names 'fast', which is no dataset of the challenge; "
        "runtime_over 'speed' stands twice"
    )


def test_the_average_runtime_needs_a_dataset_that_is_always_there() -> None:
    uses = (DatasetUse("valid", "validation"), DatasetUse("more", "test", required=False))
    expected = "runtime_over needs at least one dataset that is required"
    assert _fault(datasets=uses, runtime_over=("more",)) == expected
    assert _challenge(datasets=uses, runtime_over=("valid", "more")).runtime_over


def test_a_baseline_must_be_among_the_references() -> None:
    assert _fault(baseline="imdn") == "baseline 'imdn' is not among the references"
    assert _challenge(baseline="").baseline == ""


def test_the_names_of_a_baseline_are_there_once_and_not_empty() -> None:
    assert _fault(baseline_names=("00_X", " ", "00_X")) == (
        "baseline_names '00_X' stands twice; baseline_names must not be empty"
    )


def test_a_weighted_score_needs_a_baseline() -> None:
    weighted = _track(kind="weighted_exp")
    assert _fault(tracks=(weighted,), baseline="") == "a weighted_exp track needs a baseline"
    assert _challenge(tracks=(weighted,)).tracks == (weighted,)


def test_all_faults_come_in_one_error() -> None:
    text = _fault(scale=7, baseline="x", datasets=())
    assert text == (
        "baseline 'x' is not among the references; "
        "psnr:valid speaks of a dataset that the challenge does not have; "
        "scale must be 2, 3, 4 or 8, got 7; "
        "a challenge needs at least one dataset and one column"
    )


def test_a_limit_has_one_bound() -> None:
    assert Limit("psnr:valid", at_least=0.0).at_most is None
    assert Limit("runtime", at_most=0.0).at_least is None
    for low, high in ((None, None), (1.0, 2.0)):
        with pytest.raises(ValueError, match="a limit has either at_least or at_most"):
            Limit("runtime", at_least=low, at_most=high)


@pytest.mark.parametrize("make", [Limit, Term, lambda key: Column(key, "title")])
def test_an_unknown_metric_is_refused_wherever_it_stands(make: Any) -> None:
    with pytest.raises(ValueError, match="unknown metric 'beauty'"):
        make("beauty")


@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan])
def test_a_weight_must_be_above_zero(weight: float) -> None:
    with pytest.raises(ValueError, match=f"weight must be above 0, got {weight:g}"):
        Term("runtime", weight)


def test_a_weighted_score_takes_what_is_better_when_more_by_its_difference_alone() -> None:
    terms = (Term("runtime"), Term("psnr:valid"))
    with pytest.raises(ValueError, match=r"track 'main': of psnr:valid more is better.*give per"):
        _track(kind="weighted_exp", terms=terms)
    apart = (Term("runtime"), Term("psnr:valid", per=0.5))
    assert _track(kind="weighted_exp", terms=apart).terms == apart
    assert _track(kind="rank_sum", terms=terms).terms == _track(terms=terms).terms == terms


@pytest.mark.parametrize("per", [0.0, -1.0, math.nan])
def test_a_difference_is_counted_in_steps_above_zero(per: float) -> None:
    with pytest.raises(ValueError, match=f"per must be above 0, got {per:g}"):
        Term("runtime", per=per)


@pytest.mark.parametrize("kind", ["order", "rank_sum"])
def test_a_difference_means_nothing_to_a_track_without_a_baseline(kind: str) -> None:
    with pytest.raises(ValueError, match="per of runtime means something in a weighted_exp alone"):
        _track(kind=kind, terms=(Term("runtime", per=1.0),))


def test_a_track_keeps_a_term_that_is_not_optional() -> None:
    with pytest.raises(ValueError, match="at least one term that is not optional"):
        _track(terms=(Term("energy", optional=True),))


def test_what_the_rules_need_is_what_limits_and_terms_name_but_no_optional_one() -> None:
    terms = (Term("runtime"), Term("energy", optional=True))
    challenge = _challenge(limits=(Limit("macs", at_most=1.0),), tracks=(_track(terms=terms),))
    assert challenge.needed() == ("macs", "runtime")
    assert "energy" in challenge.metrics()


def test_a_column_is_drawn_in_a_unit_of_its_metric() -> None:
    assert Column("runtime", "Runtime", "ms").unit == "ms"
    with pytest.raises(ValueError, match=r"runtime can't be shown in the unit 'h'; .* s, ms$"):
        Column("runtime", "Runtime", "h")
    with pytest.raises(ValueError, match="params can't be shown in the unit 'ms'"):
        Column("params", "Params", "ms")


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (lambda decimals: Column("runtime", "Runtime", decimals=decimals), "column runtime"),
        (lambda decimals: Limit("params", at_most=1.0, decimals=decimals), "limit of params"),
    ],
)
def test_decimals_are_none_to_twelve(make: Any, where: str) -> None:
    assert (make(0).decimals, make(12).decimals) == (0, 12)
    for decimals in (-1, 13):
        expected = f"^decimals of the {where} must be 0 to 12, got {decimals}$"
        with pytest.raises(ValueError, match=expected):
            make(decimals)


def test_a_track_needs_a_term() -> None:
    with pytest.raises(ValueError, match="a track needs at least one term"):
        _track(terms=())


@pytest.mark.parametrize("name", ["rounds", "passes"])
def test_a_protocol_measures_at_least_once(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        TimingProtocol(**{name: 0})


@pytest.mark.parametrize("name", ["warmup", "threads"])
def test_warm_up_and_threads_may_be_none_but_not_negative(name: str) -> None:
    assert getattr(TimingProtocol(**{name: 0}), name) == 0
    with pytest.raises(ValueError, match="warmup and threads must not be negative"):
        TimingProtocol(**{name: -1})


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan])
@pytest.mark.parametrize(
    "name", ["start_deadline_s", "load_deadline_s", "forward_deadline_s", "count_deadline_s"]
)
def test_a_deadline_lies_ahead(name: str, value: float) -> None:
    wrong: dict[str, Any] = {name: value}
    with pytest.raises(ValueError, match=f"{name} must be above 0, got {value:g}"):
        TimingProtocol(**wrong)
