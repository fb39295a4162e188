"""The options that name the entries of an official checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Ntire = Annotated[
    Path | None,
    typer.Option("--ntire", help="An official NTIRE ESR repository: its entries as they stand."),
]
Ids = Annotated[
    str | None, typer.Option("--ids", help="Of its entries, as in 0,4,25; default: all it knows.")
]


def id_list(text: str | None, checkout: Path | None) -> tuple[int, ...] | None:
    """The ids of an option `0,4,25`, each once, None where it is left out; BadInput otherwise."""
    from harness.core.outcome import BadInput

    if text is None:
        return None
    if checkout is None:
        raise BadInput("--ids names entries of an official checkout: name it with --ntire")
    try:
        numbers = [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise BadInput(f"--ids must be whole numbers as in 0,4,25, got {text!r:.80}") from None
    if not numbers:
        raise BadInput("--ids is empty: name ids as in 0,4,25")
    return tuple(dict.fromkeys(numbers))
