"""`esr challenges` and `esr data`: rulebooks, bundled and new ones, and datasets."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import options
from harness.cli.console import explained, print_json, say, show, text_table
from harness.cli.options import ListAsJson, challenge_ids

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.core.dataset_definition import Definition
    from harness.datasets.dataset import Dataset


challenges = typer.Typer(help="Rulebooks: list, show, validate, begin one.", no_args_is_help=True)


@challenges.command("list")
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


@challenges.command("show")
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


@challenges.command("new")
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


def data(
    data_dir: Annotated[Path | None, typer.Option(help="Folder that holds the datasets.")] = None,
    challenge: Annotated[
        str | None,
        typer.Option(
            help="The datasets of this challenge alone: an id, or a .toml file.",
            autocompletion=challenge_ids,
        ),
    ] = None,
    scale: Annotated[
        int | None, typer.Option(help="2, 3 or 4; default: the challenge's, or 4.")
    ] = None,
    crop: options.Cropping = None,
    as_json: ListAsJson = False,
) -> None:
    """Show every known dataset, whether it is whole under --data-dir, and what is wrong if not."""
    from rich.markup import escape

    from harness.core.outcome import BadInput
    from harness.datasets.find import find, find_used
    from harness.datasets.known import known, lookup
    from harness.usecases.evaluate import read_rules

    with explained():
        if scale not in (None, 2, 3, 4):
            raise BadInput(f"--scale must be 2, 3 or 4, got {scale}")
        if data_dir is not None and not data_dir.is_dir():
            raise BadInput(f"{data_dir} is no folder: name the one that holds the datasets")
        rules = read_rules(challenge) if challenge else None
    if rules:
        rules = replace(rules if crop is None else rules.cropped(crop), scale=scale or rules.scale)
        rows = [
            _row(lookup(use.name, rules.define), partial(find_used, rules, use, data_dir))
            for use in rules.datasets
        ]
    else:
        look = partial(
            find, data_dir=data_dir, scale=scale or 4, truth=False, crop=crop or "multiple"
        )
        rows = [_row(item, partial(look, item.name)) for item in known()]
    if as_json:
        print_json(rows)
        return
    table = text_table("dataset", "images", "at hand", "notes")
    for row in rows:
        table.add_row(
            row["name"],
            str(row["count"]),
            str(row["found"]) if row["found"] else "–",
            escape("\n".join(row["notes"]) or row["reason"]),
        )
    show(table)


def _row(item: Definition, look: Callable[[], Dataset]) -> dict[str, Any]:
    from harness.datasets.dataset import DatasetError

    row = {"name": item.name, "title": item.title, "count": item.count, "source": item.source}
    try:
        found = look()
    except DatasetError as error:
        return {**row, "found": 0, "notes": [], "reason": str(error)}
    return {**row, "found": len(found.pairs), "notes": list(found.notes), "reason": ""}
