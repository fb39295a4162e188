from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.outcome import BadInput
from harness.gate import stored_baseline
from harness.gate.gates import Costs
from harness.gate.stored_baseline import Inputs, Stored

RECORD = Stored(
    entry="acme",
    digest="d1",
    reference="rlfn_ntire_x4",
    reference_digest="d2",
    environment={"cpu": "Example 3.0", "threads": "2"},
    inputs=Inputs(4, (96, 96), 2, 0, (256, 256)),
    effects=((0.1, 0.2), (0.15,)),
    costs=Costs({"params": 3.0}, ("a",)),
    peaks=(7, 8),
)


def test_a_stored_baseline_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "base.json"
    stored_baseline.save(path, RECORD)
    assert stored_baseline.load(path) == RECORD


def test_a_stored_baseline_that_says_no_form_was_measured_as_code(tmp_path: Path) -> None:
    path = tmp_path / "base.json"
    for form, said in (("graph", {"form"}), ("code", set())):
        record = replace(RECORD, form=form)
        stored_baseline.save(path, record)
        assert json.loads(path.read_text(encoding="utf-8")).keys() & {"form"} == said
        assert stored_baseline.load(path) == record


def test_another_machine_is_refused_with_each_key_and_both_values(tmp_path: Path) -> None:
    here = {"cpu": "Example 3.0", "threads": "4", "torch": "2.13.0"}
    with pytest.raises(BadInput) as error:
        stored_baseline.refuse_other(tmp_path / "base.json", RECORD, environment=here)
    assert "threads is 4, it was 2" in str(error.value)
    assert "torch is 2.13.0, it was absent" in str(error.value)
    assert "cpu" not in str(error.value)
    stored_baseline.refuse_other(
        tmp_path / "base.json", RECORD, environment=dict(RECORD.environment)
    )


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 3}', "\x00"])
def test_a_file_that_is_no_baseline_is_bad_input(tmp_path: Path, text: str) -> None:
    path = tmp_path / "base.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=r"base\.json is no baseline"):
        stored_baseline.load(path)
    with pytest.raises(BadInput, match="can't be read"):
        stored_baseline.load(tmp_path / "none.json")


def test_a_baseline_of_another_schema_is_bad_input(tmp_path: Path) -> None:
    path = tmp_path / "base.json"
    stored_baseline.save(path, replace(RECORD, schema=9))
    with pytest.raises(BadInput, match="of schema 9, this is 3"):
        stored_baseline.load(path)


def test_a_baseline_without_a_turn_is_refused() -> None:
    with pytest.raises(ValueError, match="no turn"):
        replace(RECORD, effects=((),))
