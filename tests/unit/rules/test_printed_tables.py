from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.outcome import BadInput
from harness.core.printed_table import Correction, Ruling
from harness.rules import printed_tables, rulebook

TABLE = """
id = "mine"
title = "Mine"
rules = "ntire2022"
source = "A report"
"""
FIGURES = "id,team,role,competes,runtime [ms],params [M],memory [MiB],printed rank main\n"


def written(folder: Path, figures: str, table: str = TABLE) -> str:
    path = folder / "mine.toml"
    path.write_text(table, encoding="utf-8")
    path.with_suffix(".csv").write_text(figures, encoding="utf-8")
    return str(path)


def faults(folder: Path, figures: str, table: str = TABLE) -> list[str]:
    with pytest.raises(BadInput) as caught:
        printed_tables.read(written(folder, figures, table))
    return [line.partition(": ")[2] for line in str(caught.value).splitlines()]


def test_figures_are_read_into_base_units_without_noise(tmp_path: Path) -> None:
    text = FIGURES + "a,A,entry,yes,27.11,0.317,1.5,1\n"
    _, (row,) = printed_tables.read(written(tmp_path, text))
    assert row.entry.values == {"runtime": 0.02711, "params": 317_000, "memory": 1.5 * 2**20}
    assert row.places == {"rank main": 1}
    assert (row.entry.team, row.entry.role, row.entry.rankable) == ("A", "entry", True)


def test_an_empty_cell_is_a_figure_that_is_not_printed(tmp_path: Path) -> None:
    _, (row,) = printed_tables.read(written(tmp_path, FIGURES + "a,A,reference,no,,,,\n"))
    assert (row.entry.values, row.places, row.entry.rankable) == ({}, {}, False)


def test_every_faulty_line_is_named(tmp_path: Path) -> None:
    lines = ("a,A,entry,yes,fast,1,1,1", "b,B,floor,yes,1,1,1,1", "c,C,entry,maybe,1,1,1,1")
    more = (",D,entry,yes,1,1,1,1", "e,E,entry,yes,nan,1,1,1", "f,F,entry,yes,1,1,1,1")
    text = FIGURES + "\n".join((*lines, *more, more[-1])) + "\n"
    assert faults(tmp_path, text) == [
        "line 2: 'fast' is no figure",
        "line 3: role must be reference or entry, got 'floor'",
        "line 4: competes must be yes or no, got 'maybe'",
        "line 5: id is empty",
        "line 6: 'nan' is no figure; leave the cell empty",
        "'f' stands twice",
    ]


@pytest.mark.parametrize("text", ["1e300", "-2e18", "1e999999999"])
def test_a_figure_that_no_table_prints_is_a_fault(tmp_path: Path, text: str) -> None:
    line = f"a,A,entry,yes,{text},1,1,1\n"
    assert faults(tmp_path, FIGURES + line) == [f"line 2: {text!r} is beyond 1e+18"]


def test_headings_are_metrics_with_units_that_fit(tmp_path: Path) -> None:
    first, second, third = faults(tmp_path, "id,team,role,runtime [G],beauty\n")
    assert first.startswith("column 'runtime [G]': runtime can't be shown in the unit 'G'")
    assert second.startswith("column 'beauty': unknown metric 'beauty'")
    assert third == "column 'competes' is missing"


def test_every_fault_of_the_document_is_named(tmp_path: Path) -> None:
    rulings = "rulings = []\n"
    table = TABLE.replace('"A report"', "1") + "colour = 1\n" + rulings
    lines = faults(tmp_path, FIGURES, table)
    assert "source: Input should be a valid string, got 1" in lines
    assert "colour: is no known field" in lines
    assert faults(tmp_path, FIGURES, TABLE + rulings) == [
        "rulings need at least one, each with an id of its own, got []"
    ]


@pytest.mark.parametrize("line", ['series = "S"', "year = 2030"])
def test_a_series_has_a_year_and_a_year_a_series(tmp_path: Path, line: str) -> None:
    assert faults(tmp_path, FIGURES, f"{TABLE}{line}\n") == [
        "series and year belong together: give both or neither"
    ]


def test_corrections_and_ties_are_of_rows_that_are_there(tmp_path: Path) -> None:
    table = TABLE + (
        "[tie_order]\nmacs = ['nobody']\n"
        "[[corrections]]\nentry = 'none'\nmetric = 'macs'\nvalue = 1.0\nevidence = 'E'\n"
    )
    assert faults(tmp_path, FIGURES, table) == [
        "corrections names 'none', which has no row",
        "tie_order.macs names 'nobody', which has no row",
    ]


def test_an_unknown_table_names_the_known_ones() -> None:
    with pytest.raises(BadInput, match=r"'ntire1999': name one of ntire2022, .*\.toml file"):
        printed_tables.read("ntire1999")


def test_a_table_without_figures_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TABLE, encoding="utf-8")
    with pytest.raises(BadInput, match=r"mine\.csv.*No such file"):
        printed_tables.read(str(path))


def test_a_correction_needs_evidence_and_a_unit_that_fits() -> None:
    assert Correction("a", "macs", 9.108, "bound", unit="G").base_value == 9.108e9
    with pytest.raises(ValueError, match="needs its evidence in words"):
        Correction("a", "macs", 9.0, "")
    with pytest.raises(ValueError, match="can't be shown in the unit 'ms'"):
        Correction("a", "macs", 9.0, "bound", unit="ms")
    with pytest.raises(ValueError, match="id must be"):
        Ruling("A ruling", "")


@pytest.mark.parametrize("name", rulebook.names(printed_tables.BUNDLED))
def test_every_bundled_table_reads_and_its_rules_do(name: str) -> None:
    table, rows = printed_tables.read(name)
    assert table.id == name
    assert table.source
    assert rows
    assert rulebook.read(table.rules)
