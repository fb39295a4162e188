"""The reference of rulebooks against the code that reads them."""

from __future__ import annotations

import re
import tomllib
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

import pytest

from harness.core.challenge import (
    Challenge,
    Column,
    DatasetUse,
    Limit,
    Term,
    TimingProtocol,
    Track,
)
from harness.core.counter_registry import CONVENTIONS
from harness.core.dataset_definition import Bundled, Definition, Layout
from harness.core.metrics import METRICS, UNITS
from harness.datasets.known import usual_layouts
from harness.rules import rulebook

README = Path(__file__).parents[3] / "harness" / "rules" / "README.md"
TEXT = README.read_text(encoding="utf-8")
SECTIONS = {
    "The rulebook": Challenge,
    "datasets": DatasetUse,
    "define": Definition,
    "limits": Limit,
    "columns": Column,
    "tracks": Track,
    "terms": Term,
    "protocol": TimingProtocol,
}


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_reference_has_the_fields_that_the_reader_knows_and_no_others(heading: str) -> None:
    assert set(_rows(heading)) == {it.name for it in fields(SECTIONS[heading])}


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_reference_tells_the_defaults_of_the_reader(heading: str) -> None:
    rows = _rows(heading)
    wrong = {it.name: rows[it.name] for it in fields(SECTIONS[heading]) if not _told(it, rows)}
    assert wrong == {}


@pytest.mark.parametrize("kind", [Layout, Bundled])
def test_the_fields_of_small_tables_are_named(kind: type[Any]) -> None:
    assert all(f"`{it.name}`" in _section("define") for it in fields(kind))


def test_the_reference_has_every_metric_with_its_units() -> None:
    told = {}
    for line in re.findall(r"^\| (`.*) \|$", _section("Metrics"), flags=re.MULTILINE):
        names, _, base, units, better = line.split(" | ")
        for key in {key.partition(":")[0] for key in re.findall(r"`(\S+)`", names)}:
            told[key] = (base.strip("`"), set(re.findall(r"`(\S+)`", units)), better)
    assert told == {
        key: (
            it.unit or "none",
            {name for name, unit in UNITS.items() if unit.of == it.unit},
            it.better,
        )
        for key, it in METRICS.items()
    }


def test_the_reference_has_every_convention_and_layout() -> None:
    assert all(f'`"{name}"`' in _rows("The rulebook")["macs"] for name in CONVENTIONS)
    assert all(f"`{name}`" in _section("Where images lie") for name in usual_layouts())


def test_the_bundled_challenges_are_told_with_their_data() -> None:
    told = {}
    for cells in re.findall(r"^\| (`.*) \|$", _section("From a rulebook to a table"), re.MULTILINE):
        names, sets = cells.split(" | ")
        for name in re.findall(r"`(\w+)`", names):
            told[name] = set(re.findall(r"[A-Z]\w+\??", sets)) - {"LR"}
    assert told == {
        name: {
            f"{use.name}{'' if use.required else '?'}"
            for use in rulebook.read(name).datasets
            if not use.name.startswith("sample_")
        }
        for name in rulebook.names()
    }


def _section(heading: str) -> str:
    """The text below a heading, down to the next one."""
    (text,) = re.findall(rf"^##+ {heading}\n(.*?)(?=^#|\Z)", TEXT, flags=re.MULTILINE | re.DOTALL)
    return str(text)


def _rows(heading: str) -> dict[str, str]:
    """Lines of a section's table by the fields in their first cell."""
    lines = re.findall(r"^\| `.*$", _section(heading), flags=re.MULTILINE)
    return {name: line for line in lines for name in re.findall(r"`(\w+)`", line.split(" | ")[0])}


def _told(it: Field[Any], rows: dict[str, str]) -> bool:
    """Whether a field's default stands in its line; a default that is made says so in words."""
    names, _, cell, _ = rows[it.name].strip("|").split(" | ")
    if it.default is MISSING:
        return cell == ("required" if it.default_factory is MISSING else "its defaults")
    if it.default is None:
        return cell == "none"
    at = re.findall(r"`(\w+)`", names).index(it.name)
    value = tomllib.loads(f"it = {re.findall(r'`(.*?)`', cell)[at]}")["it"]
    given = list(it.default) if isinstance(it.default, tuple) else it.default
    return type(value) is type(given) and bool(value == given)
