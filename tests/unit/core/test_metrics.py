from __future__ import annotations

import dataclasses

import pytest

from harness.core.counter_registry import CONVENTIONS, COUNTERS, DEFAULT_CONVENTION, DISPATCH, HOOKS
from harness.core.metrics import (
    METRICS,
    PRINTED,
    QUALITY,
    UNITS,
    Metric,
    dataset_of,
    label,
    metric,
    refuse_unit,
)
from harness.core.record import ImageScore
from harness.core.submission import PublishedFigures
from harness.quality.score import Quality


@pytest.mark.parametrize(
    ("key", "unit", "better"),
    [
        ("runtime", "s", "lower"),
        ("first_call", "s", "lower"),
        ("params", "", "lower"),
        ("macs", "", "lower"),
        ("macs_ntire2022", "", "lower"),
        ("macs_fvcore", "", "lower"),
        ("activations", "", "lower"),
        ("convs", "", "lower"),
        ("memory", "bytes", "lower"),
        ("psnr:Set5", "dB", "higher"),
        ("ssim:Set5", "", "higher"),
        ("runtime:Set5", "s", "lower"),
        ("psnr:odd:name", "dB", "higher"),
    ],
)
def test_a_metric_has_a_base_unit_and_a_better_direction(key: str, unit: str, better: str) -> None:
    found = metric(key)
    assert (found.unit, found.better) == (unit, better)


@pytest.mark.parametrize(
    "key", ["", ":", "psnr", "psnr:", "ssim", "runtime:", "params:Set5", "memory:", ":Set5", "PSNR"]
)
def test_a_key_that_no_row_can_have_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="unknown metric") as caught:
        metric(key)
    assert repr(key) in str(caught.value)
    assert "runtime, first_call, params" in str(caught.value)
    assert "psnr:DATASET" in str(caught.value)


def test_a_long_key_is_cut_in_its_fault() -> None:
    with pytest.raises(ValueError, match="unknown metric") as caught:
        metric("x" * 10_000)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("key", "dataset"), [("psnr:Set5", "Set5"), ("runtime", ""), ("psnr:odd:name", "odd:name")]
)
def test_the_dataset_of_a_key(key: str, dataset: str) -> None:
    assert dataset_of(key) == dataset


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("psnr:Set5", "PSNR on Set5"),
        ("runtime:Set5", "Runtime on Set5"),
        ("macs", "MACs"),
        ("macs_fvcore", "MACs (fvcore)"),
        ("first_call", "First call"),
    ],
)
def test_a_metric_of_a_dataset_names_it(key: str, name: str) -> None:
    assert label(key) == name


@pytest.mark.parametrize(
    ("key", "units"),
    [
        ("runtime:Set5", {"", "s", "ms"}),
        ("memory", {"", "MiB"}),
        ("psnr:Set5", {"", "dB"}),
        ("ssim:Set5", {"", "K", "M", "G", "%"}),
        ("macs", {"", "K", "M", "G", "%"}),
    ],
)
def test_a_metric_is_drawn_in_the_units_of_its_quantity_alone(key: str, units: set[str]) -> None:
    for unit in units:
        refuse_unit(key, unit)
    for unit in set(UNITS) - units:
        with pytest.raises(ValueError, match=f"^{key} can't be shown in the unit '{unit}'; its"):
            refuse_unit(key, unit)


def test_an_unknown_unit_is_refused_with_those_that_fit() -> None:
    expected = "memory can't be shown in the unit 'GiB'; its units are MiB"
    with pytest.raises(ValueError, match=f"^{expected}$"):
        refuse_unit("memory", "GiB")


def _fields(kind: type) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)}


def test_what_is_scored_image_by_image_is_a_field_of_a_score_by_its_name() -> None:
    names = {kind.name for kind in QUALITY}
    assert names == _fields(Quality)
    assert names <= _fields(ImageScore)


def test_what_a_source_may_print_is_a_field_of_published_figures_in_the_usual_unit() -> None:
    told = _fields(PublishedFigures) - {"source", "dataset", "macs_convention"}
    assert told == {METRICS[key].printed_name for key in PRINTED}


@pytest.mark.parametrize("kind", METRICS.values(), ids=METRICS)
def test_a_metric_is_usually_shown_in_one_of_its_own_units(kind: Metric) -> None:
    refuse_unit(f"{kind.key}:Set5" if kind.quality else kind.key, kind.shown)


@pytest.mark.parametrize(
    ("unit", "size"), [("K", 1e3), ("M", 1e6), ("G", 1e9), ("MiB", 2.0**20), ("ms", 1e-3)]
)
def test_the_size_of_a_unit_has_no_noise_of_a_division(unit: str, size: float) -> None:
    assert UNITS[unit].size == size


def test_every_convention_of_macs_is_a_metric_of_its_own_and_a_counter() -> None:
    ids = [counter.id for counter in COUNTERS]
    assert len(ids) == len({*ids})
    assert {HOOKS, DISPATCH, DEFAULT_CONVENTION, *CONVENTIONS} <= {*ids}
    assert [METRICS[f"macs_{name}"].convention for name in CONVENTIONS] == [*CONVENTIONS]
