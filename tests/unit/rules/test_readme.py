"""The reference of rulebooks against the code that reads them."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

import pytest
from reference_tables import Reference

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

README = Reference("harness/rules/README.md")
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
    assert set(README.rows(heading)) == {it.name for it in fields(SECTIONS[heading])}


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_reference_tells_the_defaults_of_the_reader(heading: str) -> None:
    assert README.wrong_defaults(heading, SECTIONS[heading]) == {}


@pytest.mark.parametrize("kind", [Layout, Bundled])
def test_the_fields_of_small_tables_are_named(kind: type[Any]) -> None:
    assert all(f"`{it.name}`" in README.section("define") for it in fields(kind))


def test_the_reference_has_every_metric_with_its_units() -> None:
    told = {
        name.partition(":")[0]: (base.strip("`"), set(re.findall(r"`(\S+)`", units)), better)
        for name, (_, _, base, units, better) in README.rows("Metrics").items()
    }
    assert told == {
        key: (
            it.unit or "none",
            {name for name, unit in UNITS.items() if unit.of == it.unit},
            it.better,
        )
        for key, it in METRICS.items()
    }


def test_the_reference_has_every_convention_and_layout() -> None:
    assert all(f'`"{name}"`' in README.rows("The rulebook")["macs"][3] for name in CONVENTIONS)
    assert all(f"`{name}`" in README.section("Where images lie") for name in usual_layouts())


def test_the_bundled_challenges_are_told_with_their_data() -> None:
    rows = README.rows("From a rulebook to a table").items()
    assert {name: set(re.findall(r"[A-Z]\w+\??", sets)) - {"LR"} for name, (_, sets) in rows} == {
        name: {
            f"{use.name}{'' if use.required else '?'}"
            for use in rulebook.read(name).datasets
            if not use.name.startswith("sample_")
        }
        for name in rulebook.names()
    }
