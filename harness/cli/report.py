"""`esr report`: draw the table of the last run again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.output import explained
from harness.cli.run import finish


def report(
    challenge: Annotated[str, typer.Argument(help="Id of the challenge that was run.")] = "sample",
    rules: Annotated[
        str | None, typer.Option(help="Rank the same records by another challenge's rules.")
    ] = None,
    reports: Annotated[Path, typer.Option(help="Folder that the run wrote to.")] = Path("reports"),
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 if an entry failed or is not ranked.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document on standard output.")
    ] = False,
) -> None:
    """Rank and render what is on disk, without measuring."""
    from harness.pipeline import report as draw

    with explained():
        board = draw(challenge, reports, rules=rules)
        finish(board, reports / board.challenge.id, as_json=as_json, strict=strict)
