"""What a person sees while it trains: loss, validation PSNR, time left."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.progress import TimeRemainingColumn as TimeLeftColumn

from reference_models.training.log import Row

_SPEED_PERIOD_S = 600.0


class Bar:
    """An observer that draws a bar, and a line for every validation."""

    def __init__(self, console: Console, *, total: int, done: int) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeLeftColumn(),
            console=console,
            speed_estimate_period=_SPEED_PERIOD_S,
        )
        self._task = self._progress.add_task("training", total=total, completed=done)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def iteration(self, done: int) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=done)

    def row(self, row: Row) -> None:
        """Show the latest loss, and PSNR where it was measured."""
        self._progress.update(self._task, description=f"{row.stage}, loss {row.loss:.5f}")
        if row.psnr_db is not None:
            self._console.print(
                f"{row.iteration:>8}  {row.stage}  loss {row.loss:.5f}  "
                f"validation {row.psnr_db:.3f} dB  rate {row.learning_rate:.2e}  "
                f"{row.seconds:.0f} s",
                highlight=False,
            )
