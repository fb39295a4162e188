"""`esr intake`: what participants hand in becomes folders that can be run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.console import explained, say, tell


def intake(
    source: Annotated[
        Path, typer.Argument(metavar="FOLDER_OR_ARCHIVE", help="What a participant handed in.")
    ],
    into: Annotated[Path, typer.Option(help="Where the entry's folder is made.")] = Path(
        "submissions"
    ),
) -> None:
    """Check a folder or archive, and copy it to submissions/ID; nothing of it is run."""
    from harness.usecases.intake import take_in

    with explained():
        taken = take_in(source, into)
    tell(str(taken.folder))
    locked = "esr lock" if taken.requirements else "esr inspect"
    say(f"next: {locked} {taken.folder}")
