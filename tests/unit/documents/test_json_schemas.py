from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import boards
from jsonschema import Draft202012Validator
from schemas import faults
from typer.testing import CliRunner

from harness.cli.app import app
from harness.core.leaderboard import Ratio
from harness.core.outcome import BadInput
from harness.core.submission import SCALES
from harness.documents.json_schemas import names, schema
from harness.render import document

NAMES = (
    *(
        "adopt",
        "challenges",
        "check",
        "data",
        "data_fetch",
        "doctor",
        "entries",
        "inspect",
        "leaderboard",
    ),
    *("sandbox", "shard", "weights_files", "weights_list"),
)


def objects(node: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema within a schema that describes objects, with its place."""
    if isinstance(node, dict):
        if node.get("type") == "object":
            yield place, node
        for key, value in node.items():
            yield from objects(value, f"{place}.{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from objects(value, f"{place}.{index}")


def printed(*arguments: str) -> Any:
    ran = CliRunner().invoke(app, [*arguments, "--json"])
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_valid_closed_and_tells_every_field(name: str) -> None:
    found = schema(name)
    Draft202012Validator.check_schema(found)
    for place, it in objects(found, name):
        assert "additionalProperties" in it, place
        for field, told in it.get("properties", {}).items():
            listed = it["additionalProperties"] is False and "required" not in it
            assert "description" in told or listed, f"{place}.{field}"


def test_each_document_has_a_schema() -> None:
    assert names() == NAMES


def test_an_unknown_document_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(BadInput, match="leaderboard"):
        schema("leaderbord")


def test_the_command_shows_names_and_schemas() -> None:
    shown = CliRunner().invoke(app, ["schema"])
    assert [line.split()[0] for line in shown.stdout.splitlines()] == list(NAMES)
    assert json.loads(CliRunner().invoke(app, ["schema", "check"]).stdout) == schema("check")
    assert CliRunner().invoke(app, ["schema", "none"]).exit_code == 2


def test_a_board_of_rows_of_every_sort_is_as_its_schema_says() -> None:
    board = boards.full_board()
    ratio = Ratio("rfdn", 1.2, 1.1, 1.3)
    board = replace(board, rows=tuple(replace(it, runtime_ratio=ratio) for it in board.rows))
    assert faults("leaderboard", document(board)) == []


def test_kept_documents_are_as_their_schema_says(repository: Path) -> None:
    kept = sorted((repository / "reports" / "published").rglob("leaderboard.json"))
    assert len(kept) >= 7
    for path in kept:
        assert faults("leaderboard", json.loads(path.read_text(encoding="utf-8"))) == [], path


def test_a_field_too_many_too_few_or_of_another_type_is_a_fault() -> None:
    shown = document(boards.board())
    assert faults("leaderboard", shown | {"extra": 1})
    assert faults("leaderboard", {key: it for key, it in shown.items() if key != "notes"})
    (row,) = shown["rows"]
    assert faults("leaderboard", shown | {"rows": [row | {"runtime_s": "fast"}]})
    assert faults("leaderboard", shown | {"rows": [row | {"macs_guessed": 1}]})


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("data", ("data",)),
        ("data", ("data", "--challenge", "sample")),
        ("entries", ("entries",)),
        ("weights_list", ("weights", "list")),
        ("challenges", ("challenges", "list")),
        ("leaderboard", ("report", "--published", "ntire2026")),
    ],
)
def test_what_commands_print_is_as_its_schema_says(
    name: str, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert faults(name, printed(*arguments)) == []


@pytest.mark.parametrize("name", ["challenges", "entries", "inspect", "leaderboard"])
def test_schemas_know_each_scale_that_a_submission_may_have(name: str) -> None:
    text = json.dumps(schema(name))
    assert f"[{', '.join(map(str, SCALES))}" in text
