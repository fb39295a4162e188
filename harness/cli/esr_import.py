"""`esr import`: a results file of an official script as a board."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.console import explained
from harness.cli.esr_run import finish
from harness.cli.options import AsJson, Reports, Strict


def import_results(
    file: Annotated[Path, typer.Argument(help="results.json of an official script.")],
    challenge: Annotated[
        str, typer.Option(help="The challenge that the results are of: an id, or a .toml file.")
    ],
    name: Annotated[
        str, typer.Option(help="What the board is called; default: CHALLENGE_imported.")
    ] = "",
    reports: Reports = Path("reports"),
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Rank and render the figures of an official results file, marked as imported.

    Nothing is measured. `esr report NAME` draws the board again.
    """
    from harness.usecases.import_results import import_results as use_case

    with explained():
        board = use_case(file, challenge, reports, name=name)
        finish(board, reports / board.challenge.id, as_json=as_json, strict=strict)
