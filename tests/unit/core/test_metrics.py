from __future__ import annotations

import pytest

from harness.core.metrics import dataset_of, metric


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
