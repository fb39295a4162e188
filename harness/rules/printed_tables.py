"""Published tables: a document (TOML) and its figures (CSV), read with every fault named.

The figures' headings are `id`, `team`, `role` (reference or entry), `competes` (yes or no: a
reference may stand outside the competition), then metric keys with their unit in brackets, as
`runtime [ms]` or `psnr:Set5 [dB]`, then what print says of places, as `printed rank main`. An empty
cell is a figure that is not printed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import cast

from harness.core.leaderboard import BoardEntry, RowRole
from harness.core.metrics import UNITS, refuse_unit
from harness.core.outcome import BadInput
from harness.core.printed_table import PrintedRow, PrintedTable
from harness.documents import typed
from harness.rules.rulebook import path_of

BUNDLED = Path(__file__).parent / "tables"
_TEXTS = ("id", "team", "role", "competes")
_PLACE = "printed "
_LARGEST = 1e18  # of a figure in the unit of its column, which may be a count's own


def read(name_or_path: str) -> tuple[PrintedTable, tuple[PrintedRow, ...]]:
    """A bundled table by id, or a .toml file with a .csv beside it, and its rows as printed.

    Raises BadInput with all faults of the first of the two files that has any.
    """
    path = path_of(name_or_path, BUNDLED, "published table")
    text = _text(path)
    try:
        table = typed.build(PrintedTable, typed.read_toml(text))
    except typed.Faults as faults:
        raise BadInput("\n".join(f"{path}: {line}" for line in faults.lines)) from None
    except ValueError as error:
        raise BadInput(f"{path}: {error}") from None
    figures = path.with_suffix(".csv")
    rows, lines = _rows(_text(figures))
    named = [("corrections", it.entry) for it in table.corrections]
    named += [(f"tie_order.{key}", id_) for key, ids in table.tie_order.items() for id_ in ids]
    known = {row.entry.id for row in rows}
    lines += [f"{at} names {id_!r}, which has no row" for at, id_ in named if id_ not in known]
    if lines:
        raise BadInput("\n".join(f"{figures}: {line}" for line in lines))
    return table, rows


def _text(path: Path) -> str:
    try:
        return typed.text_of(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: {error}") from None


def _rows(text: str) -> tuple[tuple[PrintedRow, ...], list[str]]:
    reader = csv.DictReader(io.StringIO(text))
    headings = reader.fieldnames or ()
    units, faults = _units([name for name in headings if name not in _TEXTS])
    faults += [f"column {name!r} is missing" for name in _TEXTS if name not in headings]
    if faults:
        return (), faults
    rows: list[PrintedRow] = []
    for number, line in enumerate(reader, start=2):
        try:
            rows.append(_row(line, units))
        except ValueError as error:
            faults.append(f"line {number}: {error}")
    ids = [row.entry.id for row in rows]
    faults += [f"{id_!r} stands twice" for id_ in sorted(set(ids)) if ids.count(id_) > 1]
    return tuple(rows), faults


def _units(headings: list[str]) -> tuple[dict[str, tuple[str, str]], list[str]]:
    """Heading to metric key and unit, for those that hold figures; and what is wrong with them."""
    units: dict[str, tuple[str, str]] = {}
    faults = []
    for heading in headings:
        if heading.startswith(_PLACE):
            continue
        key, _, unit = heading.partition(" ")
        try:
            refuse_unit(key, unit.strip("[]"))
        except ValueError as error:
            faults.append(f"column {heading!r}: {error}")
        units[heading] = (key, unit.strip("[]"))
    return units, faults


def _row(line: Mapping[str, str | None], units: Mapping[str, tuple[str, str]]) -> PrintedRow:
    cells = {name: value or "" for name, value in line.items() if isinstance(name, str)}
    if not cells["id"]:
        raise ValueError("id is empty")
    if cells["role"] not in ("reference", "entry"):
        raise ValueError(f"role must be reference or entry, got {cells['role']!r}")
    if cells["competes"] not in ("yes", "no"):
        raise ValueError(f"competes must be yes or no, got {cells['competes']!r}")
    entry = BoardEntry(
        id=cells["id"],
        team=cells["team"],
        title=cells["team"],
        role=cast("RowRole", cells["role"]),
        rankable=cells["competes"] == "yes",
        values={key: _base(cells[at], unit) for at, (key, unit) in units.items() if cells[at]},
    )
    places = {
        at.removeprefix(_PLACE): _base(value, "")
        for at, value in cells.items()
        if at.startswith(_PLACE) and value
    }
    return PrintedRow(entry, places)


def _base(text: str, unit: str) -> float:
    """The figure in its base unit, without the noise that a division of floats would add."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is no figure") from None
    if not value.is_finite():
        raise ValueError(f"{text!r} is no figure; leave the cell empty")
    if not -_LARGEST <= value <= _LARGEST:
        raise ValueError(f"{text!r:.40} is beyond {_LARGEST:g}")
    return float(value / Decimal(repr(UNITS[unit].factor)) if unit else value)
