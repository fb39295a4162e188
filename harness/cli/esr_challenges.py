"""`esr challenges`: rulebooks, bundled and new ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.console import explained, print_json, say, show, text_table
from harness.cli.options import ListAsJson, challenge_ids

app = typer.Typer(help="Rulebooks: list, show, validate, begin one.", no_args_is_help=True)


@app.command("list")
def listing(as_json: ListAsJson = False) -> None:
    """Show the bundled challenges."""
    from harness.rules import rulebook

    found = [rulebook.read(name) for name in rulebook.names()]
    if as_json:
        print_json(
            [
                {
                    "id": it.id,
                    "title": it.title,
                    "scale": it.scale,
                    "datasets": [use.name for use in it.datasets],
                }
                for it in found
            ]
        )
        return
    table = text_table("id", "title", "scale", "datasets")
    for challenge in found:
        names = ", ".join(use.name + ("" if use.required else "?") for use in challenge.datasets)
        table.add_row(challenge.id, challenge.title, f"x{challenge.scale}", names)
    show(table)


@app.command("show")
def showing(
    name: Annotated[
        str,
        typer.Argument(help="Id of a challenge, or a .toml file.", autocompletion=challenge_ids),
    ],
    as_json: Annotated[  # noqa: ARG001 - taken as everywhere: there is no other form
        bool, typer.Option("--json", help="Print one JSON document, as without it.")
    ] = False,
) -> None:
    """Print a challenge as it is understood, defaults filled in, as JSON; check a file of yours."""
    import json

    from harness.core.challenge import Challenge
    from harness.documents import typed
    from harness.usecases.evaluate import read_rules

    with explained():
        challenge = read_rules(name)
    print_json(json.loads(typed.adapter(Challenge).dump_json(challenge)))


@app.command("new")
def new_challenge(
    name: Annotated[str, typer.Argument(metavar="ID", help="Id of the challenge: a-z, 0-9 and _.")],
    folder: Annotated[Path, typer.Option(help="Where ID.toml is written.")] = Path(),
) -> None:
    """Write a commented rulebook, ID.toml, which runs on the bundled sample data."""
    from harness.rules import new_rulebook

    with explained():
        path = new_rulebook.write(folder, name)
    say(f"wrote {path}")
    say(f"next: esr challenges show {path}; esr run --challenge {path}")
