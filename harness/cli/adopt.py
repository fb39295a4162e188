"""`esr adopt`: entries of an official checkout as submissions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.output import Exit, explained, say


def adopt(
    checkout: Annotated[Path, typer.Argument(help="An official NTIRE ESR repository.")],
    ids: Annotated[str, typer.Option("--ids", help="Its entries, as in 0,4,25.")],
    to: Annotated[Path, typer.Option(help="Where the folders are made.")] = Path("submissions"),
    reports: Annotated[Path, typer.Option(help="Folder for logs.")] = Path("reports"),
) -> None:
    """Write entries of an official checkout as submission folders that give the same output."""
    from harness.cli.ids import id_list
    from harness.cli.progress import bars
    from harness.pipeline import adopt as write

    with explained():
        numbers = id_list(ids, checkout) or ()
        with bars() as progress:
            done = write(checkout, numbers, to=to, logs=reports / "adopt", progress=progress)
    for one in done:
        if one.failure:
            say(f"{one.candidate.id}: not adopted: {one.failure.message}")
        else:
            say("; ".join([f"wrote {one.folder}", *one.notes]))
    if all(one.failure for one in done):
        raise typer.Exit(Exit.NOT_MEASURED)
