"""`esr schema`: what the documents hold that other commands print and write."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.console import explained, print_json, tell


def schema(
    name: Annotated[
        str, typer.Argument(help="Of a document; without one all names are listed.")
    ] = "",
) -> None:
    """Print the JSON Schema (draft 2020-12) of what a command prints with --json."""
    from harness.documents import json_schemas

    with explained():
        if name:
            print_json(json_schemas.schema(name))
        else:
            for it in json_schemas.names():
                tell(f"{it:14} {json_schemas.schema(it)['title']}")
