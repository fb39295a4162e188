"""`esr plot`: the plots of a board as files for a paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.console import explained, say, say_written


def plot(
    challenge: options.ChallengeRun = None,
    published: Annotated[
        str | None,
        typer.Option(
            help="Plot a published table instead: a bundled id, or a .toml file.",
            autocompletion=options.table_ids,
        ),
    ] = None,
    reports: options.RunFolder = Path("reports"),
) -> None:
    """Write PSNR against runtime, parameters, MACs and memory as SVG and PDF.

    Each in two sizes: as wide as one column of a paper and as two.
    """
    from harness.core.outcome import BadInput
    from harness.documents import atomic
    from harness.render.drawable import drawable
    from harness.render.plots.plot_files import plot_files
    from harness.usecases.report import regenerate, report, run_name

    with explained():
        if published is not None and challenge is not None:
            raise BadInput(f"name a challenge that was run ({challenge}) or --published, not both")
        if published is not None:
            again = regenerate(published)
            board, folder = again.board, reports / "published" / again.table.id
        else:
            named = challenge or "sample"
            board, folder = report(named, reports), reports / run_name(named)
        shown, files = drawable(board, plot_files)
        for drawn, row in zip(shown.rows, board.rows, strict=True):
            if drawn is not row:
                say(f"{row.entry.id}: {drawn.reason}")
        if not files:
            raise BadInput(
                "no row has PSNR of a trained model and a cost: there is nothing to plot"
            )
        for file, data in files.items():
            atomic.write(folder / "plots" / file, data)
    say_written(folder / "plots" / file for file in files)
