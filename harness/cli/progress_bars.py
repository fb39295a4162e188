"""Progress on standard error: bars of rich on a terminal, else lines with the time of day."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Drawn
from rich.progress import TimeElapsedColumn as Elapsed
from rich.table import Column

from harness.core.progress import Progress
from harness.render.text import clean

_WIDE = 100  # columns of a terminal that has room for longer bars
_EVERY_S = 10.0  # at most one line of steps
_TOLD = 0.02  # of a stage, before which nobody knows how long it takes


class Bars(Progress):
    """One bar a stage."""

    def __init__(self, progress: Drawn) -> None:
        self._progress = progress
        self._task: TaskID | None = None
        self._done = 0

    def warn(self, text: str) -> None:
        """Print a line above the bars."""
        self._progress.console.print(escape(clean(text)), style="yellow", highlight=False)

    def stage(self, title: str, total: int) -> None:
        """Begin a bar."""
        self._task, self._done = self._progress.add_task(escape(title), total=total, now=""), 0

    def step(self, text: str, share: float = 0.0) -> None:
        """Show what is being worked on."""
        if self._task is not None:
            whole, now = self._done + share, escape(clean(text))
            self._progress.update(self._task, completed=whole, now=now, refresh=True)

    def done(self, text: str = "") -> None:
        """Advance the bar; a text stays as a line above it."""
        self._done += 1
        if self._task is not None:
            self._progress.update(self._task, completed=self._done, refresh=True)
        if text:
            self._progress.console.print(escape(clean(text)), highlight=False)


class Lines(Progress):
    """Whole lines, each with the time: for a log, where nothing can be drawn over."""

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._write, self._clock, self._now = write, clock, now
        self._title, self._total, self._done = "", 0, 0
        self._began = self._told = 0.0

    def warn(self, text: str) -> None:
        """Write it at once."""
        self._line(text)

    def stage(self, title: str, total: int) -> None:
        """Write that it begins."""
        self._title, self._total, self._done = title, total, 0
        self._began = self._told = self._clock()
        self._line(f"{title}: 0 of {total}")

    def step(self, text: str, share: float = 0.0) -> None:
        """Write it unless a line was written within the last seconds."""
        if self._clock() - self._told >= _EVERY_S:
            self._told = self._clock()
            left = self._left(self._done + share)
            self._line(f"{self._title}: {self._done} of {self._total}; {text}{left}")

    def done(self, text: str = "") -> None:
        """Count it; a text is a line, and so is the end of the stage."""
        self._done += 1
        if text:
            self._line(text)
        if self._done == self._total:
            self._line(
                f"{self._title}: all {self._total} in {_spoken(self._clock() - self._began)}"
            )

    def _left(self, done: float) -> str:
        part = done / self._total if self._total else 0.0
        if not _TOLD < part < 1.0:
            return ""
        return f"; about {_spoken((self._clock() - self._began) * (1.0 - part) / part)} left"

    def _line(self, text: str) -> None:
        self._write(f"{self._now():%H:%M:%S} {clean(text)}")


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100.0 else f"{seconds / 60.0:.0f} min"


@contextmanager
def bars() -> Iterator[Progress]:
    """A display while a use case runs: live on a terminal, else lines."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines(lambda text: console.print(text, soft_wrap=True, markup=False, highlight=False))
        return
    with drawn(console) as progress:
        yield Bars(progress)


def drawn(console: Console) -> Drawn:
    """The bars, each in one line of the console."""
    columns = (
        TextColumn("{task.description:>10}"),
        BarColumn(bar_width=30 if console.width >= _WIDE else 12),
        MofNCompleteColumn(),
        Elapsed(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn(
            "{task.fields[now]}",
            table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
        ),
    )
    # drawn at each step and never between: a refresh thread would work beside timed forwards
    return Drawn(*columns, console=console, auto_refresh=False, expand=True)
