"""`esr data`: the datasets that the harness knows and what is at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from harness.cli.output import print_json


def data(
    data_dir: Annotated[Path | None, typer.Option(help="Folder that holds the datasets.")] = None,
    scale: Annotated[int, typer.Option(help="2, 3 or 4.")] = 4,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show every known dataset, whether it is whole under --data-dir, and what is wrong if not."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from harness import datasets

    rows = [_row(item, data_dir, scale) for item in datasets.known()]
    if as_json:
        print_json(rows)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("dataset", "images", "at hand", "notes"):
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(
            row["name"],
            str(row["count"]),
            str(row["found"]) if row["found"] else "–",
            escape("\n".join(row["notes"]) or row["reason"]),
        )
    Console().print(table)


def _row(item: Any, data_dir: Path | None, scale: int) -> dict[str, Any]:
    from harness import datasets

    row = {"name": item.name, "title": item.title, "count": item.count, "source": item.source}
    try:
        found = datasets.find(item.name, data_dir=data_dir, scale=scale, truth=False)
    except datasets.DatasetMissing as error:
        return {**row, "found": 0, "notes": [], "reason": str(error).splitlines()[0]}
    except datasets.DatasetError as error:
        return {**row, "found": 0, "notes": [], "reason": str(error)}
    return {**row, "found": len(found.pairs), "notes": list(found.notes), "reason": ""}
