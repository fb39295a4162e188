"""`esr work`: measure a shard on this node, as an engine calls it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.console import explained, say


def work(
    shard: Annotated[Path, typer.Argument(help="A shard's document, as `esr run` writes it.")],
    into: Annotated[Path, typer.Option(help="Folder of this node, for records and logs.")],
) -> None:
    """Measure a shard of a run that `esr run --executor` has split, on this node.

    Engines call it; called by hand, it does the same.
    """
    from harness.cli.progress_bars import bars
    from harness.usecases.work import work as measure

    with explained(resumes=True), bars() as progress:
        measure(shard, into, progress)
    say(f"measured into {into}")
