"""The use cases from Python."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.challenges import write_challenge, write_set5
from fakes.entries import GOOD, write_entry

import harness
from harness.core.outcome import BadInput
from harness.usecases.inspect import Inspected

EVEN_ONLY = GOOD.replace(
    "        return", "        assert image.shape[-1] % 2 == 0, 'even widths only'\n        return"
)
RANDOM = GOOD.replace('mode="bilinear")', 'mode="bilinear") + torch.rand(1)')


def inspected(place: Path, source: str) -> Inspected:
    entry = write_entry(place / "entry", source)
    (found,) = harness.inspect([str(entry)], reports=place / "reports", size=(32, 32))
    return found


def levels(found: Inspected) -> dict[str, str]:
    return {finding.check: finding.level for finding in found.findings}


def test_a_board_becomes_a_data_frame_and_is_drawn_again_from_records(tmp_path: Path) -> None:
    entry = str(write_entry(tmp_path / "good"))
    options = {
        "challenge": str(write_challenge(tmp_path / "tiny.toml")),
        "data_dir": str(write_set5(tmp_path / "data")),
        "reports": str(tmp_path / "reports"),
    }
    board = harness.evaluate([entry], **options)
    frame = harness.to_frame(board)
    assert sorted(frame["id"]) == ["bicubic", "good"]
    again = harness.report("tiny", reports=tmp_path / "reports")
    assert again.rows == board.rows
    with pytest.raises(BadInput, match="classic_x4 wants quality_profile 'classic-y'"):
        harness.report("tiny", reports=tmp_path / "reports", rules="classic_x4")


def test_a_good_entry_has_nothing_to_mend(tmp_path: Path) -> None:
    found = inspected(tmp_path, GOOD)
    assert found.failure is None
    odd = {check for check, level in levels(found).items() if level != "ok"}
    assert odd == {"counts of the graph"}  # it has no products
    assert found.counts is not None
    assert found.verdict is not None


def test_an_odd_size_that_fails_is_a_finding_and_counting_goes_on(tmp_path: Path) -> None:
    found = inspected(tmp_path, EVEN_ONLY)
    assert found.failure is None
    assert levels(found) | {"LR 37x29": "failed"} == levels(found)
    assert found.counts is not None


def test_random_output_is_found(tmp_path: Path) -> None:
    assert levels(inspected(tmp_path, RANDOM))["determinism"] == "failed"


def test_a_model_without_parameters_needs_no_weights_and_its_range_is_looked_at(
    tmp_path: Path,
) -> None:
    found = inspected(tmp_path, GOOD.replace('mode="bilinear")', 'mode="bilinear") * 255'))
    assert found.weights == "own"
    assert levels(found)["output range"] != "ok"
