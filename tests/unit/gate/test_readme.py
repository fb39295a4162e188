"""The reference of gates against the code that reads them."""

from __future__ import annotations

import re
import tomllib
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, get_args

import pytest

from harness.documents import typed
from harness.gate.configuration import CheckConfiguration
from harness.gate.gates import Gate, GateKind, GateMetric
from harness.gate.result import CheckExit

TEXT = (Path(__file__).parents[3] / "harness" / "gate" / "README.md").read_text(encoding="utf-8")
TABLES = {"The check": CheckConfiguration, "A gate": Gate}


@pytest.mark.parametrize("heading", TABLES)
def test_every_field_stands_in_the_reference_with_its_default(heading: str) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", _section(heading), re.MULTILINE))
    assert rows == {it.name: _told(it, rows) for it in fields(TABLES[heading])}


def test_every_metric_and_kind_of_a_gate_is_named() -> None:
    named = set(re.findall(r"`(\w+)`", _section("A gate")))
    assert {*get_args(GateMetric), *get_args(GateKind)} <= named


def test_every_exit_code_is_told() -> None:
    codes = re.findall(r"^\| (\d) \|", _section("In CI"), re.MULTILINE)
    assert [int(code) for code in codes] == list(CheckExit)


def test_the_example_is_a_configuration() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    book = typed.build(CheckConfiguration, tomllib.loads(example)["tool"]["esr"]["check"])
    assert [(it.metric, it.entry, it.limit) for it in book.gates] == [
        ("runtime", "", 3.0),
        ("psnr", "my_model", 0.05),
    ]


def _section(heading: str) -> str:
    """The text below a heading, down to the next one."""
    (text,) = re.findall(rf"^##+ {heading}\n(.*?)(?=^#|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    return str(text)


def _told(it: Field[Any], rows: dict[str, str]) -> str:
    """What the reference says of a default if that is right."""
    cell = rows.get(it.name, "is missing")
    if it.default is MISSING:
        return "required"
    if it.default is None:
        return cell if cell.startswith("none") else "none"
    told = tomllib.loads(f"it = {cell.split('`')[1]}")["it"]
    given = list(it.default) if isinstance(it.default, tuple) else it.default
    return cell if (type(told), told) == (type(given), given) else repr(given)
