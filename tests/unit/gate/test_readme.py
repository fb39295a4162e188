"""The reference of gates against the code that reads them."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from typing import get_args

import pytest
from reference_tables import Reference

from harness.documents import typed
from harness.gate.configuration import CheckConfiguration
from harness.gate.gates import Gate, GateKind, GateMetric
from harness.gate.result import CheckExit

README = Reference("harness/gate/README.md")
TABLES = {"The check": CheckConfiguration, "A gate": Gate}


@pytest.mark.parametrize("heading", TABLES)
def test_every_field_stands_in_the_reference_with_its_default(heading: str) -> None:
    assert set(README.rows(heading)) == {it.name for it in fields(TABLES[heading])}
    assert README.wrong_defaults(heading, TABLES[heading]) == {}


def test_every_metric_and_kind_of_a_gate_is_named() -> None:
    named = set(re.findall(r"`(\w+)`", README.section("A gate")))
    assert {*get_args(GateMetric), *get_args(GateKind)} <= named


def test_every_exit_code_is_told() -> None:
    codes = re.findall(r"^\| (\d) \|", README.section("In CI"), re.MULTILINE)
    assert [int(code) for code in codes] == list(CheckExit)


def test_the_example_is_a_configuration() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", README.text, re.DOTALL)
    book = typed.build(CheckConfiguration, tomllib.loads(example)["tool"]["esr"]["check"])
    assert [(it.metric, it.entry, it.limit) for it in book.gates] == [
        ("runtime", "", 3.0),
        ("psnr", "my_model", 0.05),
    ]
