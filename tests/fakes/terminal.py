"""A table as a terminal without colours shows it."""

from __future__ import annotations

from rich.console import Console

from harness.render.as_terminal import TerminalTable
from harness.render.table import Table


def to_plain(table: Table, *, width: int = 200) -> str:
    """The text of the terminal's table at a width in characters."""
    console = Console(width=width, color_system=None, force_terminal=False, file=None)
    with console.capture() as capture:
        console.print(TerminalTable(table))
    return capture.get()
