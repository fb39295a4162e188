"""One board with a good entry among all the bad ones: it is scored, they are rows with reasons."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.challenges import write_challenge, write_set5
from fakes.entries import write_all_bad, write_entry

from harness.core.leaderboard import Leaderboard, Row
from harness.usecases.evaluate import RunRequest, evaluate

EXPECTED = {
    "missing_field": "submission.toml: team: is missing",
    "wrong_type": "scale: Input should be a valid integer, got '4'",
    "unknown_field": "colour: is no known field",
    "other_name": "id 'unlike_its_folder' is not the folder's name, 'other_name'",
    "missing_weights": "weights 'weights.safetensors' is not in the folder",
    "wrong_keys": "2 missing (conv.bias, conv.weight); 1 not in the model (body.weight)",
    "pickle_with_code": "a pickle with more than tensors in it",
    "wrong_size": "the output is 1x3x16x16, not 1x3x64x64",
    "not_a_tensor": "the output is a list, not a tensor",
    "nan_output": "the output holds NaN or infinity",
    "raises": "RuntimeError: the forward went wrong",
    "never_returns": "no answer within 3 s",
    "leaves": "the process ended by itself with status 7",
    "exits_at_import": "the code called sys.exit(3)",
}


@pytest.fixture(scope="module")
def marker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("marker") / "was-run"


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory, marker: Path) -> Leaderboard:
    root = tmp_path_factory.mktemp("bad")
    folders = [write_entry(root / "entries" / "good"), *write_all_bad(root / "entries", marker)]
    return evaluate(
        RunRequest(
            entries=tuple(map(str, folders)),
            challenge=str(write_challenge(root / "tiny.toml", deadline_s=3)),
            data_dir=write_set5(root / "data"),
            reports=root / "reports",
        )
    )


@pytest.fixture(scope="module")
def rows(board: Leaderboard) -> dict[str, Row]:
    return {row.entry.id: row for row in board.rows}


def test_every_entry_has_a_row(rows: dict[str, Row]) -> None:
    assert rows.keys() == {"good", "bicubic", *EXPECTED}


def test_the_good_one_is_scored_and_ranked(rows: dict[str, Row]) -> None:
    good = rows["good"]
    assert good.ranked
    assert good.ranks == {"runtime": 1}
    assert 15 < good.entry.values["psnr:Set5"] < 60
    assert good.entry.values["runtime"] > 0
    assert good.entry.badges == ()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_bad_one_says_what_is_wrong(rows: dict[str, Row], name: str) -> None:
    row = rows[name]
    assert row.entry.status == "failed"
    assert not row.ranked
    assert EXPECTED[name] in row.entry.reason


@pytest.mark.usefixtures("board")
def test_no_code_of_a_pickle_was_run(marker: Path) -> None:
    assert not marker.exists()
