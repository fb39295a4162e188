"""The table as CSV: figures in full precision in their column's unit, ranks in own columns.

A figure that was not measured is an empty field.
"""

from __future__ import annotations

import csv
import io
import re

from harness.render.table import Cell, Heading, Line, Table

# A spreadsheet runs a field that begins like a formula, also behind blanks, behind the full-width
# forms, and behind a character that another country's settings take for the separator.
_FORMULA = re.compile(r"(^|[;,|\t])(\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
_FIRST = ("kind", "id", "team", "title", "badges", "reason")


def guard(text: str) -> str:
    """Text that no spreadsheet takes for a formula: a quote stands before what would begin one."""
    return _FORMULA.sub(r"\1\2'", text)


def to_csv(table: Table) -> str:
    """One line a row; `kind` is ranked, unranked, floor, below (the floor), failed or published."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    heads = list(_FIRST)
    for heading in table.headings:
        name = f"{heading.group} {heading.full}".strip()
        heads += [name, f"{name} rank"] if heading.has_rank else [name]
    writer.writerow([guard(head) for head in heads])
    for line in table.lines:
        writer.writerow(_fields(table, line))
    return stream.getvalue()


def _fields(table: Table, line: Line) -> list[str | float | int]:
    marks = ", ".join(badge.text for badge in line.badges)
    texts = (line.kind, line.id, line.team, line.title, marks, line.remark)
    fields: list[str | float | int] = [guard(text) for text in texts]
    for heading, cell in zip(table.headings, line.cells, strict=True):
        fields.append(_value(heading, cell))
        if heading.has_rank:
            fields.append("" if cell.rank is None else cell.rank)
    return fields


def _value(heading: Heading, cell: Cell) -> str | float | int:
    if cell.value is None or heading.words:
        return "" if cell.value is None else cell.text
    # Twelve digits drop what the change of unit added behind the figure.
    rounded = float(f"{cell.value:.12g}")
    return int(rounded) if rounded.is_integer() else rounded
