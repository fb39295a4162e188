"""`esr new`: the start of a submission."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.console import explained, say


def new(
    name: Annotated[str, typer.Argument(help="Id of the entry: a-z, 0-9 and _.")],
    team: Annotated[str, typer.Option(help="What the table shows as the team.")] = "My team",
    scale: Annotated[int, typer.Option(help="2, 3 or 4.")] = 4,
    folder: Annotated[Path, typer.Option(help="Where the entry's folder is made.")] = Path(
        "submissions"
    ),
) -> None:
    """Write a working skeleton to submissions/NAME."""
    from harness.entries import skeleton

    with explained():
        entry = skeleton.place(folder, name)
        for path in skeleton.write(entry, team=team, scale=scale):
            say(f"wrote {path}")
    say(f"next: esr inspect {entry}")
