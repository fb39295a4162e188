"""Two models of a board beside each other; without JavaScript all of them beside one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from markupsafe import Markup

from harness.core.leaderboard import Leaderboard, Row
from harness.core.metrics import QUALITY
from harness.render.around import Around
from harness.render.page import to_html
from harness.render.shell import TEMPLATES, policy, style, templates
from harness.render.table import Cell, Heading, Line, Table, table

_FIGURED = ("ranked", "unranked", "below")  # kinds of rows
_QUALITY = tuple(it.key for it in QUALITY)


def to_pair_page(board: Leaderboard, around: Around) -> str:
    """The HTML document. Which two are compared stands in its address."""
    drawn = table(board)
    base = _base(board, drawn)
    script = (TEMPLATES / "compare.js").read_text(encoding="utf-8")
    beside = Markup(to_html(_beside(drawn, base))) if base else ""  # noqa: S704 - escaped there
    return (
        templates()
        .get_template("compare.html.j2")
        .render(
            policy=policy(script),
            script=Markup(script),  # noqa: S704 - a file of ours
            style=style(),
            title=f"{drawn.title}: two models",
            heading=drawn.title,
            root=around.root,
            base=base.name if base else "",
            beside=beside,
            data=Markup(_data(board, drawn)),  # noqa: S704 - without a character that HTML knows
        )
    )


def _base(board: Leaderboard, drawn: Table) -> Line | None:
    """The baseline's line, or the first with figures."""
    lines = [it for it in drawn.lines if it.kind in _FIGURED and not it.empty]
    named = (it for it in lines if it.id == board.challenge.baseline)
    return next(named, lines[0] if lines else None)


def _beside(drawn: Table, base: Line) -> Table:
    """The table with each figure of which one is better over that of a line, or less it."""
    kept = [at for at, it in enumerate(drawn.headings) if it.better and it.key != "runtime_ratio"]
    headings = tuple(replace(drawn.headings[at], unit=_unit(drawn.headings[at])) for at in kept)
    lines = [
        replace(
            line,
            link=f"index.html{line.link}" if line.link.startswith("#") else line.link,
            cells=tuple(_apart(drawn.headings[at], line.cells[at], base.cells[at]) for at in kept),
            badges=(),
            remark="",
        )
        for line in drawn.lines
        if line.kind in _FIGURED and not line.empty
    ]
    heads = tuple(replace(it, ranked=False) for it in headings)
    return replace(drawn, headings=heads, lines=tuple(lines), notes=())


def _unit(heading: Heading) -> str:
    return heading.unit if _differs(heading) else "×"


def _differs(heading: Heading) -> bool:
    """Whether two figures are compared by their difference: decibels and shares have no ratio."""
    return heading.key.partition(":")[0] in _QUALITY


def _apart(heading: Heading, cell: Cell, base: Cell) -> Cell:
    if cell.value is None or base.value is None:
        return Cell()
    if _differs(heading):
        apart = cell.value - base.value
        decimals = len(cell.text.partition(".")[2])
        return Cell(f"{apart:+.{decimals}f}".replace("-", "−"), apart)
    if base.value == 0.0:
        return Cell()
    return Cell(f"{cell.value / base.value:.3f}", cell.value / base.value)


def _data(board: Leaderboard, drawn: Table) -> str:
    """All lines for the script, as JSON in ASCII without `<`, `>` and `&`."""
    rows = {row.entry.id: row for row in board.rows}
    lines = [it for it in drawn.lines if it.kind in (*_FIGURED, "floor")]
    told = {
        "columns": [
            {
                "title": " ".join(filter(None, (it.group, it.title))),
                "unit": it.unit,
                "better": it.better,
                "differs": _differs(it),
            }
            for it in drawn.headings
        ],
        "rows": [_row(line, rows.get(line.id)) for line in lines],
        "baseline": board.challenge.baseline,
    }
    text = json.dumps(told, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _row(line: Line, row: Row | None) -> dict[str, Any]:
    span = row.runtime_span if row else None
    return {
        "id": line.id,
        "name": line.name,
        "link": f"index.html{line.link}" if line.link.startswith("#") else line.link,
        "span": [span.first, span.last] if span else None,
        "cells": _cells(line.cells),
    }


def _cells(cells: Sequence[Cell]) -> list[list[Any]]:
    return [[it.text, it.value, it.place, it.spread] for it in cells]
