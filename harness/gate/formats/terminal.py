"""The answers for a terminal. Text is never read as rich's markup."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.gate.formats.rows import CheckResult, lines, remarks, shown
from harness.gate.result import Checked
from harness.render.text import inert

_STYLES: dict[CheckResult, str] = {
    "pass": "green",
    "new": "cyan",
    "regression": "red",
    "quality": "red",
    "inconclusive": "yellow",
    "disputed": "red",
    "error": "red",
}


def to_terminal(checked: Sequence[Checked]) -> RenderableType:
    """One row a gate, if there was any, then what else is to be known."""
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("Entry", "Gate", "Baseline", "Candidate", "Change", "Says"):
        right = title in ("Baseline", "Candidate")
        grid.add_column(title, justify="right" if right else "left", overflow="fold")
    for line in lines(checked):
        style = _STYLES[line.outcome]
        texts = (line.gate, line.old, line.new, line.change)
        grid.add_row(Text(line.entry), *map(Text, texts), Text(line.word, style=style))
    told: list[str] = []
    # each line begins with the entry's id: no line of a log is the submission's alone
    for one in checked:
        rows = (row for row in lines([one]) if row.text)
        said = (f"{row.gate.lower()} {row.word}: {row.text}" for row in rows)
        told += [inert(f"{shown(one.entry)}: {text}") for text in (*said, *remarks(one))]
    return Group(*([grid] if grid.row_count else []), *map(Text, told))
