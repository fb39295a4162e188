"""results.json and results.txt, against figures worked out by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.board.ntire_results import Result, parse, to_json, to_text
from harness.core.outcome import BadInput

WHOLE: dict[str, Any] = {
    "valid_runtime": [10.0, 20.0],
    "valid_psnr": [28.0, 29.0],
    "valid_memory": 377.912,
    "valid_ave_runtime": 15.0,
    "test_runtime": [40.0],
    "test_psnr": [27.5],
    "test_memory": 400.0,
    "activations": 80.045184,
    "num_conv": 39,
    "flops": 19.6747,
    "num_parameters": 0.317218,
    "an_extra_key": "is left out",
}


def parsed(**changes: Any) -> tuple[Result | None, str]:
    data = {name: value for name, value in {**WHOLE, **changes}.items() if value != "absent"}
    found = parse(json.dumps({"04_RLFN": data}).encode())
    return found.rows.get("04_RLFN"), found.faults.get("04_RLFN", "")


def test_a_whole_object_is_read() -> None:
    row, fault = parsed()
    assert fault == ""
    assert row is not None
    assert (row.valid_runtime, row.test_psnr, row.num_conv) == ((10.0, 20.0), (27.5,), 39)


def test_the_table_is_the_official_one() -> None:
    row, _ = parsed()
    assert row is not None
    head, line = to_text({"04_RLFN": row}).splitlines()
    assert head == (
        "Model               \tVal PSNR  \tTest PSNR \tVal Time [ms] \tTest Time [ms]\t"
        "Ave Time [ms] \tParams [M]\tFLOPs [G] \tActs [M]\tMem [M] \tConv    "
    )
    assert line == (
        "04_RLFN             \t28.50     \t27.50     \t15.00         \t40.00         \t"
        "27.50         \t0.317     \t19.67     \t80.05   \t377.91  \t  39    "
    )


def test_without_a_test_split_its_columns_are_left_out() -> None:
    row, _ = parsed(test_runtime="absent", test_psnr="absent", test_memory="absent")
    assert row is not None
    head = to_text({"a": row}).splitlines()[0]
    assert [title.strip() for title in head.split("\t")] == [
        *("Model", "Val PSNR", "Val Time [ms]", "Params [M]"),
        *("FLOPs [G]", "Acts [M]", "Mem [M]", "Conv"),
    ]


def test_a_row_without_a_test_split_has_empty_cells_among_rows_with_one() -> None:
    whole, _ = parsed()
    short, _ = parsed(test_runtime="absent", test_psnr="absent", test_memory="absent")
    assert whole is not None
    assert short is not None
    head, *lines = to_text({"whole": whole, "short": short}).splitlines()
    assert "Test PSNR" in head
    cells = [[cell.strip() for cell in line.split("\t")] for line in lines]
    assert cells[0][1:6] == ["28.50", "27.50", "15.00", "40.00", "27.50"]
    assert cells[1][1:6] == ["28.50", "", "15.00", "", ""]


def test_what_is_written_is_read_again() -> None:
    row, _ = parsed(valid_ssim=[0.8, 0.9])
    assert row is not None
    text = to_json({"04_RLFN": row})
    assert parse(text.encode()).rows == {"04_RLFN": row}
    written = json.loads(text)["04_RLFN"]
    assert (written["valid_ave_runtime"], written["valid_ave_psnr"]) == (15.0, 28.5)
    assert written["valid_ave_ssim"] == pytest.approx(0.85)


@pytest.mark.parametrize("memory", [None, float("nan"), "absent"])
def test_memory_may_be_unknown(memory: Any) -> None:
    row, fault = parsed(valid_memory=memory)
    assert fault == ""
    assert row is not None
    assert row.valid_memory is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"valid_psnr": [28.0]}, "valid_psnr has 1 images, valid_runtime 2"),
        ({"valid_psnr": [28.0, float("inf")]}, "valid_psnr"),
        ({"valid_runtime": [], "valid_psnr": []}, "valid_runtime is empty"),
        ({"num_conv": "absent"}, "num_conv: is missing"),
        ({"num_conv": "39"}, "num_conv"),
        ({"flops": -1.0}, "a count is negative"),
        ({"num_conv": 10**400}, "a count is above"),
        ({"num_parameters": 1e300}, "a count is above 1e+09"),
        ({"test_runtime": [-4.0]}, "test_runtime must be above 0"),
        ({"valid_runtime": [10.0, 0.0]}, "valid_runtime must be above 0"),
        ({"valid_runtime": [1e308, 1e308]}, "at most 1e+09 ms"),
        ({"valid_psnr": [1e308, 1e308]}, "a PSNR, SSIM or memory of valid is beyond 1e+09"),
        ({"valid_runtime": [10.0, 5e-324]}, "valid_runtime must be above 0, by 1e-06 ms at least"),
        ({"valid_psnr": [28.0, 1001.0]}, "a PSNR of valid is beyond 1000 dB"),
        ({"test_psnr": [-1001.0]}, "a PSNR of test is beyond 1000 dB"),
        ({"valid_ssim": [0.9, 1.1]}, "an SSIM of valid is beyond 1"),
        ({"valid_memory": -1.0}, "valid_memory is negative"),
        ({"flops": 1e999}, "flops"),
        ({"test_memory": 1e300}, "a PSNR, SSIM or memory of test is beyond 1e+09"),
    ],
)
def test_a_faulty_object_says_what_is_wrong(changes: dict[str, Any], why: str) -> None:
    row, fault = parsed(**changes)
    assert row is None
    assert why in fault


def test_one_faulty_object_leaves_the_others() -> None:
    found = parse(json.dumps({"a": WHOLE, "b": [], "c": {}}).encode())
    assert list(found.rows) == ["a"]
    assert found.faults["b"] == "is no object of figures"
    assert "is missing" in found.faults["c"]


@pytest.mark.parametrize("data", [b"{", b"[]", b"{}", b"1", b"[" * 100_000])
def test_no_results_file_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        parse(data)


def test_no_number_of_layers_is_too_large_for_a_figure() -> None:
    row, fault = parsed(num_conv=10**400)
    assert row is None
    assert "a count is above 1e+09" in fault


def test_a_number_of_more_digits_than_python_reads_is_one_rows_fault() -> None:
    text = json.dumps({"a": WHOLE, "b": WHOLE}).replace("39", "9" * 5000, 1)
    found = parse(text.encode())
    assert list(found.rows) == ["b"]
    assert found.faults == {"a": "num_conv: Input should be a valid integer, got inf"}


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("04_\ud800", "the name holds U+D800, which can't be seen"),
        ("04_\u202e", "the name holds U+202E, which can't be seen"),
        ("\x1b[2J", "the name holds U+001B, which can't be seen"),
        ("x" * 301, "the name must be at most 300 characters, got 301"),
    ],
)
def test_a_name_that_hides_something_is_one_rows_fault(name: str, fault: str) -> None:
    found = parse(json.dumps({name: WHOLE, "b": WHOLE}).encode())
    assert list(found.rows) == ["b"]
    assert found.faults == {name: fault}
