"""The table for a terminal. Text is never read as rich's markup."""

from __future__ import annotations

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table as Grid
from rich.text import Text

from harness.render.table import SECTIONS, Cell, Heading, Kind, Line, Table

_STYLES: dict[Kind, str] = {"published": "dim", "failed": "red", "floor": "italic"}


def to_terminal(table: Table) -> RenderableType:
    """What rich's Console prints: the table, then the reasons of what is not ranked."""
    grid = Grid(title=Text(table.title), box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    grid.add_column(Text("Team / model"), overflow="fold", min_width=16)
    for heading in table.headings:
        grid.add_column(_head(heading), justify="right", no_wrap=True)
    for number, (kind, lines) in enumerate(table.sections()):
        if number:
            grid.add_section()
        if kind != "ranked":
            grid.add_row(Text(SECTIONS[kind], style="bold"))
        for line in lines:
            grid.add_row(_name(line), *map(_cell, line.cells), style=_STYLES.get(line.kind, ""))
    remarks = [Text(f"{line.name}: {line.remark}") for line in table.lines if line.remark]
    return Group(grid, *remarks)


def to_plain(table: Table, *, width: int = 200) -> str:
    """The same without colours, for a log."""
    console = Console(width=width, color_system=None, force_terminal=False, file=None)
    with console.capture() as capture:
        console.print(to_terminal(table))
    return capture.get()


def _head(heading: Heading) -> Text:
    lines = [heading.group, heading.title, f"[{heading.unit}]" if heading.unit else ""]
    return Text("\n".join(part for part in lines if part))


def _name(line: Line) -> Text:
    if line.kind == "published":
        return Text(f"  {line.team}: {line.title}", style="dim")
    name = Text.assemble((line.team, "bold"), " " if line.team else "", line.title)
    return name.append(f" ({line.marks})", style="dim") if line.marks else name


def _cell(cell: Cell) -> Text:
    rank = "" if cell.rank is None else f" ({cell.rank})"
    return Text.assemble((cell.text, "bold" if cell.best else ""), (rank, "dim"))
