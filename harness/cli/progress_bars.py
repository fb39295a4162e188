"""Progress bars on standard error, with rich."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Drawn
from rich.progress import TimeElapsedColumn as Elapsed

from harness.core.progress import Progress
from harness.render.text import clean


class Bars(Progress):
    """One bar a stage."""

    def __init__(self, progress: Drawn) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def warn(self, text: str) -> None:
        """Print a line above the bars."""
        self._progress.console.print(escape(clean(text)), style="yellow", highlight=False)

    def stage(self, title: str, total: int) -> None:
        """Begin a bar."""
        self._task = self._progress.add_task(escape(title), total=total, now="")

    def step(self, text: str) -> None:
        """Show what is being worked on."""
        if self._task is not None:
            self._progress.update(self._task, now=escape(text), refresh=True)

    def done(self, text: str = "") -> None:
        """Advance the bar; a text stays as a line above it."""
        if self._task is not None:
            self._progress.update(self._task, advance=1, refresh=True)
        if text:
            self._progress.console.print(escape(clean(text)), highlight=False)


@contextmanager
def bars() -> Iterator[Bars]:
    """A live display while a use case runs; on no terminal only its lines."""
    columns = (
        TextColumn("{task.description:>10}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        Elapsed(),
        TextColumn("{task.fields[now]}"),
    )
    console = Console(stderr=True)
    # drawn at each step and never between: a refresh thread would work beside timed forwards
    with Drawn(*columns, console=console, auto_refresh=False) as progress:
        yield Bars(progress)
