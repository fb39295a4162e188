"""`esr site`: all boards as a folder that can be served as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.console import explained, say, say_written


def site(
    output: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("site"),
    title: Annotated[str, typer.Option(help="Heading of the index; default: a general one.")] = "",
    published: Annotated[
        list[str] | None,
        typer.Option(
            help="Printed tables to show, by id or .toml file, or none; default: all bundled.",
            autocompletion=options.table_ids,
        ),
    ] = None,
    reports: options.RunFolder = Path("reports"),
) -> None:
    """Write all boards beneath an index, for a web server or to be opened as files.

    Beside each board's own pages stand a comparison of two models, a page for each model that
    several boards have, and the printed years beside each other.
    """
    from harness.usecases.site import TITLE, SiteRequest, write_site

    with explained():
        tables = None if published is None else tuple(it for it in published if it != "none")
        written = write_site(SiteRequest(reports, output, title or TITLE, tables))
    for name, why in written.left_out:
        say(f"left out {name}: {why}")
    say_written([written.index])
