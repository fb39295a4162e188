from __future__ import annotations

import pytest

from harness.core.metrics import UNITS, dataset_of, label, metric, refuse_unit


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
