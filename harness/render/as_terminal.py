"""The table for a terminal. Text is never read as rich's markup."""

from __future__ import annotations

from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table as Grid
from rich.text import Text

from harness.render.table import SECTIONS, Cell, Heading, Line, RowKind, Table

NAME_WIDTH = 24
GAP = 3  # padding and divider between columns
_STYLES: dict[RowKind, str] = {"published": "dim", "failed": "red", "floor": "italic"}


@dataclass(frozen=True)
class TerminalTable:
    """What rich prints: the table, reasons, which columns found no room, the notes."""

    table: Table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the columns that fit; one that would be squeezed is left out and named."""
        shown = _fitting(self.table, options.max_width)
        yield _grid(self.table, shown)
        for line in self.table.lines:
            if line.remark:
                yield Text(f"{line.name}: {line.remark}")
        left_out = [it for number, it in enumerate(self.table.headings) if number not in shown]
        if left_out:
            names = ", ".join(" ".join(filter(None, (it.group, it.full))) for it in left_out)
            yield Text(f"No room here for: {names}. They are in the written tables.", style="dim")
        for note in self.table.notes:
            yield Text(f"Note: {note}", style="dim")


def _grid(table: Table, shown: list[int]) -> Grid:
    grid = Grid(title=Text(table.title), box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    grid.add_column(Text("Team / model"), overflow="fold", min_width=NAME_WIDTH)
    for column in shown:
        grid.add_column(_head(table.headings[column]), justify="right", no_wrap=True)
    for number, (kind, lines) in enumerate(table.sections()):
        if number:
            grid.add_section()
        if kind != "ranked":
            grid.add_row(Text(SECTIONS[kind], style="bold"))
        for line in lines:
            cells = (_cell(line.cells[column]) for column in shown)
            grid.add_row(_name(line), *cells, style=_STYLES.get(line.kind, ""))
    return grid


def _fitting(table: Table, width: int) -> list[int]:
    """The columns that have room beside the names, what decides a challenge before the rest."""
    left = width - NAME_WIDTH - GAP
    chosen = []
    for column in sorted(range(len(table.headings)), key=lambda it: _turn(table.headings[it])):
        cells = [_cell(line.cells[column]).cell_len for line in table.lines]
        heads = [cell_len(part) for part in _head(table.headings[column]).plain.splitlines()]
        left -= max(cells + heads) + GAP
        if left < 0:
            break
        chosen.append(column)
    return sorted(chosen)


def _turn(heading: Heading) -> int:
    if heading.scored or heading.key == "runtime" or heading.key.startswith("psnr:"):
        return 0
    return 1 if heading.ranked else 2


def _head(heading: Heading) -> Text:
    lines = [heading.group, heading.title, f"[{heading.unit}]" if heading.unit else ""]
    return Text("\n".join(part for part in lines if part))


def _name(line: Line) -> Text:
    if line.kind == "published":
        return Text(f"  {line.team}: {line.title}", style="dim")
    name = Text.assemble((line.team, "bold"), " " if line.team else "", line.title)
    return name.append(f" ({line.marks})", style="dim") if line.marks else name


def _cell(cell: Cell) -> Text:
    rank = f" ({cell.place})" if cell.place else ""
    return Text.assemble((cell.text, "bold" if cell.best else ""), (rank, "dim"))
