"""`esr data`: which datasets are at hand, what is wrong with them, and the fetching of others."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import options
from harness.cli.console import ExitCode, explained, print_json, show, tell, text_table
from harness.cli.options import DataDir, ListAsJson, challenge_ids, dataset_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.core.challenge import CropRule
    from harness.core.dataset_definition import Definition
    from harness.core.dataset_download import FetchedFile
    from harness.datasets.dataset import Dataset

app = typer.Typer(
    help="Datasets: what is at hand, and where it is had.", invoke_without_command=True
)


@app.callback()
def at_hand(
    context: typer.Context,
    data_dir: DataDir = None,
    challenge: Annotated[
        str | None,
        typer.Option(
            help="The datasets of this challenge alone: an id, or a .toml file.",
            autocompletion=challenge_ids,
        ),
    ] = None,
    scale: Annotated[
        int | None, typer.Option(help="2, 3, 4 or 8; default: the challenge's, or 4.")
    ] = None,
    crop: options.Cropping = None,
    as_json: ListAsJson = False,
) -> None:
    """Show every known dataset, what of it is under --data-dir, and what is wrong with it."""
    from rich.markup import escape

    from harness.core.submission import SCALES

    if context.invoked_subcommand:
        return
    with explained():
        rows = _rows(data_dir, challenge, scale, crop)
    if as_json:
        print_json(rows)
        return
    table = text_table("dataset", "images", "at hand", "notes")
    for row in rows:
        stock = [
            f"x{scale}: HR {it['hr']}/{row['count']}, LR {it['lr']}/{row['count']}"
            for scale in SCALES
            if (it := row["at_hand"][f"x{scale}"]) and any(it.values())
        ]
        notes = escape("\n".join(row["notes"]) or row["reason"])
        table.add_row(row["name"], str(row["count"]), "\n".join(stock) or "–", notes)
    show(table)


def _rows(
    data_dir: Path | None, challenge: str | None, scale: int | None, crop: CropRule | None
) -> list[dict[str, Any]]:
    """What is known of the datasets that are asked for; BadInput for what was asked wrongly."""
    from harness.core.outcome import BadInput
    from harness.core.submission import SCALES
    from harness.datasets.find import find, find_used
    from harness.datasets.known import known, lookup
    from harness.usecases.evaluate import read_rules

    if scale not in (None, *SCALES):
        raise BadInput(f"--scale must be 2, 3, 4 or 8, got {scale}")
    if data_dir is not None and not data_dir.is_dir():
        raise BadInput(f"{data_dir} is no folder: name the one that holds the datasets")
    if not challenge:
        look = partial(find, data_dir=data_dir, scale=scale or 4, crop=crop or "multiple")
        return [_row(it, partial(look, it.name), data_dir, scale or 4, ask=True) for it in known()]
    rules = read_rules(challenge)
    rules = rules if crop is None else rules.cropped(crop)
    chosen, rows = scale or rules.scale, []
    for use in rules.datasets:
        item = lookup(use.name, rules.define)
        look = partial(find_used, rules, use, data_dir, scale=chosen)
        rows.append(_row(item, look, data_dir, chosen, ask=False))
    return rows


def _row(
    item: Definition, look: Callable[..., Dataset], data_dir: Path | None, scale: int, *, ask: bool
) -> dict[str, Any]:
    """`look` finds the dataset; with `ask` it is told whether there is HR to score against."""
    from harness.core.submission import SCALES
    from harness.datasets.dataset import DatasetError
    from harness.datasets.layout import at_hand

    stock = {f"x{it}": at_hand(item, data_dir, scale=it) if data_dir else (0, 0) for it in SCALES}
    if item.bundled:
        stock = dict.fromkeys(stock, (item.count, 0))
    row = {
        "name": item.name,
        "title": item.title,
        "count": item.count,
        "source": item.source,
        "at_hand": {key: {"hr": hr, "lr": lr} for key, (hr, lr) in stock.items()},
    }
    hr, lr = stock[f"x{scale}"]
    try:
        found = look(truth=hr > 0 or not lr) if ask else look()
    except DatasetError as error:
        return {**row, "found": 0, "notes": [], "reason": str(error)}
    return {**row, "found": len(found.pairs), "notes": list(found.notes), "reason": ""}


@app.command()
def fetch(
    context: typer.Context,
    names: Annotated[
        list[str],
        typer.Argument(help="Datasets, as `esr data` lists them.", autocompletion=dataset_names),
    ],
    data_dir: DataDir = None,
    accept_terms: Annotated[
        bool, typer.Option("--accept-terms", help="Accept the terms of the datasets' sources.")
    ] = False,
    challenge: Annotated[
        str | None,
        typer.Option(
            help="The challenge that defines them: an id, or a .toml file.",
            autocompletion=challenge_ids,
        ),
    ] = None,
    as_json: ListAsJson = False,
) -> None:
    """Download datasets into --data-dir, each file checked by its sha256; goes on where it stopped.

    One that can't be had stops no other; exit with 3 if there is any.
    """
    from harness.core.outcome import BadInput
    from harness.datasets.fetch import downloadable
    from harness.datasets.known import lookup
    from harness.usecases.evaluate import read_rules

    above = context.parent.params if context.parent else {}
    folder, rulebook = data_dir or above.get("data_dir"), challenge or above.get("challenge")
    with explained(resumes=True):
        defined = read_rules(rulebook).define if rulebook else ()
        items = [lookup(name, defined) for name in dict.fromkeys(names)]
        asked = [(item, downloadable(item)) for item in items]
        if folder is None:
            raise BadInput("name the folder to fetch into with --data-dir")
        if not accept_terms:
            told = [
                f"{item.name}, {len(it.files)} files, {it.size_bytes / 1e6:.1f} MB from {it.base}\n"
                f"  licence: {item.licence}\n  terms: {it.terms}"
                for item, it in asked
            ]
            raise BadInput(
                "\n".join([*told, "nothing is fetched before you accept this: --accept-terms"])
            )
        rows = [_fetched(item, folder, as_json=as_json) for item in items]
    if as_json:
        print_json(rows)
    if not all(row["ok"] for row in rows):
        raise typer.Exit(ExitCode.NOT_MEASURED)


def _fetched(item: Definition, folder: Path, *, as_json: bool) -> dict[str, Any]:
    """Fetch one dataset, told file by file, or as a row of the document."""
    from harness.datasets.fetch import fetch
    from harness.datasets.http_file import FetchError

    files = []
    reason = ""

    def told(file: FetchedFile, news: str) -> None:
        files.append({"to": file.to, "bytes": file.bytes, "news": news})
        if not as_json:
            tell(f"{news:8}  {item.name}: {file.to}")

    try:
        fetch(item, folder, told)
    except FetchError as error:
        reason = str(error)
        if not as_json:
            tell(f"not ok    {item.name}: {reason}")
    return {"name": item.name, "ok": not reason, "files": files, "reason": reason}
